// A script that somebody slips into a page does not run, whichever way it comes.

import { main, open, options } from "./lib.mjs";

const INTO = `
  <script>window.slipped = "inline";</script>
  <img src="no-such-picture" alt="" onerror="window.slipped = 'handler'">
  <script src="data:text/javascript,window.slipped='data'"></script>
  <a id="slip" href="javascript:window.slipped='link'">x</a>`;

await main(async (browser) => {
  const { context, page, seen } = await open(browser, "");
  await page.route(options.base + options.page, async (route) => {
    const answer = await route.fetch();
    const body = (await answer.text()).replace("</main>", `${INTO}</main>`);
    await route.fulfill({ response: answer, body });
  });
  await page.goto(options.base + options.page, { waitUntil: "networkidle" });
  await page.evaluate(() => document.querySelector("#slip").click());
  const made = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.slipped = 'made'";
    document.body.append(script);
    return window.slipped ?? null;
  });
  const evaluated = await page.evaluate(() => new Promise((resolve) => {
    // page.evaluate itself is exempt from the policy; a timer of the page is not
    setTimeout("window.slipped = 'eval'", 0);
    setTimeout(() => resolve(window.slipped ?? null), 50);
  }));
  const there = await page.evaluate(() => document.querySelector("#slip") !== null);
  await context.close();
  return { made, evaluated, there, refused: seen.errors.length };
});
