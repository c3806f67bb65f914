// In the browser: the pages of the built site as one page to print, in the order of the table of contents.
// Runs inside a page of the site (by playwright's evaluate), so it imports nothing.

/** Replaces the body by title page, contents and every page's text. */
export async function join({ words, numbers }) {
  const LEFT_OUT = ".js-only, .cs-launch, .lv-notebook, .lv-bar, .cs-terms, .cs-not-in-print, script, link, a.headerlink, button, form, .toctree-wrapper";
  const FOLDED = "book/licences.html"; // the words of each licence concern what the site ships, not the print
  const here = location.href;

  // Which pages, in which parts: from the navigation, so that titles and captions are those of the language.
  const nav = document.querySelector(".cs-nav");
  const title = document.querySelector(".cs-brand").textContent.trim();
  const parts = [{ caption: "", pages: [{ address: here }] }];
  for (const element of nav.querySelectorAll("p.caption, li.toctree-l1 > a")) {
    if (element.matches("a[hreflang]")) continue; // an edition's navigation names English pages, too
    if (element.matches("a")) parts.at(-1).pages.push({ address: element.href.replace(/#$/, "") });
    else parts.push({ caption: element.textContent.trim(), pages: [] });
  }
  const pages = parts.flatMap((part) => part.pages);
  pages.forEach((page, index) => { page.key = `p${index}`; });
  const keyOf = new Map(pages.map((page) => [page.address, page.key]));

  const fetched = await Promise.all(pages.map(async (page) => {
    const answer = await fetch(page.address);
    if (!answer.ok) throw new Error(`${page.address}: ${answer.status}`);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }));

  const styles = new Map(); // of every page, in the order in which they first occur
  const articles = fetched.map((page, index) => {
    const { address, key } = pages[index];
    for (const link of page.querySelectorAll("link[rel=stylesheet]")) {
      styles.set(new URL(link.getAttribute("href"), address).href, link.getAttribute("media") ?? "");
    }
    const article = document.adoptNode(page.querySelector("article"));
    article.querySelectorAll(LEFT_OUT).forEach((element) => element.remove());
    if (address.split("#")[0].endsWith(FOLDED)) article.querySelectorAll("details").forEach((element) => element.remove());
    article.querySelectorAll("details").forEach((element) => { element.open = true; });
    for (const figure of article.querySelectorAll("figure.cs-live")) { // so that no sheet begins with a caption alone
      const caption = figure.querySelector("figcaption");
      if (caption) figure.querySelector(".lv-summary")?.after(caption);
    }
    pages[index].title = article.querySelector("h1").textContent.replace(/\s+/g, " ").trim();
    prefix(article, key);
    for (const link of article.querySelectorAll("a[href]")) lead(link, address, key);
    for (const image of article.querySelectorAll("img[src]")) {
      image.loading = "eager"; // nobody scrolls here, so a lazy one would never come
      image.src = new URL(image.getAttribute("src"), address).href;
    }
    article.id = key;
    return article;
  });

  /** Ids become the page's own. Drawings keep theirs: their styles use them, and they are their own already. */
  function prefix(article, key) {
    const outside = (element) => !element.closest("svg");
    for (const element of [...article.querySelectorAll("[id]")].filter(outside)) element.id = `${key}-${element.id}`;
    for (const name of ["aria-labelledby", "aria-describedby", "aria-controls", "for"]) {
      for (const element of [...article.querySelectorAll(`[${name}]`)].filter(outside)) {
        if (name === "aria-describedby" && element.matches(".cs-term")) element.removeAttribute(name);
        else element.setAttribute(name, element.getAttribute(name).split(/\s+/).map((id) => `${key}-${id}`).join(" "));
      }
    }
  }

  /** A link inside the book leads to its place in the print; one to a page that is not in it stays as words. */
  function lead(link, address, own) {
    const target = new URL(link.getAttribute("href"), address);
    if (target.origin !== location.origin) return;
    const key = target.href.startsWith(`${address}#`) || target.href === address ? own : keyOf.get(target.href.split("#")[0].split("?")[0]);
    if (key) link.setAttribute("href", target.hash ? `#${key}-${decodeURIComponent(target.hash.slice(1))}` : `#${key}`);
    else link.replaceWith(...link.childNodes);
  }

  function withStyles(svg) {
    const keep = ["fill", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "opacity", "font", "text-anchor", "display", "visibility"];
    for (const element of svg.querySelectorAll("*")) {
      const now = getComputedStyle(element);
      element.setAttribute("style", keep.map((property) => `${property}:${now.getPropertyValue(property)}`).join(";"));
    }
  }

  /** Several drawings under one name, as one drawing: each where it stands now. */
  function together(box, drawings) {
    const outer = box.getBoundingClientRect();
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", `0 0 ${outer.width} ${outer.height}`);
    for (const drawing of drawings) {
      const at = drawing.getBoundingClientRect();
      const copy = drawing.cloneNode(true);
      for (const [name, value] of Object.entries({ x: at.left - outer.left, y: at.top - outer.top, width: at.width, height: at.height })) copy.setAttribute(name, value);
      svg.append(copy);
    }
    return svg;
  }

  /** A drawing as an image: only an image keeps its name in the PDF. A drawing styled by the page takes its styles along. */
  const asImage = (box) => {
    const seen = [box, ...box.querySelectorAll("svg")].filter((element) => element.matches("svg") && element.checkVisibility());
    if (!box.closest(".cs-picture, .cs-diagram")) seen.forEach(withStyles);
    const svg = seen.length === 1 ? seen[0] : together(box, seen);
    const { width, height } = (seen.length === 1 ? svg : box).getBoundingClientRect();
    const image = make("img", { alt: box.getAttribute("aria-label"), className: "cs-print-picture" });
    svg.removeAttribute("class");
    if (!svg.hasAttribute("width")) svg.setAttribute("width", width);
    if (!svg.hasAttribute("height")) svg.setAttribute("height", height);
    image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
    image.style.aspectRatio = `${width} / ${height}`;
    image.style.width = `${width}px`;
    if (box === svg) box.replaceWith(image);
    else {
      box.removeAttribute("role");
      box.removeAttribute("aria-label");
      box.style.display = "block"; // it may be a grid of drawings
      box.replaceChildren(image);
    }
  };

  const make = (tag, values = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), values);
    element.append(...children);
    return element;
  };

  const first = make("header", { className: "cs-print-title" }, make("p", { className: "cs-print-name" }, title),
    ...[...document.querySelectorAll(".cs-footer p")].map((p) => {
      p.querySelectorAll("a:not([rel=license])").forEach((link) => link.remove()); // they lead to what is not on paper
      return make("p", {}, p.textContent.replace(/\s+/g, " ").replace(/( \.)+ *$/, "").trim());
    }));
  first.firstChild.after(make("p", { className: "cs-print-subtitle" }, words.subtitle));

  const list = make("nav", { className: "cs-print-contents", ariaLabel: words.contents }, make("h1", {}, words.contents));
  for (const { caption, pages: inside } of parts) {
    if (caption) list.append(make("p", { className: "cs-print-part" }, caption));
    list.append(make("ul", {}, ...inside.map((page) => make("li", {}, make("a", { href: `#${page.key}` },
      make("span", {}, page.title), make("span", { className: "cs-print-page" }, String(numbers[page.key] ?? "000")))))));
  }

  document.head.querySelectorAll("link[rel=stylesheet]").forEach((link) => link.remove());
  await Promise.all([...styles].map(([href, media]) => new Promise((resolve, reject) => {
    const link = make("link", { rel: "stylesheet", href, media, onload: resolve, onerror: () => reject(new Error(href)) });
    document.head.append(link);
  })));
  const book = make("main", { className: "cs-print-book" }, first, list, ...articles);
  document.body.replaceChildren(book);
  document.title = title;
  document.documentElement.dataset.theme = "light";
  book.querySelectorAll("[role=img]").forEach(asImage);
  book.querySelectorAll("figure").forEach((figure) => { figure.setAttribute("role", "group"); }); // the picture inside is the figure
  await Promise.all([...document.images].map((image) => image.decode().catch(() => { throw new Error(image.src); })));
  await document.fonts.ready;
  return { title, pages: pages.length };
}

/** What would be cut at the edge of a sheet `width` px wide and `height` px high, as words; call it with print styles on. */
export function cut({ width, height }) {
  const book = document.querySelector(".cs-print-book");
  const edge = book.getBoundingClientRect().left + width + 1;
  const seen = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(".visually-hidden");
  const name = (element) => `${element.closest("article")?.dataset.page ?? element.closest("article")?.id ?? "title"}: <${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}"> ${element.textContent.replace(/\s+/g, " ").trim().slice(0, 60)}`;
  const found = [];
  const wide = [];
  const tell = (element, text) => { wide.push(element); found.push(`${text}: ${name(element)}`); };
  for (const element of book.querySelectorAll("*")) {
    if ((element.closest("svg") && element.tagName !== "svg") || element.parentElement.closest("math") || !seen(element)) continue;
    if (wide.some((outer) => outer.contains(element))) continue;
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    if (box.right > edge && box.width > 1) tell(element, `beyond the edge by ${Math.round(box.right - edge)} px`);
    else if (style.overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1) tell(element, `wider than its box by ${element.scrollWidth - element.clientWidth} px`);
    if (element.matches("svg, img") && box.height > height) tell(element, `higher than a sheet (${Math.round(box.height)} px)`);
  }
  return found;
}

/** Every heading, in order, as the bookmarks of the print have them; `key` where a page of the book begins. */
export function headings() {
  return [...document.querySelectorAll(".cs-print-book :is(h1, h2, h3, h4, h5, h6)")].filter((element) => element.checkVisibility())
    .map((element) => {
      const article = element.closest("article");
      const begins = article?.querySelector("h1") === element;
      return { text: element.textContent.replace(/\s+/g, " ").trim(), key: begins ? article.id : "" };
    });
}

/** The name of every picture that has one; the print must carry it as well. */
export function pictures() {
  const shown = [...document.querySelectorAll(".cs-print-book :is(img, [role=img])")].filter((element) => element.checkVisibility());
  return shown.map((element) => element.alt ?? element.getAttribute("aria-label")).filter(Boolean);
}
