// The search page: asks Pagefind's index of this language, then, in an edition, the English one for what is not translated.
const SHOWN = 10; // results at first, and with each click on "more"
const PLACES = 3; // places named below a page
const AROUND = 60; // characters on each side of what was found
const UNSPACED = /^(ja|zh|th)/; // languages written without spaces between words

const box = document.querySelector("#cs-results");
const { words, indexes, pages } = JSON.parse(document.querySelector("#cs-search-words").textContent);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// --- languages with spaces: Pagefind's words, which know that "checkpointing" is a form of "checkpoint"

/** An excerpt as text with its found words marked; nothing else of its mark-up is taken over. */
function marked(excerpt) {
  const parsed = new DOMParser().parseFromString(excerpt, "text/html").body;
  return [...parsed.childNodes].map((node) => (node.nodeName === "MARK" ? make("mark", {}, node.textContent) : node.textContent));
}

/** Whether a page has what was asked for, and not only the first letters of it, to which Pagefind falls back in the end. */
function fits({ excerpt, meta }, term) {
  const parts = term.toLowerCase().split(/\s+/);
  const words = [...excerpt.matchAll(/<mark>(.*?)<\/mark>/g)].map((match) => match[1].trim());
  return parts.some((part) => meta.title.toLowerCase().includes(part) || words.some((word) => word.length * 2 >= part.length));
}

async function byWords(pagefind, term) {
  const { results } = await pagefind.search(term);
  const loaded = await Promise.all(results.map((result) => result.data()));
  return loaded.filter((one) => fits(one, term)).map((one) => ({
    url: one.url, title: one.meta.title, excerpt: marked(one.excerpt), places: one.sub_results.filter(({ url }) => url !== one.url),
  }));
}

// --- languages without spaces: any part of the text, wherever a dictionary would cut it

const count = (text, part) => text.split(part).length - 1;
const plain = (text) => text.normalize("NFKC").toLowerCase();

/** The surroundings of the first of the parts, with it marked. */
function around(content, parts) {
  const text = content.normalize("NFKC");
  const found = parts.map((part) => [plain(text).indexOf(part), part]).sort(([a], [b]) => a - b);
  const [at, part] = found.find(([place]) => place >= 0);
  const begin = Math.max(0, at - AROUND);
  const end = at + part.length;
  return [`${begin ? "…" : ""}${text.slice(begin, at)}`, make("mark", {}, text.slice(at, end)), `${text.slice(end, end + AROUND)}…`];
}

/** The headings under which one of the parts stands. */
function sections({ url, anchors, raw_content: content }, parts) {
  const words = content.split(/\s+/);
  const heads = anchors.filter(({ element }) => /^h[2-6]$/.test(element));
  return heads.filter(({ location }, i) => {
    const text = plain(words.slice(location, heads[i + 1]?.location).join(" "));
    return parts.some((part) => text.includes(part));
  }).map(({ id, text }) => ({ url: `${url}#${id}`, title: text.trim() }));
}

async function byText(pagefind, term) {
  const parts = plain(term).split(/\s+/);
  const { results } = await pagefind.search(null); // every page; those of an edition are few, and small without their mark-up
  const loaded = await Promise.all(results.map((result) => result.data()));
  const score = ({ content, meta }) => Math.min(...parts.map((part) => count(plain(content), part) + 10 * count(plain(meta.title), part)));
  return loaded.map((one) => [score(one), one]).filter(([points]) => points > 0).sort(([a], [b]) => b - a).map(([, one]) => ({
    url: one.url, title: one.meta.title, excerpt: around(one.content, parts), places: sections(one, parts),
  }));
}

// --- the page

function entry(found, lang) {
  const places = found.places.slice(0, PLACES);
  const item = make("li", { lang }, make("a", { href: found.url, hreflang: lang }, found.title), make("p", {}, ...found.excerpt));
  if (places.length) item.append(make("ul", {}, ...places.map(({ url, title }) => make("li", {}, make("a", { href: url, hreflang: lang }, title)))));
  return item;
}

/** The results of one index, without pages that are in this language as well. */
async function ask({ folder, lang, own }, term) {
  const base = new URL(folder, document.baseURI).href;
  const { createInstance } = await import(new URL("pagefind.js", base).href);
  const found = await (UNSPACED.test(lang) ? byText : byWords)(createInstance({ basePath: new URL(base).pathname }), term);
  return { lang, own, found: own ? found : found.filter(({ url }) => !pages.some((page) => url.endsWith(`/${page}`))) };
}

function list({ found, lang, own }) {
  const items = make("ol", { class: "cs-found" });
  const more = make("button", { type: "button", class: "cs-button" }, words.more);
  let shown = 0;
  const next = () => {
    const part = found.slice(shown, shown + SHOWN).map((one) => entry(one, lang));
    items.append(...part);
    if (shown) part[0].querySelector("a").focus();
    shown += SHOWN;
    more.hidden = shown >= found.length;
  };
  more.addEventListener("click", next);
  next();
  return [...(own ? [] : [make("h2", {}, words.english)]), items, more];
}

async function search(term) {
  const status = document.querySelector("#cs-search-status");
  status.textContent = words.searching;
  box.replaceChildren();
  try {
    const answers = (await Promise.all(indexes.map((index) => ask(index, term)))).filter(({ found }) => found.length);
    const n = answers.reduce((sum, { found }) => sum + found.length, 0);
    status.textContent = fill(n ? (n === 1 ? words.one : words.many) : words.nothing, { n, term });
    box.append(...answers.flatMap(list));
    box.dataset.term = term;
  } catch {
    status.textContent = location.protocol === "file:" ? words.file : words.failed;
  }
}

const field = document.querySelector(".cs-search-page input");
const term = (new URLSearchParams(location.search).get("q") ?? "").trim();
field.value = term;
if (term) search(term);
else field.focus();
