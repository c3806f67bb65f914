// A live figure from the first byte to a shared link, by keyboard only.

import { main, open, options, overflow, resize, text, violations } from "./lib.mjs";
import { move, start, state } from "./lib.mjs";

const ID = "live-backfill";
const inside = (selector) => `#${ID} ${selector}`;

async function tabTo(page, wanted, most = 200) {
  for (let i = 0; i < most; i += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((selector) => document.activeElement?.matches(selector), wanted)) return i + 1;
  }
  return 0;
}

const total = (bytes) => Object.values(bytes).reduce((sum, size) => sum + size, 0);

/** From a fresh page to a moved slider, with the keyboard alone. */
async function keyboard(browser) {
  const { context, page, seen } = await open(browser, options.base + options.page);
  await seen.settle();
  const before = { bytes: total(seen.bytes), addresses: Object.keys(seen.bytes) };
  const printed = await text(page, inside(".lv-summary"));
  const boxBefore = await page.locator(inside(".cs-picture")).first().boundingBox();
  const tabs = await tabTo(page, inside(".lv-start"));
  await page.keyboard.press("Enter");
  await state(page, ID, ["live", "failed"]);
  await seen.settle();
  const boxAfter = await page.locator(inside(".cs-picture")).first().boundingBox();
  const focus = await page.evaluate(() => document.activeElement.name);
  const started = { summary: await text(page, inside(".lv-summary")), said: await text(page, inside(".lv-said")) };
  await tabTo(page, inside("[name=jobs]"), 10);
  const drawn = page.evaluate((selector) => new Promise((resolve) => {
    document.querySelector(selector).addEventListener("live-drawn", () => resolve(true), { once: true });
  }), inside("live-experiment"));
  await page.keyboard.press("ArrowRight");
  await drawn;
  const moved = {
    value: await page.inputValue(inside("[name=jobs]")), output: await text(page, inside("[name=jobs] >> xpath=.. >> output")),
    spoken: await page.getAttribute(inside("[name=jobs]"), "aria-valuetext"), summary: await text(page, inside(".lv-summary")),
  };
  await page.waitForFunction(([selector, summary]) => document.querySelector(selector).textContent === summary,
    [inside(".lv-said"), moved.summary]);
  moved.address = page.url();
  const sizes = await page.locator(inside(":is(button, select, input, summary):visible"))
    .evaluateAll((all) => all.map((e) => [e.name || e.textContent, e.getBoundingClientRect().height]));
  const labels = await page.locator(inside(":is(input, select)")).evaluateAll((all) => all.map((e) => e.labels.length));
  const light = await violations(page);
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await violations(page);
  await resize(page, 390, 844);
  const phone = { overflow: await overflow(page), violations: await violations(page) };
  const result = {
    before, printed, tabs, focus, started, moved, sizes, labels, light, dark, phone, elsewhere: seen.elsewhere, errors: seen.errors,
    boxes: [boxBefore.height, boxAfter.height], bytes: total(seen.bytes) - before.bytes, addresses: Object.keys(seen.bytes),
    workers: page.workers().length,
  };
  await context.close();
  return result;
}

/** A link with a setting: a prepared start, the setting after the click, the rest of the address untouched. */
async function link(browser) {
  const wanted = "?keep=1&live.backfill.policy=fcfs&live.backfill.jobs=50&live.backfill.load=7&live.backfill.nosuch=1#" + ID;
  const { context, page, seen } = await open(browser, options.base + options.page + wanted);
  const notices = await page.locator(inside(".lv-notice")).allTextContents();
  const button = await text(page, inside(".lv-start"));
  const printed = await text(page, inside(".lv-summary"));
  const prepared = { notices, button, printed, pyodide: Object.keys(seen.bytes).some((a) => a.includes("pyodide")) };
  await start(page, ID);
  const values = await page.locator(inside(":is(input, select)")).evaluateAll((all) => Object.fromEntries(all.map((e) => [e.name, e.value])));
  const summary = await text(page, inside(".lv-summary"));
  await move(page, ID, "jobs", "60");
  await page.waitForFunction(() => location.search.includes("jobs=60"));
  const address = page.url();
  await page.click(inside(".lv-reset"));
  await page.waitForFunction(() => !location.search.includes("live."));
  const reset = { address: page.url(), summary: await text(page, inside(".lv-summary")) };
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.click(inside(".lv-copy"));
  await page.waitForFunction((selector) => document.querySelector(selector).textContent !== "", inside(".lv-row .lv-hint"));
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  await context.close();
  return { prepared, values, summary, address, reset, copied, errors: seen.errors };
}

/** Every figure of the page, one after the other: one worker, and all live. */
async function together(browser) {
  const { context, page, seen } = await open(browser, options.base + options.page);
  const ids = await page.locator("figure.cs-live").evaluateAll((all) => all.map((e) => e.id));
  const states = [];
  for (const id of ids) states.push(await start(page, id));
  await seen.settle();
  const summaries = await page.locator(".lv-summary").allTextContents();
  const result = { ids, states, workers: page.workers().length, summaries, errors: seen.errors,
    runtime: Object.keys(seen.bytes).filter((a) => a.endsWith("pyodide.asm.wasm")).length };
  await context.close();
  return result;
}

await main(async (browser) => ({ [options.part]: await { keyboard, link, together }[options.part](browser) }));
