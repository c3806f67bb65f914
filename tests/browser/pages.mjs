// Every page in light and dark and on a phone: nothing from elsewhere, no error, no axe violation, no sideways scrolling;
// and a script that somebody slips in does not run. Two pages at a time, because a page waits more than it works.

import { main, open, options, overflow, resize, violations } from "./lib.mjs";

const AT_ONCE = 2;
const OUTSIDE = "http://127.0.0.1:9/slipped.js"; // nobody listens there; the policy must refuse it before anybody is asked

/** Which ways of slipping a script in were refused by the policy, and whether any of them ran. */
function slip([outside, ways]) {
  return (async () => {
    const refused = new Set();
    document.addEventListener("securitypolicyviolation", (event) => refused.add(`${event.effectiveDirective} ${event.blockedURI}`));
    const add = (tag, values) => {
      const element = Object.assign(document.createElement(tag), values);
      document.body.append(element);
      return element;
    };
    add("script", { textContent: "window.slipped = 'inline'" });
    add("button", { type: "button" }).setAttribute("onclick", "window.slipped = 'handler'");
    document.body.lastElementChild.click();
    add("script", { src: outside });
    add("script", { src: "data:text/javascript,window.slipped='data'" });
    for (let tries = 0; tries < 200 && !ways.every((way) => refused.has(way)); tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return { ran: window.slipped ?? null, refused: [...refused].sort() };
  })();
}

async function look(browser, name) {
  const { context, page, seen } = await open(browser, options.base + name);
  const light = await violations(page);
  await seen.settle();
  const bytes = { ...seen.bytes };
  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForFunction(() => !document.documentElement.dataset.theme || document.documentElement.dataset.theme === "dark");
  const theme = await page.evaluate(() => document.documentElement.dataset.theme);
  const dark = await violations(page);
  await resize(page, 390, 844);
  const phone = await violations(page);
  const wider = await overflow(page);
  const [elsewhere, errors] = [[...seen.elsewhere], [...seen.errors]]; // before the slips, which are errors
  const slipped = await page.evaluate(slip, [OUTSIDE, options.ways]);
  await context.close();
  return {
    elsewhere, errors, light, dark, phone, theme, overflow: wider, slipped,
    bytes: Object.values(bytes).reduce((sum, size) => sum + size, 0), addresses: Object.keys(bytes),
  };
}

await main(async (browser) => {
  const report = {};
  const waiting = [...options.pages];
  const worker = async () => {
    for (let name = waiting.shift(); name; name = waiting.shift()) report[name] = await look(browser, name);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return report;
});
