// Python made slow on purpose: many moves, few questions, and only the answer to the last move is drawn.

import { main, open, options, start, state, text } from "./lib.mjs";

const ID = "live-backfill";
const SLOW_MS = 300;
const SLOW = `{
  const Real = Worker;
  window.asked = [];
  window.Worker = class extends Real {
    postMessage(data) { if (data.kind === "run") window.asked.push(data.settings.jobs); super.postMessage(data); }
    set onmessage(handler) { super.onmessage = (event) => setTimeout(() => handler(event), event.data.kind === "answer" ? ${SLOW_MS} : 0); }
  };
}`;

await main(async (browser) => {
  const { context, page, seen } = await open(browser, options.base + options.page, { script: SLOW });
  await start(page, ID);
  const result = await page.evaluate(async ([id, values]) => {
    const element = document.querySelector(`#${id} live-experiment`);
    const summary = element.querySelector(".lv-summary");
    const shown = [];
    new MutationObserver(() => shown.push(summary.textContent)).observe(summary, { childList: true, characterData: true, subtree: true });
    const drawn = [];
    element.addEventListener("live-drawn", (event) => drawn.push(event.detail.move));
    window.asked.length = 0;
    const input = element.querySelector("[name=jobs]");
    for (const value of values) {
      input.value = value;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    while (element.dataset.state === "busy") await new Promise((resolve) => setTimeout(resolve, 50));
    return { shown, drawn, asked: [...window.asked], summary: summary.textContent };
  }, [ID, options.values]);
  await state(page, ID, ["live"]);
  await page.waitForFunction(([selector, wanted]) => document.querySelector(selector).textContent === wanted,
    [`#${ID} .lv-said`, result.summary]);
  result.said = await text(page, `#${ID} .lv-said`);
  result.errors = seen.errors;
  await context.close();
  return result;
});
