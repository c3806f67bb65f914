// Native, labelled controls made from the description of an experiment.

import { make } from "./words.mjs";

/** A value as a reader sees it: `200`, `0.85`, `3 h`, or the label of a choice. */
export function show(control, value, words) {
  if (control.kind === "choice") return control.options.find(([key]) => key === value)[1];
  if (control.kind === "toggle") return value ? words.yes : words.no;
  const text = value.toFixed(control.decimals);
  const unit = control.unit[value === 1 ? 0 : 1];
  return unit ? `${text}\u00a0${unit}` : text;
}

/** A slider's value in words, for `aria-valuetext`: `3 hours`. */
function speak(control, value) {
  const unit = control.spoken[value === 1 ? 0 : 1];
  return unit ? `${value.toFixed(control.decimals)} ${unit}` : value.toFixed(control.decimals);
}

/** One control: `{row, get, set}`; `changed()` is called at every move. */
function build(control, id, words, changed) {
  const about = control.help ? make("span", { class: "lv-help", id: `${id}-help` }, control.help) : undefined;
  const described = about && `${id}-help`;
  const label = make("label", { for: id }, control.label);
  if (control.kind === "choice") {
    const options = control.options.map(([value, text]) => make("option", { value }, text));
    const input = make("select", { id, name: control.name, "aria-describedby": described }, ...options);
    input.addEventListener("change", changed);
    const row = make("div", { class: "lv-control lv-choice" }, label, input, ...(about ? [about] : []));
    return { row, input, get: () => input.value, set: (value) => { input.value = value; } };
  }
  if (control.kind === "toggle") {
    const input = make("input", { type: "checkbox", id, name: control.name, "aria-describedby": described });
    input.addEventListener("change", changed);
    const row = make("div", { class: "lv-control lv-toggle" }, input, label, ...(about ? [about] : []));
    return { row, input, get: () => input.checked, set: (value) => { input.checked = value; } };
  }
  const input = make("input", {
    type: "range", id, name: control.name, min: control.low, max: control.high, step: control.step, "aria-describedby": described,
  });
  const output = make("output", { for: id, class: "lv-value" });
  const get = () => Number(Number(input.value).toFixed(control.decimals));
  const mirror = () => {
    output.value = show(control, get(), words);
    input.setAttribute("aria-valuetext", speak(control, get()));
  };
  input.addEventListener("input", () => { mirror(); changed(); });
  const head = make("div", { class: "lv-head" }, label, output);
  const row = make("div", { class: "lv-control lv-slider" }, head, input, ...(about ? [about] : []));
  return { row, input, get, set: (value) => { input.value = value; mirror(); } };
}

/** The form of an experiment: `{form, values, set, focus}`. */
export function buildControls(about, elementId, changed) {
  const parts = about.controls.map((control) => ({
    control, ...build(control, `${elementId}-${control.name}`, about.words, changed),
  }));
  const fieldset = make("fieldset", {}, make("legend", {}, about.words.controls), ...parts.map((part) => part.row));
  const form = make("form", { class: "lv-controls" }, fieldset);
  form.addEventListener("submit", (event) => event.preventDefault());
  return {
    form,
    values: () => Object.fromEntries(parts.map((part) => [part.control.name, part.get()])),
    set(values) { for (const part of parts) part.set(values[part.control.name]); },
    focus() { parts[0]?.input.focus(); },
  };
}

/** The default of every control. */
export function defaults(about) {
  return Object.fromEntries(about.controls.map((control) => [control.name, control.default]));
}
