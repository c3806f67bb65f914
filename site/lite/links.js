// In JupyterLite: a notebook's links to chapters lead out into the book, and links to other notebooks open these, each in
// a tab of its own. JupyterLite takes a relative link for one of its files: it would look for the chapter among them, and
// the simple notebook view would open the list of files in place of the notebook. And the other way round: an exercise that
// was answered rightly here is marked in the book, whose pages are of the same site and keep the mark in this browser.
// A notebook in the folder of a language, such as ja/, has JupyterLite's own menus in that language, where they are there.
"use strict";
{
  const folder = new URLSearchParams(location.search).get("path")?.match(/^([a-z]{2,3}(?:_\w+)?)\//)?.[1] ?? "";
  const menus = document.currentScript.dataset.menus.split(" ").find((name) => name === folder || name.split("_")[0] === folder);
  if (menus) globalThis.bookSettings = { settingsOverrides: { "@jupyterlab/translation-extension:plugin": { locale: menus } } };
  const root = new URL("./", document.currentScript.src).href;
  const files = `${root}files/`;
  const view = `${root}notebooks/`;
  const better = (address) => {
    const path = address.slice(files.length);
    if (/^([\w-]+\/)?book\//.test(path)) return new URL(`../${path}`, root).href;
    if (path.endsWith(".ipynb") && location.href.startsWith(view)) return `${view}index.html?path=${path}`;
    return "";
  };
  const lead = (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link) return;
    const address = link.href.startsWith(files) ? better(link.href) : "";
    if (address) {
      link.href = address;
      link.target = "_blank";
      link.rel = "noopener";
      link.dataset.led = "yes";
    }
    if (event.type === "click" && link.dataset.led) event.stopImmediatePropagation(); // the browser follows it by itself
  };
  for (const type of ["pointerover", "focusin", "click"]) document.addEventListener(type, lead, true);
  new BroadcastChannel("olst-solved").onmessage = async ({ data }) => {
    const { markSolved } = await import(new URL("../_static/store.js", root).href);
    if (typeof data === "string") markSolved(data);
  };
}
