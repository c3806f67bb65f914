// What all browser checks share: a Chromium that can reach this machine only, pages that record what goes wrong, and the
// answer as one line of JSON.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const PATIENCE_MS = 120_000; // two shared cores: a cold start of Python can take a while

/** The options given by Python as one JSON argument. */
export const options = JSON.parse(process.argv[2]);

/** Run `check(browser)` and print what it gives. */
export async function main(check) {
  const browser = await chromium.launch({
    executablePath: options.chromium,
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ],
  });
  try {
    process.stdout.write(`${JSON.stringify(await check(browser))}\n`);
  } finally {
    await browser.close();
  }
}

/** A page in a context of its own. `seen` collects requests elsewhere, errors, and bytes by address. */
export async function open(browser, address, { scheme = "light", width = 1280, script = "", ...rest } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, ...rest });
  context.setDefaultTimeout(PATIENCE_MS);
  if (script) await context.addInitScript(script);
  const page = await context.newPage();
  const seen = { elsewhere: [], errors: [], bytes: {} };
  const origin = new URL(options.base).origin;
  context.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== origin) seen.elsewhere.push(request.url());
  });
  const sizes = [];
  context.on("requestfinished", (request) => {
    if (!request.url().startsWith(origin)) return;
    sizes.push((async () => {
      const size = await request.sizes().catch(() => null); // none where its page was closed meanwhile
      if (size) seen.bytes[request.url()] = size.responseBodySize + size.responseHeadersSize;
    })());
  });
  page.on("console", (message) => { if (message.type() === "error") seen.errors.push(message.text()); });
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  seen.settle = async () => { await Promise.all(sizes); };
  if (address) await page.goto(address, { waitUntil: "networkidle" });
  return { context, page, seen };
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Axe's violations on the page as it is now, as `rule: element` lines; `extra` is put into the options of the run. */
export async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"],
  }));
  return found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")} (${rule.help})`));
}

/** Give the window another size, and wait until the page has been laid out and painted in it. */
export async function resize(page, width, height = 900) {
  await page.setViewportSize({ width, height });
  await page.waitForFunction((wanted) => window.innerWidth === wanted, width);
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

/** By how many pixels the page is wider than the window. */
export function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Press Start of the live figure with this id and wait until it is live (or has failed). */
export async function start(page, id) {
  await page.click(`#${id} .lv-start`);
  return state(page, id, ["live", "failed"]);
}

/** Wait until the figure is in one of `states`; which one it is. */
export async function state(page, id, states) {
  const element = page.locator(`#${id} live-experiment`);
  await page.waitForFunction(([which, wanted]) => {
    const found = document.querySelector(`#${which} live-experiment`).dataset.state;
    return wanted.includes(found);
  }, [id, states], { timeout: PATIENCE_MS });
  return element.getAttribute("data-state");
}

/** Set a control as a reader would and wait for the answer on the page: `{move, python, total}` in ms. */
export function move(page, id, name, value) {
  return page.evaluate(([which, control, wanted]) => new Promise((resolve) => {
    const element = document.querySelector(`#${which} live-experiment`);
    element.addEventListener("live-drawn", (event) => requestAnimationFrame(() => resolve(event.detail)), { once: true });
    const input = element.querySelector(`[name="${control}"]`);
    input.value = wanted;
    input.dispatchEvent(new Event(input.tagName === "SELECT" ? "change" : "input", { bubbles: true }));
  }), [id, name, value]);
}

export const text = (page, selector) => page.locator(selector).textContent();
