// What scripts put before a reader: live figures after the start and after a move, answers checked in a page, a start that fails.
import { main, open, options, state } from "./lib.mjs";

/** Everything that a figure shows or tells a screen reader, its drawings included. */
const texts = (figure) => figure.evaluate((element) => [
  element.innerText, ...[...element.querySelectorAll("*")].flatMap((one) => ["aria-label", "aria-valuetext", "title", "placeholder"]
    .map((name) => one.getAttribute(name)).filter(Boolean)),
  ...[...element.querySelectorAll("option")].map((one) => one.textContent),
  ...[...element.querySelectorAll(".cs-chart")].flatMap((one) => [...(one.shadowRoot?.querySelectorAll("text") ?? [])].map((text) => text.textContent)),
]);

/** Each figure: started, and its first slider moved. */
async function figures(browser) {
  const { context, page, seen } = await open(browser, options.base + options.page);
  const found = {};
  for (const id of options.figures) {
    const figure = page.locator(`#live-${id} live-experiment`);
    await figure.locator(".lv-start").click();
    await state(page, `live-${id}`, ["live"]);
    const before = await figure.locator(".lv-summary").innerText();
    await figure.locator("input[type=range]").first().press("Home");
    await page.waitForFunction(([name, old]) => document.querySelector(`#live-${name} .lv-summary`).innerText !== old, [id, before]);
    found[id] = { before, after: await figure.locator(".lv-summary").innerText(), texts: await texts(figure) };
  }
  await seen.settle();
  await context.close();
  return { figures: found, errors: seen.errors };
}

/** Each exercise of a page: what is said to an answer that cannot be right. */
async function answers(browser) {
  const { context, page } = await open(browser, options.base + options.asks);
  const found = {};
  for (const form of await page.locator("form.cs-answer").all()) {
    const input = form.locator("input");
    if (await input.count()) await input.fill("-1");
    else await form.locator("select").selectOption({ index: 1 });
    await form.locator("button").click();
    await form.locator(".cs-answer-said").filter({ hasText: /./ }).waitFor();
    await form.and(page.locator('[data-verdict]:not([data-verdict="loading"])')).waitFor();
    found[await form.getAttribute("data-exercise")] = await form.innerText();
  }
  await context.close();
  return found;
}

/** A start that cannot reach what it needs. */
async function failure(browser) {
  const { context, page } = await open(browser, "");
  await page.route("**/*.wasm", (route) => route.abort());
  await page.goto(options.base + options.page);
  const [id] = options.figures;
  await page.click(`#live-${id} .lv-start`);
  await state(page, `live-${id}`, ["failed"]);
  const found = await texts(page.locator(`#live-${id} live-experiment`));
  await context.close();
  return found;
}

await main(async (browser) => ({ ...(await figures(browser)), answers: options.asks ? await answers(browser) : {}, failure: await failure(browser) }));
