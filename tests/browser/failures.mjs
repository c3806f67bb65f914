// What can go wrong at the start, one after the other: a message, the printed picture still there, and a second try.

import { pathToFileURL } from "node:url";
import { main, open, options, start, state, text } from "./lib.mjs";

const ID = "live-backfill";
const OTHER = "live-one_gap";
const inside = (selector) => `#${ID} ${selector}`;

const CASES = {
  worker: { block: "**/worker.mjs*" },
  manifest: { block: "**/manifest.json" },
  runtime: { block: "**/pyodide.mjs" },
  interpreter: { block: "**/pyodide.asm.mjs" },
  wasm: { block: "**/*.wasm" },
  library: { block: "**/python_stdlib.zip" },
  wheel: { block: "**/*.whl" },
  charts: { block: "**/vega*.mjs" },
  missing: { block: "**/*.wasm", status: 404 },
  brokenWasm: { block: "**/*.wasm", status: 200 },
  brokenPython: { block: "**/clustersim-*.whl", status: 200 },
  noWorker: { script: "delete window.Worker" },
  noWasm: { script: "delete window.WebAssembly" },
  offline: { offline: true },
};

async function look(page) {
  return {
    message: await text(page, inside(".lv-message")), said: await text(page, inside(".lv-said")),
    pictures: await page.locator(inside(".cs-picture > svg")).count(), summary: await text(page, inside(".lv-summary")),
    focus: await page.evaluate(() => document.activeElement.className),
  };
}

async function fails(browser, { block, status, script, offline }) {
  const { context, page } = await open(browser, "", { script });
  if (block) await page.route(block, (route) => (status ? route.fulfill({ status, body: "?" }) : route.abort()));
  await page.goto(options.base + options.page);
  await page.waitForSelector(inside(".lv-start"));
  if (offline) await context.setOffline(true);
  await page.click(inside(".lv-start"));
  const ended = await state(page, ID, ["live", "failed"]);
  const result = { ended, ...(await look(page)) };
  await context.close();
  return result;
}

/** A server that knows no type for .wasm: no failure. */
async function untyped(browser) {
  const { context, page } = await open(browser, options.base + options.page);
  await page.route("**/*.wasm", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, headers: { ...answer.headers(), "content-type": "application/octet-stream" } });
  });
  await page.click(inside(".lv-start"));
  const ended = await state(page, ID, ["live", "failed"]);
  await context.close();
  return ended;
}

/** Blocked, then unblocked: "Try again" gets there. */
async function retry(browser) {
  const { context, page } = await open(browser, options.base + options.page);
  await page.route("**/*.whl", (route) => route.abort());
  await page.click(inside(".lv-start"));
  const first = await state(page, ID, ["live", "failed"]);
  await page.unroute("**/*.whl");
  await page.click(inside(".lv-retry"));
  const second = await state(page, ID, ["live"]);
  const workers = page.workers().length;
  await context.close();
  return { first, second, workers };
}

/** Python dies while two figures are live: each says so at its next move, and a second try brings its setting back. */
async function dies(browser) {
  const spy = "{ const Real = Worker; window.Worker = class extends Real { constructor(...a) { super(...a); window.last = this; } }; }";
  const { context, page } = await open(browser, options.base + options.page, { script: spy });
  for (const id of [ID, OTHER]) await start(page, id);
  const push = (id, value, die = false) => page.evaluate(([selector, wanted, now]) => {
    const input = document.querySelector(selector);
    input.value = wanted;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    if (now) window.last.dispatchEvent(new ErrorEvent("error", { message: "out of memory" })); // before the answer can come
  }, [`#${id} [type=range]`, value, die]);
  await push(ID, "60", true);
  await state(page, ID, ["failed"]);
  const { message } = await look(page);
  await push(OTHER, "3");
  await state(page, OTHER, ["failed"]);
  const other = await text(page, `#${OTHER} .lv-message`);
  await page.click(inside(".lv-retry"));
  await state(page, ID, ["live"]);
  const value = await page.inputValue(inside("[type=range]"));
  await page.click(`#${OTHER} .lv-retry`);
  await state(page, OTHER, ["live"]);
  const workers = page.workers().length;
  await context.close();
  return { message, other, value, workers };
}

/** The page opened from a file: no module runs there. */
async function file(browser) {
  const { context, page } = await open(browser, pathToFileURL(options.file).href);
  await page.waitForFunction((selector) => document.querySelector(selector)?.textContent, inside(".lv-message"));
  const result = { message: await text(page, inside(".lv-message")), pictures: await page.locator(inside(".cs-picture > svg")).count() };
  await context.close();
  return result;
}

await main(async (browser) => {
  const report = { cases: {} };
  for (const [name, how] of Object.entries(CASES)) report.cases[name] = await fails(browser, how);
  return { ...report, untyped: await untyped(browser), retry: await retry(browser), dies: await dies(browser), file: await file(browser) };
});
