// The living cluster: paused at first, played and scrubbed by keyboard, still when the reader wants no motion.

import { main, open, options, text } from "./lib.mjs";

const counts = (page) => page.evaluate(() => ({
  clock: document.querySelector(".lc-clock").textContent,
  ...Object.fromEntries([...document.querySelectorAll("[data-count]")].map((e) => [e.dataset.count, Number(e.textContent)])),
  held: document.querySelectorAll(".lc-nodes rect:not(.lc-idle)").length,
  chips: document.querySelectorAll(".lc-queue li:not(.lc-more)").length,
  spoken: document.querySelector("#lc-time").getAttribute("aria-valuetext"),
  label: document.querySelector(".lc-nodes").getAttribute("aria-label"),
  button: document.querySelector(".lc-button").textContent,
}));

async function play(browser) {
  const { context, page, seen } = await open(browser, options.base + options.page);
  const first = await counts(page);
  await page.waitForTimeout(400);
  const later = await counts(page);
  await page.focus(".lc-button");
  await page.keyboard.press("Enter");
  await page.waitForFunction((clock) => document.querySelector(".lc-clock").textContent !== clock, first.clock);
  const playing = await counts(page);
  await page.keyboard.press("Enter");
  const paused = await counts(page);
  await page.waitForTimeout(300);
  const still = await counts(page);
  await page.focus("#lc-time");
  await page.keyboard.press("Home");
  const home = await counts(page);
  await page.keyboard.press("ArrowRight");
  const step = await counts(page);
  const moments = [];
  for (const button of await page.locator(".lc-moment").all()) {
    await button.click();
    moments.push({ pressed: await button.textContent(), ...(await counts(page)), said: await text(page, ".lc-said") });
  }
  const hours = await page.evaluate(() => {
    const input = document.querySelector("#lc-time");
    return [...document.querySelectorAll(".lc-table tbody tr")].map((row) => {
      const [clock, ...cells] = [...row.cells].map((cell) => cell.textContent);
      input.value = 3600 * Number(clock.slice(0, 2));
      input.dispatchEvent(new Event("input", { bubbles: true }));
      const now = ["running", "waiting", "busy"].map((name) => document.querySelector(`[data-count=${name}]`).textContent);
      return { table: [clock, ...cells], player: [document.querySelector(".lc-clock").textContent, ...now] };
    });
  });
  const sizes = await page.locator(".lc-player :is(button, input, select):visible")
    .evaluateAll((all) => all.map((e) => e.getBoundingClientRect().height));
  await context.close();
  return { first, later, playing, paused, still, home, step, moments, hours, sizes, errors: seen.errors };
}

async function calm(browser) {
  const { context, page } = await open(browser, options.base + options.page, { reducedMotion: "reduce" });
  const first = await counts(page);
  await page.click(".lc-button");
  const next = await counts(page);
  await page.waitForTimeout(300);
  const later = await counts(page);
  const speed = await page.locator("#lc-speed").isVisible();
  await context.close();
  return { first, next, later, speed };
}

await main(async (browser) => ({ play: await play(browser), calm: await calm(browser) }));
