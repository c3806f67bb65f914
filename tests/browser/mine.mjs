// The calculator: opened by an address with settings, moved, and its new address opened by somebody else.

import { main, move, open, options, start, text } from "./lib.mjs";

const ID = "live-mine";
const summary = `#${ID} .lv-summary`;

await main(async (browser) => {
  const { context, page, seen } = await open(browser, `${options.base}${options.page}?${options.query}`);
  await start(page, ID);
  const opened = await text(page, summary);
  const moves = [];
  for (const gpus of options.gpus) moves.push(await move(page, ID, "gpus", gpus));
  await page.waitForFunction((wanted) => location.search.includes(wanted), `gpus=${options.gpus.at(-1)}`);
  const result = { opened, moves, moved: await text(page, summary), address: page.url() };
  await context.close();
  const other = await open(browser, result.address);
  await start(other.page, ID);
  result.shared = await text(other.page, summary);
  await other.context.close();
  return { ...result, errors: [...seen.errors, ...other.seen.errors], elsewhere: [...seen.elsewhere, ...other.seen.elsewhere] };
});
