// A live figure: the printed picture, summary and table, and on "Start" the same experiment in the reader's browser.

import { readAddress, writeAddress } from "./address.mjs";
import { Chart } from "./chart.mjs";
import { buildControls, defaults, show } from "./controls.mjs";
import { CannotStart, loadManifest, start } from "./runtime.mjs";
import { fill, make, settled } from "./words.mjs";

const STAGES = ["manifest", "runtime", "packages", "charts"];
const QUIET_MS = 500; // a setting that rests this long is announced and written into the address

class LiveExperiment extends HTMLElement {
  connectedCallback() {
    if (this.about) return;
    this.about = JSON.parse(this.querySelector("script[type='application/json']").textContent);
    this.words = this.about.words;
    this.key = this.dataset.key;
    this.bar = this.querySelector(".lv-bar");
    this.status = make("p", { class: "lv-said", role: "status" });
    this.append(this.status);
    this.move = 0; // counts the reader's moves; an answer to an older one is dropped
    this.linked = readAddress(this.key, this.about.controls, location.search);
    this.showStart();
  }

  say(text) {
    this.status.textContent = text;
  }

  // --- before the start

  showStart() {
    const shared = Object.keys(this.linked.settings).length > 0;
    const button = make("button", { type: "button", class: "lv-button lv-start" }, shared ? this.words.start_shared : this.words.start);
    const hint = make("p", { class: "lv-hint" }, this.words.start_hint_plain);
    button.addEventListener("click", () => this.begin(button, hint));
    this.bar.replaceChildren(...this.notices(false), make("div", { class: "lv-row" }, button, hint));
    loadManifest().then((plan) => {
      if (hint.isConnected && !button.hasAttribute("aria-disabled")) {
        hint.textContent = fill(this.words.start_hint, { mb: Math.ceil(plan.bytes_gzip / 1e6) });
      }
    }, () => {}); // the button will say it, if the reader wants to start
  }

  /** What the link's setting is, before the start; what of the link was not used, then and later. */
  notices(started) {
    const { settings, ignored } = this.linked;
    const list = this.about.controls.filter((control) => control.name in settings && !started)
      .map((control) => `${control.label}: ${show(control, settings[control.name], this.words)}`);
    const bad = ignored.map(({ name, value, control }) => (control
      ? fill(this.words.ignored_value, { label: control.label, value }) : fill(this.words.ignored_unknown, { name })));
    return [[this.words.shared, list], [this.words.ignored, bad]].filter(([, items]) => items.length)
      .map(([text, items]) => make("p", { class: "lv-notice" }, fill(text, { list: items.join("; ") })));
  }

  // --- the start

  async begin(button, hint) {
    if (button.hasAttribute("aria-disabled")) return;
    button.setAttribute("aria-disabled", "true");
    this.dataset.state = "loading";
    const report = (stage) => {
      const step = STAGES.indexOf(stage) + 1;
      hint.textContent = fill(this.words.loading, { step, steps: STAGES.length, what: this.words[`loading_${stage}`] });
      this.say(hint.textContent);
    };
    try {
      this.library = await start(report);
      hint.textContent = this.words.running;
      await this.come(document.activeElement === button);
    } catch (error) {
      this.fail(error);
    }
  }

  /** The first live picture, then the controls. */
  async come(focus) {
    const values = this.controls?.values() ?? { ...defaults(this.about), ...this.linked.settings };
    const { answer } = await this.library.ask(this.about.id, values);
    if (!answer.ok) throw new CannotStart("failed_python", { text: answer.error });
    this.controls = buildControls(this.about, `live-${this.key}`, () => this.moved());
    this.controls.set(values);
    await this.draw(answer);
    this.bar.replaceChildren(...this.notices(true), this.controls.form, this.tools());
    this.dataset.state = "live";
    this.say(`${this.words.ready} ${answer.summary}`);
    if (focus) this.controls.focus();
  }

