// Every page in light and dark and on a phone: nothing from elsewhere, no error, no axe violation, no sideways scrolling.

import { main, open, options, overflow, violations } from "./lib.mjs";

await main(async (browser) => {
  const report = {};
  for (const name of options.pages) {
    const { context, page, seen } = await open(browser, options.base + name);
    const light = await violations(page);
    await seen.settle();
    const bytes = { ...seen.bytes };
    await page.emulateMedia({ colorScheme: "dark" });
    await page.waitForFunction(() => !document.documentElement.dataset.theme || document.documentElement.dataset.theme === "dark");
    const theme = await page.evaluate(() => document.documentElement.dataset.theme);
    const dark = await violations(page);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.waitForTimeout(100);
    const phone = await violations(page);
    report[name] = {
      elsewhere: seen.elsewhere, errors: seen.errors, light, dark, phone, theme, overflow: await overflow(page),
      bytes: Object.values(bytes).reduce((sum, size) => sum + size, 0), addresses: Object.keys(bytes),
    };
    await context.close();
  }
  return report;
});
