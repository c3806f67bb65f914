// The setting in the address: ?live.KEY.control=value. Declared controls only, each checked before use.

const prefix = (key) => `live.${key}.`;

/** The value that `text` means for `control`, or undefined if it cannot be one. Steps are snapped as Python does. */
export function parseValue(control, text) {
  if (control.kind === "choice") return control.options.some(([value]) => value === text) ? text : undefined;
  if (control.kind === "toggle") return { true: true, 1: true, false: false, 0: false }[text];
  if (!/^-?\d{1,9}(\.\d{1,9})?$/.test(text)) return undefined;
  const number = Number(text);
  if (number < control.low || number > control.high) return undefined;
  const steps = Math.round((number - control.low) / control.step);
  return Number(Math.min(control.low + steps * control.step, control.high).toFixed(control.decimals));
}

/** `{settings, ignored}` of one figure: checked values by control name, and `{name, value, control}` of what was not used. */
export function readAddress(key, controls, search) {
  const settings = {};
  const ignored = [];
  for (const [name, text] of new URLSearchParams(search)) {
    if (!name.startsWith(prefix(key))) continue;
    const short = name.slice(prefix(key).length);
    const control = controls.find((one) => one.name === short);
    const value = control && parseValue(control, text);
    if (value === undefined) ignored.push({ name: short.slice(0, 40), value: text.slice(0, 40), control });
    else settings[short] = value;
  }
  return { settings, ignored };
}

/** `address` with the values of this figure that differ from the defaults; everything else of it stays. */
export function writeAddress(key, controls, values, address) {
  const url = new URL(address);
  for (const name of [...url.searchParams.keys()]) if (name.startsWith(prefix(key))) url.searchParams.delete(name);
  for (const control of controls) {
    if (values[control.name] !== control.default) url.searchParams.set(prefix(key) + control.name, String(values[control.name]));
  }
  return url.href;
}
