// A term of the glossary: by pointer, by keyboard, by touch, for a screen reader, and without a script.

import { main, open, options, violations } from "./lib.mjs";

const TIP = ".cs-tip";
const said = (page) => page.evaluate((tip) => {
  const found = document.querySelector(tip);
  return found?.matches(":popover-open") ? found.textContent : null;
}, TIP);
const rest = (page) => page.waitForTimeout(400); // longer than the explanation waits for a pointer on its way

async function pointer(page) {
  const link = page.locator("a.cs-term").first();
  await link.hover();
  const over = await said(page);
  const box = await page.locator(TIP).boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 8 });
  await rest(page);
  const inside = await said(page);
  const axe = await violations(page);
  await page.keyboard.press("Escape");
  const escaped = await said(page);
  await page.mouse.move(2, 2);
  await link.hover();
  await page.mouse.move(2, 2);
  await page.waitForFunction((tip) => !document.querySelector(tip)?.matches(":popover-open"), TIP).catch(() => null);
  return { over, inside, escaped, left: await said(page), axe };
}

async function keyboard(page) {
  const link = page.locator("a.cs-term").first();
  await link.focus();
  const focused = await said(page);
  const described = await link.evaluate((element) => document.getElementById(element.getAttribute("aria-describedby")).textContent);
  await page.keyboard.press("Escape");
  const escaped = await said(page);
  const kept = await link.evaluate((element) => document.activeElement === element);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Shift+Tab");
  const again = await said(page);
  await page.keyboard.press("Enter");
  await page.waitForURL(/glossary\.html#term-/);
  return { focused, described, escaped, kept, again };
}

/** Every explanation in view stays inside the window. */
async function edges(page, show) {
  const out = [];
  for (const link of await page.locator("a.cs-term").all()) {
    await link.scrollIntoViewIfNeeded();
    await show(link);
    const box = await page.locator(TIP).boundingBox();
    const { width, height } = page.viewportSize();
    if (!box || box.x < 0 || box.y < 0 || box.x + box.width > width || box.y + box.height > height) out.push(await link.textContent());
  }
  return out;
}

async function touch(browser) {
  const { context, page } = await open(browser, options.base + options.page, { width: 390, hasTouch: true, isMobile: true });
  const link = page.locator("a.cs-term").first();
  await link.tap();
  const first = await said(page);
  const stayed = page.url() === options.base + options.page;
  await page.touchscreen.tap(2, 200);
  const outside = await edges(page, (other) => other.tap());
  await page.touchscreen.tap(2, 200);
  await link.tap();
  await link.tap();
  await page.waitForURL(/glossary\.html#term-/);
  await context.close();
  return { first, stayed, outside };
}

async function silent(browser) {
  const { context, page } = await open(browser, options.base + options.page, { javaScriptEnabled: false });
  const visible = await page.locator(".cs-terms").isVisible();
  await page.locator("a.cs-term").first().click();
  await page.waitForURL(/glossary\.html#term-/);
  const there = await page.locator(":target").count();
  await context.close();
  return { visible, there };
}

await main(async (browser) => {
  const { context, page, seen } = await open(browser, options.base + options.page);
  const report = { pointer: await pointer(page), outside: await edges(page, (link) => link.focus()), keyboard: await keyboard(page) };
  await context.close();
  return { ...report, touch: await touch(browser), silent: await silent(browser), errors: seen.errors, elsewhere: seen.elsewhere };
});
