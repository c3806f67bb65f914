// How long the start takes and a control move until the figure is drawn, and how many bytes travel before and after.

import { main, move, open, options, start } from "./lib.mjs";

const ID = "live-backfill";
const LOADS = ["0.7", "0.75", "0.8", "0.85"];
const total = (bytes) => Object.values(bytes).reduce((sum, size) => sum + size, 0);

await main(async (browser) => {
  const { context, page, seen } = await open(browser, options.base + options.page);
  await seen.settle();
  const before = total(seen.bytes);
  const begun = Date.now();
  await start(page, ID);
  const result = { start_ms: Date.now() - begun, moves: {} };
  await seen.settle();
  Object.assign(result, { bytes_before: before, bytes_after: total(seen.bytes) - before });
  for (const jobs of options.jobs) {
    await move(page, ID, "jobs", String(jobs));
    for (const load of LOADS) await move(page, ID, "load", load); // warm: engines compile what is used often
    result.moves[jobs] = [];
    for (let i = 0; i < options.repeats; i += 1) result.moves[jobs].push(await move(page, ID, "load", LOADS[i % LOADS.length]));
  }
  await context.close();
  return result;
});
