// A notebook in JupyterLite as a reader uses it: Run All Cells, look at the figures, move a slider by keyboard, follow the
// links. The browser can reach this machine only (lib.mjs).

import { main, open, options } from "../browser/lib.mjs";

const { run, runAll: all } = options.menu; // the words of the menu, in the language of the notebook
const MENU = `.lm-MenuBar-itemLabel:text-is("${run}")`;
const RUN_ALL = `.lm-Menu-itemLabel:text-is("${all}")`;
const FAULTS = '[data-mime-type$="stderr"], [data-mime-type$="error"], .jp-Dialog';
const PATIENCE_MS = 150_000;

/** The highest number that a cell has been given, and whether one still runs. */
function progress() {
  const prompts = [...document.querySelectorAll(".jp-InputPrompt, .jp-OutputPrompt")].map((e) => e.textContent);
  const numbers = prompts.map((text) => Number(/\[(\d+)\]/.exec(text)?.[1] ?? 0));
  const kernel = document.querySelector(".jp-Notebook-ExecutionIndicator")?.dataset.status;
  const dialog = document.querySelector(".jp-Dialog")?.textContent;
  return { last: Math.max(0, ...numbers), running: prompts.some((text) => text.includes("*")), kernel, dialog };
}

/** For each figure on display, how many colours it has: one that was not drawn has one or none. */
function colours() {
  return [...document.querySelectorAll(".vega-embed")].map((figure) => {
    const canvas = figure.querySelector("canvas");
    if (!canvas) return figure.querySelectorAll("svg path").length;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
}

/** For each figure on display, a number that changes with the picture. */
const pictures = () => [...document.querySelectorAll(".vega-embed canvas")].map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Uint32Array(data.buffer).reduce((sum, pixel, i) => (sum + pixel * (i % 65_521)) % 4_294_967_291, 0);
});

/** Widgets' lines of status; check marks of exercises have the same role but stand outside of widgets. */
const said = () => [...document.querySelectorAll('.jupyter-widgets [role="status"]')].map((e) => e.textContent);

/** Wait until `ready(page function's value)`; what it was last is in the error if it never is. */
async function until(page, look, ready, patience = PATIENCE_MS) {
  const end = Date.now() + patience;
  let value = await page.evaluate(look);
  while (!ready(value)) {
    if (Date.now() > end) throw new Error(`${look.name}: still ${JSON.stringify(value)} after ${patience / 1000} s`);
    await page.waitForTimeout(100);
    value = await page.evaluate(look);
  }
  return value;
}

/** What a reader reads of the notebook: its texts, and what its cells have answered. */
const texts = () => [...document.querySelectorAll(".jp-MarkdownOutput, .jp-OutputArea-output")].map((e) => e.innerText);

async function runAll(page, cells) {
  await page.waitForSelector(".jp-Notebook .jp-CodeCell");
  await page.click(MENU);
  await page.click(RUN_ALL);
  return until(page, progress, ({ last, running }) => last >= cells && !running);
}

/** A slider one step to the right, by keyboard; `panel` is the number of its panel, both from 0 over the whole notebook. */
async function move(page, { slider, panel }) {
  const before = { said: await page.evaluate(said), pictures: await page.evaluate(pictures) };
  await page.locator('.jupyter-widgets [role="slider"]').nth(slider).focus();
  const start = Date.now();
  await page.keyboard.press("ArrowRight");
  const after = await until(page, said, (now) => now[panel] !== before.said[panel] && !now[panel].includes("…"));
  const ms = Date.now() - start;
  await until(page, pictures, (now) => now.some((picture, i) => picture !== before.pictures[i]));
  return { before: before.said[panel], after: after[panel], ms };
}

/** Where a click on each of these links leads. */
async function follow(context, page, links) {
  const found = {};
  for (const words of links) {
    const link = page.locator(".jp-MarkdownCell a", { hasText: words }).first();
    await link.scrollIntoViewIfNeeded();
    const [opened] = await Promise.all([context.waitForEvent("page"), link.click()]);
    await opened.waitForURL((address) => address.href !== "about:blank");
    found[words] = opened.url();
    await opened.close();
  }
  return found;
}

await main(async (browser) => {
  const start = Date.now();
  const { context, page, seen } = await open(browser, "");
  const [missing, sizes] = [[], {}];
  context.on("response", (response) => { if (response.status() >= 400) missing.push(`${response.status()} ${response.url()}`); });
  context.on("requestfinished", async (request) => { // once from the page and once from its service worker: the larger counts
    const size = await request.sizes().catch(() => null);
    if (size) sizes[request.url()] = Math.max(sizes[request.url()] ?? 0, size.responseBodySize + size.responseHeadersSize);
  });
  await page.goto(options.base + options.address);
  const result = await runAll(page, options.cells);
  result.ms = Date.now() - start;
  result.colours = await until(page, colours, (all) => all.length >= options.figures && all.every((number) => number > 3));
  result.faults = await page.locator(FAULTS).allTextContents();
  result.texts = await page.evaluate(texts);
  result.moved = await move(page, options.move);
  result.bytes = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  result.links = await follow(context, page, options.links ?? []);
  await seen.settle();
  result.outside = Object.keys(sizes).filter((address) => !address.startsWith(options.base));
  await context.close();
  return { ...result, missing, elsewhere: seen.elsewhere, errors: seen.errors };
});
