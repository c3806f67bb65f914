// The frame around the text: contents on a phone, the colour switch, the search, the length of lines, the focus.
import { main, open, options, overflow } from "../browser/lib.mjs";

const CHAPTER = `${options.base}book/01-why-orchestrate.html`;
const shown = (page, selector) => page.locator(selector).isVisible();
const focused = (page) => page.evaluate(() => document.activeElement.getAttribute("popovertarget") || document.activeElement.className);

async function phone(browser, javaScriptEnabled) {
  const { context, page, seen } = await open(browser, CHAPTER, { width: 320, javaScriptEnabled });
  const nav = "#cs-nav";
  const before = await shown(page, nav);
  await page.locator("[popovertarget=cs-nav]").focus();
  await page.keyboard.press("Enter");
  const opened = await shown(page, nav);
  await page.keyboard.press("Tab");
  const inside = javaScriptEnabled && await page.evaluate(() => document.activeElement.closest("#cs-nav") !== null);
  await page.keyboard.press("Escape");
  const closed = !await shown(page, nav);
  const result = { before, opened, inside, closed, back: javaScriptEnabled && await focused(page), errors: seen.errors,
    overflow: javaScriptEnabled ? await overflow(page) : 0, colours: await shown(page, ".cs-theme"), search: await shown(page, ".cs-search") };
  await seen.settle();
  await context.close();
  return result;
}

async function desk(browser) {
  const { context, page, seen } = await open(browser, CHAPTER, { width: 1440 });
  await page.keyboard.press("Tab");
  const skip = await page.evaluate(() => {
    const { top, height } = document.activeElement.getBoundingClientRect();
    return { text: document.activeElement.innerText, top, height, target: document.activeElement.getAttribute("href") };
  });
  await page.keyboard.press("Tab");
  const outline = await page.evaluate(() => parseFloat(getComputedStyle(document.activeElement).outlineWidth));
  const lines = await page.evaluate(() => [...document.querySelectorAll("article section > p")].map((paragraph) => {
    const height = parseFloat(getComputedStyle(paragraph).lineHeight);
    return { characters: paragraph.innerText.length, lines: Math.round(paragraph.getBoundingClientRect().height / height) };
  }).filter((paragraph) => paragraph.lines > 3));
  const here = () => page.locator("#cs-toc a[aria-current]").allInnerTexts();
  await page.evaluate(() => document.querySelectorAll("article h2")[2].scrollIntoView());
  await page.waitForFunction(() => {
    const wanted = document.querySelectorAll("article h2")[2].closest("section").id;
    return document.querySelector("#cs-toc a[aria-current]")?.hash === `#${wanted}`;
  }).catch(() => { /* the test tells what was marked instead */ });
  const third = await here();
  const last = page.locator("#cs-toc a").last();
  await last.click();
  await page.waitForFunction((text) => document.querySelector("#cs-toc a[aria-current]")?.innerText === text, await last.innerText())
    .catch(() => { /* the test tells what was marked instead */ });
  const result = { skip, outline, lines, third, heading: await page.locator("article h2").nth(2).innerText(), nav: await shown(page, "#cs-nav"), toc: await shown(page, "#cs-toc"), here: await here(), last: await last.innerText() };
  result.errors = seen.errors;
  await seen.settle();
  await context.close();
  return result;
}

async function colours(browser) {
  const { context, page, seen: log } = await open(browser, CHAPTER, { scheme: "light" });
  const now = () => page.evaluate(() => [document.documentElement.dataset.mode, document.documentElement.dataset.theme]);
  const seen = [await now()];
  for (let i = 0; i < 2; i += 1) {
    await page.click(".cs-theme");
    seen.push(await now());
  }
  await page.reload();
  const kept = await now();
  const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await log.settle();
  await context.close();
  return { seen, kept, background };
}

async function search(browser) {
  const { context, page, seen } = await open(browser, CHAPTER, { width: 1440 });
  await page.fill(".cs-search input", "backfill");
  await page.press(".cs-search input", "Enter");
  await page.waitForSelector("#cs-results[data-term]");
  const links = await page.locator(".cs-found > li > a").evaluateAll((found) => found.map((link) => link.href));
  await page.locator(".cs-found > li > a").first().click();
  const title = await page.locator("h1").innerText();
  await seen.settle();
  await context.close();
  return { links, title, errors: seen.errors };
}

await main(async (browser) => ({
  phone: await phone(browser, true), plain: await phone(browser, false), desk: await desk(browser), colours: await colours(browser),
  search: await search(browser),
}));
