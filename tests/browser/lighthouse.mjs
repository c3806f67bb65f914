// Lighthouse on some pages, as on a phone: the scores of three categories, what is wrong in each, and the layout shift.
import { createServer } from "node:net";
import lighthouse from "lighthouse";
import { chromium } from "playwright-core";

const options = JSON.parse(process.argv[2]);
const CATEGORIES = ["accessibility", "best-practices", "seo"];

const port = await new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => { const found = server.address().port; server.close(() => resolve(found)); });
});
const browser = await chromium.launch({
  executablePath: options.chromium,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", `--remote-debugging-port=${port}`],
});
const report = {};
try {
  for (const name of options.pages) {
    const { lhr } = await lighthouse(options.base + name, { port, logLevel: "error" }, {
      extends: "lighthouse:default",
      settings: { onlyCategories: CATEGORIES, onlyAudits: ["cumulative-layout-shift"], throttlingMethod: "provided", maxWaitForLoad: 120_000,
        disableFullPageScreenshot: true },
    });
    const failed = Object.values(lhr.audits).filter((audit) => audit.score !== null && audit.score < 1 && audit.scoreDisplayMode !== "informative");
    report[name] = {
      error: lhr.runtimeError?.message ?? "",
      scores: Object.fromEntries(CATEGORIES.map((key) => [key, Math.round(100 * lhr.categories[key].score)])),
      failed: failed.map((audit) => `${audit.id}: ${audit.title} ${JSON.stringify(audit.details?.items ?? "").slice(0, 400)}`),
      shift: lhr.audits["cumulative-layout-shift"].numericValue,
    };
  }
} finally {
  await browser.close();
}
process.stdout.write(`${JSON.stringify(report)}\n`);