  tools() {
    this.message = make("p", { class: "lv-message" });
    const reset = make("button", { type: "button", class: "lv-button lv-reset" }, this.words.reset);
    const copy = make("button", { type: "button", class: "lv-button lv-copy" }, this.words.copy);
    this.copied = make("span", { class: "lv-hint" });
    reset.addEventListener("click", () => {
      this.controls.set(defaults(this.about));
      this.moved();
    });
    copy.addEventListener("click", () => this.copy());
    return make("div", {}, make("div", { class: "lv-row" }, reset, copy, this.copied), this.message);
  }

  fail(error) {
    const { word, values } = error instanceof CannotStart ? error : { word: "failed_python", values: { text: String(error) } };
    const text = fill(this.words.failed, { why: fill(this.words[word], values) });
    const retry = make("button", { type: "button", class: "lv-button lv-retry" }, this.words.retry);
    const hint = make("p", { class: "lv-hint" });
    retry.addEventListener("click", () => this.begin(retry, hint));
    const hadFocus = this.bar.contains(document.activeElement);
    this.bar.replaceChildren(make("p", { class: "lv-message" }, text), make("div", { class: "lv-row" }, retry, hint));
    this.dataset.state = "failed";
    this.say(text);
    if (hadFocus) retry.focus();
  }

  // --- a control moves

  moved() {
    this.move += 1;
    this.begun = performance.now();
    this.dataset.state = "busy";
    if (!this.asking) this.ask();
  }

  /** Ask until the answer is to the newest move; at most one question of this figure is under way. */
  async ask() {
    this.asking = true;
    try {
      for (;;) {
        const move = this.move;
        const { answer, ms } = await this.library.ask(this.about.id, this.controls.values());
        if (move !== this.move) continue; // the reader has moved on: the answer is stale
        if (answer.ok) await this.draw(answer);
        this.message.textContent = answer.ok ? "" : answer.error;
        if (move !== this.move) continue;
        this.report(move, ms);
        this.settle(answer.ok ? answer.summary : answer.error);
        return;
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.asking = false;
    }
  }

  report(move, python) {
    this.dataset.state = "live";
    const total = performance.now() - this.begun;
    this.dispatchEvent(new CustomEvent("live-drawn", { bubbles: true, detail: { move, python, total } }));
  }

  settle = settled((text) => {
    if (this.dataset.state !== "live") return;
    this.say(text);
    history.replaceState(history.state, "", writeAddress(this.key, this.about.controls, this.controls.values(), location.href));
  }, QUIET_MS);

  async copy() {
    const address = new URL(writeAddress(this.key, this.about.controls, this.controls.values(), location.href));
    address.hash = this.closest("figure").id;
    try {
      await navigator.clipboard.writeText(address.href);
      this.copied.textContent = this.words.copied;
      this.say(this.words.copied);
    } catch { // no clipboard on plain http, or not allowed
      const field = make("input", { type: "text", readonly: true, "aria-label": this.words.copy_by_hand, value: address.href });
      this.copied.replaceChildren(field);
      field.select();
    }
  }

  // --- drawing

  async draw({ figures, summary, table }) {
    this.charts ??= new Map();
    for (const figure of figures) {
      if (!this.charts.has(figure.name)) {
        const box = this.querySelector(`[data-figure="${CSS.escape(figure.name)}"] .cs-picture`);
        this.charts.set(figure.name, new Chart(box, this.library.vegaEmbed));
      }
    }
    await Promise.all(figures.map((figure) => this.charts.get(figure.name).draw(figure)));
    for (const figure of figures) {
      this.querySelector(`[data-figure="${CSS.escape(figure.name)}"] .cs-title`).textContent = figure.title;
    }
    this.querySelector(".lv-summary").textContent = summary;
    this.drawTable(table);
  }

  drawTable({ caption, columns, rows }) {
    const table = this.querySelector(".lv-table table");
    table.caption.textContent = caption;
    table.tHead.replaceChildren(make("tr", {}, ...columns.map((text) => make("th", { scope: "col" }, text))));
    table.tBodies[0].replaceChildren(...rows.map((row) => make("tr", {}, ...row.map((text) => make("td", {}, text)))));
  }
}

customElements.define("live-experiment", LiveExperiment);
