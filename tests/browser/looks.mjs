// How pages look in numbers: characters in a line of prose, sideways scrolling, boxes that stick out, at three widths.
import { main, open, options, overflow, resize } from "./lib.mjs";

// Running text: paragraphs of three lines and more, straight in a section. The last line is left out: it is not full.
function measured() {
  const found = [];
  for (const paragraph of document.querySelectorAll("article section > p")) {
    const walker = document.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT);
    const lines = new Map();
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      for (let i = 0; i < node.length; i += 1) {
        const range = document.createRange();
        range.setStart(node, i);
        range.setEnd(node, i + 1);
        const box = range.getBoundingClientRect();
        const line = Math.round((box.top + box.bottom) / 2 / 12); // words in code are a little lower than others
        if (box.width) lines.set(line, (lines.get(line) || 0) + 1);
      }
    }
    const full = [...lines.entries()].sort((one, other) => one[0] - other[0]).map(([, characters]) => characters).slice(0, -1);
    if (full.length > 1) found.push(...full);
  }
  return found;
}

// What reaches beyond the window and is not inside a box that scrolls; what scrolls although nothing asks for it.
function stickingOut() {
  const scrolls = (node) => node && (["auto", "scroll", "hidden"].includes(getComputedStyle(node).overflowX) || scrolls(node.parentElement));
  return [...document.querySelectorAll("main *, header *, footer *")].filter((node) => {
    const box = node.getBoundingClientRect();
    return box.width > 1 && box.right > document.documentElement.clientWidth + 1 && node.checkVisibility() && !scrolls(node.parentElement);
  }).map((node) => `${node.tagName.toLowerCase()}.${node.className}`).slice(0, 5);
}

// Two pieces of text of the frame or of headings that lie on one another.
function overlapping() {
  const boxes = [...document.querySelectorAll("main :is(h1, h2, h3, p, pre, table, figure, li > a), header :is(a, button, form)")]
    .filter((node) => node.checkVisibility({ visibilityProperty: true }) && !node.closest(".visually-hidden, details:not([open]) > :not(summary)"))
    .map((node) => [node, node.getBoundingClientRect()]).filter(([, box]) => box.width > 1 && box.height > 1);
  const faults = [];
  for (let i = 0; i < boxes.length; i += 1) {
    for (let j = i + 1; j < Math.min(boxes.length, i + 12); j += 1) {
      const [one, a] = boxes[i];
      const [other, b] = boxes[j];
      if (one.contains(other) || other.contains(one)) continue;
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 2 && high > 2) faults.push(`${one.tagName} "${one.textContent.trim().slice(0, 30)}" and ${other.tagName} "${other.textContent.trim().slice(0, 30)}"`);
    }
  }
  return faults.slice(0, 5);
}

await main(async (browser) => {
  const report = {};
  for (const name of options.pages) {
    report[name] = {};
    const { context, page, seen } = await open(browser, options.base + name);
    for (const width of options.widths) {
      await resize(page, width);
      report[name][width] = {
        lines: await page.evaluate(measured), overflow: await overflow(page), out: await page.evaluate(stickingOut),
        overlap: await page.evaluate(overlapping),
      };
    }
    await page.emulateMedia({ media: "print" });
    await resize(page, options.paper);
    report[name].print = {
      overflow: await overflow(page), out: await page.evaluate(stickingOut),
      hidden: await page.evaluate(() => [...document.querySelectorAll("article details, .cs-system")]
        .filter((box) => !box.matches(".cs-diagram-text") && !box.checkVisibility()).length),
      frame: await page.evaluate(() => [...document.querySelectorAll(".cs-header, .cs-nav, .cs-toc, .cs-turn")]
        .filter((box) => box.checkVisibility()).length),
    };
    await seen.settle();
    await context.close();
  }
  return report;
});
