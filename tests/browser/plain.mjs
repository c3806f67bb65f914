// Without JavaScript and on paper: picture, caption, summary and table, and nothing to press in vain.

import { main, open, options, overflow, start } from "./lib.mjs";

function shown(page) {
  return page.evaluate(() => [...document.querySelectorAll("figure.cs-live, figure.living-cluster")].map((figure) => {
    const seen = (element) => element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true })
      && element.getBoundingClientRect().height > 0;
    return {
      id: figure.id, pictures: [...figure.querySelectorAll("[role=img]")].filter(seen).length,
      caption: seen(figure.querySelector("figcaption")), table: [...figure.querySelectorAll("table")].some(seen),
      controls: [...figure.querySelectorAll("button, input, select")].filter(seen).length,
      summary: seen(figure.querySelector(".lv-summary, .lc-status")),
    };
  }));
}

await main(async (browser) => {
  const report = {};
  for (const name of options.pages) {
    const silent = await open(browser, options.base + name, { javaScriptEnabled: false });
    for (const summary of await silent.page.locator("figure details > summary").all()) await summary.click();
    const withoutScript = { figures: await shown(silent.page), overflow: await overflow(silent.page) };
    await silent.context.close();
    const { context, page } = await open(browser, options.base + name, { scheme: "dark" });
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    const printed = await shown(page);
    const ink = await page.evaluate(() => getComputedStyle(document.querySelector("figure.cs-live, figure.living-cluster")).color);
    await page.emulateMedia({ media: "screen", colorScheme: "dark" });
    let live = null;
    if (options.start[name]) {
      await start(page, options.start[name]);
      await page.emulateMedia({ media: "print", colorScheme: "dark" });
      await page.setViewportSize({ width: 600, height: 800 });
      live = await shown(page);
    }
    report[name] = { withoutScript, printed, live, ink };
    await context.close();
  }
  return report;
});
