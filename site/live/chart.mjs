// One picture of a live figure: embeds once, then only exchanges rows.

const ERRORS = 1; // Vega's log level: errors only

const refuse = {
  load: () => Promise.reject(new Error("figures load nothing")),
  sanitize: () => Promise.reject(new Error("figures link nowhere")),
};

export class Chart {
  /** `box` is the element with role=img that holds the printed picture; it goes when the first live one is drawn. */
  constructor(box, vegaEmbed) {
    this.box = box;
    this.vegaEmbed = vegaEmbed;
    this.width = 0;
  }

  /** Draw `figure`; resolves when it is on the page. */
  async draw(figure) {
    const width = this.#space();
    const key = JSON.stringify(figure.spec);
    if (this.view && key === this.key) await this.#change(figure, width);
    else await this.#embed(figure, width, key);
    this.box.setAttribute("aria-label", figure.alt);
  }

  #space() {
    return Math.max(200, Math.floor(this.box.clientWidth));
  }

  async #change(figure, width) {
    for (const [name, rows] of Object.entries(figure.data)) {
      this.view.data(name, rows); // view.change with a set that removes all rows and inserts these; the bundle exports no other
    }
    if (width !== this.width) this.view.width(width);
    this.width = width;
    await this.view.resize().runAsync();
  }

  async #embed(figure, width, key) {
    // The printed picture is fitted in the same way: site/ext/pictures.py.
    const config = { ...figure.spec.config, aria: false };
    const spec = { ...figure.spec, width, autosize: { type: "fit-x", contains: "padding" }, config, datasets: figure.data };
    const place = document.createElement("div");
    place.className = "cs-chart";
    this.box.append(place);
    // A shadow root keeps the marks out of sight of the theme's icon script, which searches the page anew for each mark
    // that changes: 1,000 jobs took 1.2 s that way.
    const inside = document.createElement("div");
    place.attachShadow({ mode: "open" }).append(inside);
    const result = await this.vegaEmbed(inside, spec, {
      mode: "vega-lite", logLevel: ERRORS, actions: false, ast: true, defaultStyle: false, renderer: "svg", loader: refuse, tooltip: { disableDefaultStyle: true },
    });
    this.finalize?.();
    for (const old of [...this.box.children]) if (old !== place) old.remove();
    inside.querySelector("svg")?.setAttribute("aria-hidden", "true");
    [this.view, this.finalize, this.key, this.width] = [result.view, result.finalize, key, width];
    this.#watch();
  }

  /** Follow the column's width, without touching the rows. */
  #watch() {
    if (this.watcher) return;
    this.watcher = new ResizeObserver(() => {
      const width = this.#space();
      if (!this.view || width === this.width) return;
      this.width = width;
      this.view.width(width).resize().runAsync();
    });
    this.watcher.observe(this.box);
  }
}
