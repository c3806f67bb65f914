// Pictures of pages, to be looked at: each page at each width in each light, cut into strips that stand side by side.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { main, open, options } from "./lib.mjs";

const STRIP = 1500; // px of height in a strip
const GAP = 12;
const MOST = { 390: 8, 768: 5, 1440: 3 }; // strips in a picture, by width of the window

/** What the page looks like from top to bottom, as one image. */
async function whole(page, look, media) {
  await page.emulateMedia({ media, colorScheme: look === "dark" ? "dark" : "light" });
  await page.evaluate((grey) => { document.documentElement.style.filter = grey ? "grayscale(1)" : ""; }, look === "grey");
  await page.evaluate(() => document.querySelectorAll("img[loading=lazy]").forEach((image) => { image.loading = "eager"; }));
  await page.waitForFunction(() => [...document.images].every((image) => image.complete));
  return page.screenshot({ fullPage: true, animations: "disabled" });
}

/** The image cut into strips, side by side; as many pictures as it takes. */
async function cut(browser, image, width, file) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.setContent(`<body style="margin:0;background:#888"><img src="data:image/png;base64,${image.toString("base64")}"></body>`);
  const height = await page.evaluate(async () => {
    await document.images[0].decode();
    return document.images[0].naturalHeight;
  });
  const [strips, most] = [Math.ceil(height / STRIP), MOST[width] ?? 3];
  const files = [];
  for (let first = 0; first < strips; first += most) {
    const many = Math.min(most, strips - first);
    await page.setViewportSize({ width: many * (width + GAP), height: Math.min(STRIP, height) });
    await page.evaluate(([from, count, wide, high, gap]) => {
      const source = document.images[0].src;
      document.body.replaceChildren(...Array.from({ length: count }, (_, i) => {
        const strip = document.createElement("div");
        strip.style.cssText = `position:absolute;left:${i * (wide + gap)}px;width:${wide}px;height:${high}px;overflow:hidden`;
        const picture = Object.assign(new Image(), { src: source });
        picture.style.cssText = `position:absolute;top:${-(from + i) * high}px`;
        strip.append(picture);
        return strip;
      }));
      return Promise.all([...document.images].map((one) => one.decode()));
    }, [first, many, width, STRIP, GAP]);
    files.push(`${file}${strips > most ? `-${first / most + 1}` : ""}.png`);
    await page.screenshot({ path: files.at(-1) });
    await page.evaluate((source) => { document.body.innerHTML = `<img src="${source}">`; }, `data:image/png;base64,${image.toString("base64")}`);
  }
  await context.close();
  return files;
}

await main(async (browser) => {
  mkdirSync(options.out, { recursive: true });
  const files = [];
  for (const name of options.pages) {
    for (const width of options.widths) {
      const { context, page } = await open(browser, options.base + name, { width });
      for (const look of options.looks) {
        const image = await whole(page, look, look === "print" ? "print" : "screen");
        files.push(...(await cut(browser, image, width, join(options.out, `${name.replace(/\.html$/, "").replaceAll("/", "_")}-${width}-${look}`))));
      }
      await context.close();
    }
  }
  return { files };
});
