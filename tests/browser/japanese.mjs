// The live figures of a Japanese page: what they show after the start and after a control was moved.
import { main, open, options } from "./lib.mjs";

await main(async (browser) => {
  const { context, page, seen } = await open(browser, options.base + options.page);
  const figures = {};
  for (const id of options.figures) {
    const figure = page.locator(`#live-${id} live-experiment`);
    await figure.locator(".lv-start").click();
    await page.waitForFunction((name) => document.querySelector(`#live-${name} live-experiment`).dataset.state === "live", id);
    const before = await figure.locator(".lv-summary").innerText();
    await figure.locator("input[type=range]").first().press("Home");
    await page.waitForFunction(([name, old]) => document.querySelector(`#live-${name} .lv-summary`).innerText !== old, [id, before]);
    const texts = await figure.evaluate((element) => [
      element.innerText, ...[...element.querySelectorAll("[aria-label]")].map((one) => one.getAttribute("aria-label")),
      ...[...element.querySelectorAll(".cs-chart")].flatMap((one) => [...(one.shadowRoot?.querySelectorAll("text") ?? [])].map((text) => text.textContent)),
    ]);
    figures[id] = { before, after: await figure.locator(".lv-summary").innerText(), texts };
  }
  await seen.settle();
  await context.close();
  return { figures, errors: seen.errors };
});
