// Progress in the reader's own browser: marks, the table, saving, reading, erasing, a browser that keeps nothing, and an
// exercise that is answered in the page.

import { readFileSync, writeFileSync } from "node:fs";
import { main, open, options, violations } from "./lib.mjs";

const at = (name) => options.base + name;
const pressed = (page) => page.getAttribute(".cs-done-button", "aria-pressed");
const kept = (page) => page.evaluate(() => JSON.parse(localStorage.getItem("olst-progress")));
const marks = (page) => page.evaluate(() => [...document.querySelectorAll(".cs-nav a:has(.cs-mark)")].map((link) => new URL(link.href).pathname.split("/").pop()));
const row = (page, name) => page.locator(`tr[data-page="${name}"] td`).allTextContents();

async function reading(browser) {
  const { context, page, seen } = await open(browser, at(options.chapter));
  const before = { pressed: await pressed(page), kept: await kept(page) };
  await page.click(".cs-done-button");
  const after = { pressed: await pressed(page), kept: await kept(page), here: await page.locator(".cs-nav a[aria-current] .cs-mark").count() };
  await page.goto(at("book/index.html"), { waitUntil: "networkidle" });
  const elsewhere = await marks(page);
  await page.evaluate(() => new BroadcastChannel("olst-solved").postMessage("ex-05-2")); // as Python in a worker would
  await page.evaluate(() => new BroadcastChannel("olst-solved").postMessage("<b>no exercise</b>"));
  await page.waitForFunction(() => (localStorage.getItem("olst-progress") ?? "").includes("ex-05-2"));
  await page.goto(at("book/progress.html"), { waitUntil: "networkidle" });
  const table = { chapter: await row(page, "book/05-backfill"), notebook: await row(page, "notebooks/05-backfill") };
  const axe = await violations(page);

  const waiting = page.waitForEvent("download");
  await page.click(".cs-progress-save");
  const download = await waiting;
  await download.saveAs(options.file);
  const saved = { name: download.suggestedFilename(), data: JSON.parse(readFileSync(options.file, "utf8")), said: await page.textContent(".cs-progress-said") };

  page.on("dialog", (dialog) => (dialog.message() && page.refuse ? dialog.dismiss() : dialog.accept()));
  page.refuse = true;
  await page.click(".cs-progress-erase");
  const refused = await kept(page);
  page.refuse = false;
  await page.click(".cs-progress-erase");
  const erased = { kept: await kept(page), table: await row(page, "book/05-backfill"), marks: await marks(page) };

  await page.setInputFiles(".cs-progress-tools input", options.file);
  await page.waitForFunction(() => localStorage.getItem("olst-progress"));
  const back = { kept: await kept(page), said: await page.textContent(".cs-progress-said") };
  const bad = `${options.file}.bad`;
  const said = [];
  for (const text of ["not JSON", "{}", '{"format":"olst-progress/1","pages":{"<img>":"x","book/05-backfill":7},"exercises":{"ex-1":"2026-01-01"}}']) {
    writeFileSync(bad, text);
    await page.setInputFiles(".cs-progress-tools input", bad);
    await page.waitForFunction((last) => document.querySelector(".cs-progress-said").textContent !== last, said.at(-1) ?? back.said).catch(() => {});
    said.push(await page.textContent(".cs-progress-said"));
  }
  const unharmed = await kept(page);
  await page.goto(at(options.chapter), { waitUntil: "networkidle" });
  await page.click(".cs-done-button");
  const undone = { pressed: await pressed(page), pages: (await kept(page)).pages };
  const posts = seen.posts;
  await context.close();
  return { before, after, elsewhere, table, axe, saved, refused, erased, back, said, unharmed, undone, posts, errors: seen.errors, outside: seen.elsewhere };
}

/** A browser in which every use of storage fails. */
async function forgetful(browser) {
  const script = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied', 'SecurityError'); } })";
  const { context, page, seen } = await open(browser, at(options.chapter), { script });
  await page.click(".cs-done-button");
  const now = { pressed: await pressed(page), here: await page.locator(".cs-nav a[aria-current] .cs-mark").count() };
  await page.goto(at("book/progress.html"), { waitUntil: "networkidle" });
  const said = await page.textContent(".cs-progress-said");
  const table = await row(page, "book/05-backfill");
  await context.close();
  return { now, said, table, errors: seen.errors };
}

/** An exercise answered in the page of a notebook: wrongly, unreadably, rightly. */
async function answering(browser) {
  const { context, page, seen } = await open(browser, at(options.notebook));
  const form = (id) => `form.cs-answer[data-exercise="${id}"]`;
  const light = Object.keys(seen.bytes).filter((address) => address.includes("pyodide")).length;
  const told = {};
  for (const [name, id, text] of options.answers) {
    const control = page.locator(`${form(id)} :is(input, select)`);
    if (await control.evaluate((element) => element.tagName === "SELECT")) await control.selectOption(text);
    else await control.fill(text);
    await page.locator(`${form(id)} button`).click();
    await page.waitForFunction(([selector, old]) => {
      const found = document.querySelector(selector);
      return !["loading", undefined].includes(found.dataset.verdict) && found.querySelector(".cs-answer-said").textContent !== old;
    }, [form(id), told[name] ?? ""]);
    told[name] = { verdict: await page.getAttribute(form(id), "data-verdict"), text: await page.textContent(`${form(id)} .cs-answer-said`) };
    await page.evaluate((selector) => { document.querySelector(`${selector} .cs-answer-said`).textContent = ""; document.querySelector(selector).dataset.verdict = "loading"; }, form(id));
  }
  const last = options.answers.at(-1)[1];
  await page.waitForFunction((id) => (localStorage.getItem("olst-progress") ?? "").includes(id), last);
  const marked = await page.locator(`section[id^="exercise-${last}"] .cs-mark`).count();
  const axe = await violations(page);
  const workers = page.workers().length;
  await context.close();
  return { light, told, marked, axe, workers, errors: seen.errors, outside: seen.elsewhere };
}

await main(async (browser) => ({
  reading: await reading(browser), forgetful: await forgetful(browser), answering: await answering(browser),
}));
