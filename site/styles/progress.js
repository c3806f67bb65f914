// Marks for what was read and solved: in the navigation, at exercises, on the button of a page, in the table of progress.
import { FORMAT, erase, keeps, markPage, markSolved, merge, read, sound } from "./store.js";

const words = document.getElementById("cs-progress-words")?.dataset;
const root = new URL(document.documentElement.dataset.content_root, location.href).href;
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

/** The name of the page that a link leads to, such as book/05-backfill. */
const nameOf = (link) => (link.href.startsWith(root) ? link.href.slice(root.length).split(/[?#]/)[0].replace(/\.html$/, "") : "");

/** A check mark after `element`, read out as `text`; or none. */
function mark(element, done, text) {
  const now = element.querySelector(":scope > .cs-mark");
  if (!done) now?.remove();
  else if (!now) {
    const sign = document.createElement("span");
    sign.className = "cs-mark";
    const said = document.createElement("span");
    said.className = "visually-hidden";
    said.textContent = ` (${text})`;
    sign.append(said);
    element.append(sign);
  }
}

function show() {
  const { pages, exercises } = read();
  for (const link of document.querySelectorAll(".cs-nav a")) mark(link, (link.getAttribute("aria-current") ? own : nameOf(link)) in pages, words.read);
  for (const button of document.querySelectorAll(".cs-done-button")) button.setAttribute("aria-pressed", String(button.dataset.page in pages));
  for (const [place, id] of places) mark(place, id in exercises, words.solved);
  for (const row of document.querySelectorAll("tr[data-page]")) {
    const ids = row.dataset.exercises.split(" ").filter(Boolean);
    row.querySelector(".cs-progress-read").textContent = pages[row.dataset.page] ?? "–";
    row.querySelector(".cs-progress-solved").textContent = ids.length
      ? fill(words.count, { solved: ids.filter((id) => id in exercises).length, all: ids.length }) : "–";
  }
}

/** Where exercises stand on this page: their headings in a notebook, the way to the notebook in a chapter. */
function findPlaces() {
  const found = [];
  for (const section of document.querySelectorAll("section[id^='exercise-ex-']")) {
    found.push([section.querySelector("h2, h3, h4"), /ex-\d\d-\d+/.exec(section.id)[0]]);
  }
  for (const link of document.querySelectorAll(".cs-to-notebook a")) {
    const id = /#exercise-(ex-\d\d-\d+)/.exec(link.hash);
    if (id) found.push([link.closest(".admonition").querySelector(".admonition-title") ?? link.parentElement, id[1]]);
  }
  return found;
}

function tools(box) {
  const said = box.querySelector(".cs-progress-said");
  const file = box.querySelector("input");
  const say = (text) => { said.textContent = text; };
  if (!keeps) say(words.forgetful);
  box.querySelector(".cs-progress-save").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${JSON.stringify(read(), null, 1)}\n`], { type: "application/json" }));
    link.download = `${FORMAT.split("/")[0]}.json`;
    link.click();
    URL.revokeObjectURL(link.href);
    say(fill(words.saved, { name: link.download }));
  });
  box.querySelector(".cs-progress-load").addEventListener("click", () => file.click());
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    let data = null;
    try {
      data = sound(JSON.parse(await chosen.text()));
    } catch { /* said below */ }
    say(data ? fill(words.merged, { name: chosen.name, ...merge(data) }) : fill(words.unusable, { name: chosen.name }));
    file.value = "";
  });
  box.querySelector(".cs-progress-erase").addEventListener("click", () => {
    if (!confirm(words.sure)) return;
    erase();
    say(words.erased);
  });
}

const own = location.href.startsWith(root) ? nameOf(location) : "";
const places = findPlaces();
if (words) {
  for (const button of document.querySelectorAll(".cs-done-button")) {
    button.addEventListener("click", () => markPage(button.dataset.page, button.getAttribute("aria-pressed") !== "true"));
  }
  document.querySelectorAll(".cs-progress-tools").forEach(tools);
  addEventListener("progress", show);
  show();
}

// The simulator tells when an answer was right, here or in JupyterLite, which is a page of the same site.
if (window.BroadcastChannel) new BroadcastChannel("olst-solved").onmessage = ({ data }) => { if (typeof data === "string") markSolved(data); };
