// What people type on the search page of a language: what is found, what the page says, what goes wrong.
import { main, open, options, violations } from "./lib.mjs";

async function ask(page, folder, term) {
  await page.goto(`${options.base}${folder}search.html`);
  await page.fill(".cs-search-page input", term);
  await page.press(".cs-search-page input", "Enter");
  await page.waitForFunction((text) => document.querySelector("#cs-results")?.dataset.term === text, term);
  const list = (links) => links.map((link) => ({ href: link.getAttribute("href"), text: link.textContent }));
  const pages = await page.locator(".cs-found > li > a").evaluateAll(list);
  const places = await page.locator(".cs-found > li ul a").evaluateAll(list);
  const said = await page.locator("#cs-search-status").innerText();
  const heads = await page.locator("#cs-results h2").allInnerTexts();
  return { pages, places, said, heads };
}

await main(async (browser) => {
  const { context, page, seen } = await open(browser, undefined);
  const found = {};
  for (const [folder, term] of options.asked) found[`${folder}:${term}`] = await ask(page, folder, term);
  await page.locator(".cs-found > li > a").first().click();
  const first = { title: await page.locator("h1").innerText(), lang: await page.getAttribute("html", "lang") };
  await page.goBack();
  await page.waitForSelector("#cs-results[data-term]");
  const axe = await violations(page);
  await seen.settle();
  await context.close();
  const bytes = Object.values(seen.bytes).reduce((sum, size) => sum + size, 0);
  return { found, first, axe, bytes, errors: seen.errors, elsewhere: seen.elsewhere };
});
