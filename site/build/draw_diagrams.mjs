// Draw Mermaid diagrams as SVG in a headless Chromium: `node draw_diagrams.mjs OUT < {"key": "code", ...}`.
// Colours become CSS variables, so that dark mode and print follow the style sheet; every id begins with the key.
import { readFileSync, writeFileSync, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const out = process.argv[2];
const diagrams = JSON.parse(readFileSync(0, "utf8"));

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];
const executablePath = process.env.CHROMIUM || PLACES.find((place) => existsSync(place));
if (!executablePath) {
  console.error("Chromium is needed to draw diagrams: run `sudo apt-get install chromium`, then the same make command again.");
  process.exit(3);
}

// Colours that Mermaid is told to use, and the variable that each becomes.
const COLOURS = { "#e8eef4": "fill", "#37475a": "line", "#1d2733": "ink", "#fdfdfc": "paper", "#f7efdc": "note", "#dde3ea": "group" };
const theme = {
  primaryColor: "#e8eef4", primaryBorderColor: "#37475a", primaryTextColor: "#1d2733", lineColor: "#37475a", textColor: "#1d2733",
  secondaryColor: "#e8eef4", tertiaryColor: "#dde3ea", secondaryBorderColor: "#37475a", tertiaryBorderColor: "#37475a",
  secondaryTextColor: "#1d2733", tertiaryTextColor: "#1d2733", mainBkg: "#e8eef4", nodeBorder: "#37475a", clusterBkg: "#dde3ea",
  clusterBorder: "#37475a", edgeLabelBackground: "#fdfdfc", noteBkgColor: "#f7efdc", noteTextColor: "#1d2733",
  noteBorderColor: "#37475a", actorBkg: "#e8eef4", actorBorder: "#37475a", actorTextColor: "#1d2733", actorLineColor: "#37475a",
  signalColor: "#37475a", signalTextColor: "#1d2733", labelBoxBkgColor: "#e8eef4", labelBoxBorderColor: "#37475a",
  labelTextColor: "#1d2733", loopTextColor: "#1d2733", activationBkgColor: "#dde3ea", activationBorderColor: "#37475a",
  fontFamily: "system-ui, sans-serif", fontSize: "15px",
};

// The drawing without what only Mermaid's script uses, with two decimals, every id beginning with the diagram's. The
// decimals stay even where they are zeros: in "-.45.0001" a bare "-.45" would swallow the second number.
function own(svg, id) {
  const bare = svg.replace(/ (?:role|aria-[a-z]+|data-[a-z-]+)="[^"]*"/g, "");
  const short = bare.replace(/ (d|points|x|y|width|height|transform|viewBox)="([^"]*)"/g,
    (whole, name, value) => ` ${name}="${value.replace(/-?\d+\.\d{3,}(?:e-?\d+)?/g, (number) => (+number).toFixed(2))}"`);
  const names = new Set([...short.matchAll(/ id="([^"]*)"/g)].map((match) => match[1]).filter((name) => !name.startsWith(id)));
  return [...names].reduce((text, name) => text.replaceAll(` id="${name}"`, ` id="${id}-${name}"`)
    .replaceAll(`url(#${name})`, `url(#${id}-${name})`).replaceAll(`href="#${name}"`, `href="#${id}-${name}"`), short);
}

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const page = await browser.newPage();
await page.setContent("<!doctype html><meta charset=utf-8><body></body>");
await page.addScriptTag({ path: require.resolve("mermaid/dist/mermaid.min.js") });
await page.evaluate((themeVariables) => {
  const { mermaid } = window;
  mermaid.initialize({
    startOnLoad: false, theme: "base", themeVariables, htmlLabels: false, flowchart: { htmlLabels: false },
    deterministicIds: true, securityLevel: "strict",
  });
}, theme);

for (const [key, code] of Object.entries(diagrams)) {
  let svg = await page.evaluate(async ([id, text]) => (await window.mermaid.render(id, text)).svg, [`m${key}`, code]);
  for (const [colour, name] of Object.entries(COLOURS)) {
    svg = svg.replaceAll(new RegExp(`${colour}\\b`, "gi"), `var(--cs-diagram-${name}, ${colour})`);
  }
  svg = own(svg, `m${key}`).replace("<svg ", '<svg aria-hidden="true" focusable="false" ');
  writeFileSync(join(out, `${key}.svg`), `${svg}\n`);
  console.log(`drew ${key}.svg`);
}
await browser.close();
