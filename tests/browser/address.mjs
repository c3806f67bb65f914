// The page's own check of values in an address, without a browser: `parseValue` for each control and text.

import { parseValue, readAddress, writeAddress } from "../../site/live/address.mjs";

const { experiments, texts } = JSON.parse(process.argv[2]);
const values = {};
const round = {};
for (const { id, controls } of experiments) {
  values[id] = Object.fromEntries(controls.map((control) => [
    control.name, texts[id][control.name].map((text) => parseValue(control, text) ?? null),
  ]));
  const setting = Object.fromEntries(controls.map((control) => [control.name, values[id][control.name].find((value) => value !== null)]));
  const address = writeAddress(id, controls, setting, "http://127.0.0.1/book/page.html?keep=1#place");
  const back = readAddress(id, controls, new URL(address).search);
  round[id] = { setting, address, back: { ...Object.fromEntries(controls.map((c) => [c.name, c.default])), ...back.settings }, ignored: back.ignored };
}
process.stdout.write(`${JSON.stringify({ values, round })}\n`);
