// A script that somebody slips into a page does not run, whichever way it comes: the browser reports each as refused.

import { main, open, options } from "./lib.mjs";

const INTO = `
  <script>window.slipped = "inline";</script>
  <img src="no-such-picture" alt="" onerror="window.slipped = 'handler'">
  <script src="data:text/javascript,window.slipped='data'"></script>
  <a id="slip" href="javascript:window.slipped='link'">x</a>`;
const COUNT = `window.refused = [];
  document.addEventListener("securitypolicyviolation", (event) => window.refused.push(event.effectiveDirective + " " + event.blockedURI));`;
const PATIENCE_MS = 30_000;

await main(async (browser) => {
  const { context, page } = await open(browser, "", { script: COUNT });
  await page.route(options.base + options.page, async (route) => {
    const answer = await route.fetch();
    const body = (await answer.text()).replace("</main>", `${INTO}</main>`);
    await route.fulfill({ response: answer, body });
  });
  await page.goto(options.base + options.page);
  await page.evaluate(() => {
    document.querySelector("#slip").click();
    const script = document.createElement("script");
    script.textContent = "window.slipped = 'made'";
    document.body.append(script);
    // page.evaluate itself is exempt from the policy; a timer of the page is not
    setTimeout("window.slipped = 'eval'", 0);
  });
  await page.waitForFunction((many) => window.refused.length >= many, options.ways, { timeout: PATIENCE_MS }).catch(() => null);
  const found = await page.evaluate(() => ({
    there: document.querySelector("#slip") !== null, ran: window.slipped ?? null, refused: window.refused.sort(),
  }));
  await context.close();
  return found;
});
