// One PDF of the whole built site: `node print_book.mjs '{"address", "chromium", "out", "words", "numbers"}'`; prints JSON.
import { chromium } from "playwright-core";
import { cut, headings, join, pictures } from "./join_pages.mjs";

const options = JSON.parse(process.argv[2]);
const MM = 96 / 25.4; // px
const SHEET = { width: 210, height: 297, side: 20, top: 18, bottom: 20 }; // mm, A4; the margins are those of @page below
const inner = {
  width: Math.floor((SHEET.width - 2 * SHEET.side) * MM), height: Math.floor((SHEET.height - SHEET.top - SHEET.bottom) * MM),
};
const PAGE = `
  @page { size: ${SHEET.width}mm ${SHEET.height}mm; margin: ${SHEET.top}mm ${SHEET.side}mm ${SHEET.bottom}mm;
    @bottom-center { content: counter(page); font: 9pt system-ui, sans-serif; color: #444; } }
  @page :first { @bottom-center { content: none; } }`;

const browser = await chromium.launch({
  executablePath: options.chromium,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
});
try {
  const page = await browser.newPage({ viewport: { width: inner.width, height: inner.height }, colorScheme: "light" });
  const errors = [];
  page.on("console", (message) => { if (message.type() === "error") errors.push(message.text()); });
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(options.address, { waitUntil: "networkidle" });
  await page.emulateMedia({ media: "print", colorScheme: "light" });
  const made = await page.evaluate(join, { words: options.words, numbers: options.numbers });
  await page.addStyleTag({ content: PAGE });
  const report = { ...made, headings: await page.evaluate(headings), cut: await page.evaluate(cut, inner), pictures: await page.evaluate(pictures), errors };
  await page.pdf({ path: options.out, tagged: true, outline: true, preferCSSPageSize: true, printBackground: true });
  process.stdout.write(`${JSON.stringify(report)}\n`);
} finally {
  await browser.close();
}
