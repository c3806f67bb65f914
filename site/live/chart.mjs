// One picture of a live figure: embeds once, then only exchanges rows.

const ERRORS = 1; // Vega's log level: errors only

const refuse = {
  load: () => Promise.reject(new Error("figures load nothing")),
  sanitize: () => Promise.reject(new Error("figures link nowhere")),
};

const looks = new CSSStyleSheet();
looks.replaceSync("svg { display: block; max-width: 100%; height: auto; }"); // paper may be narrower than the screen

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
    place.className = "cs-chart cs-coming"; // laid out but unseen until it is drawn, so that the page does not jump
    // A shadow root keeps the marks out of sight of scripts that watch the page and look at each mark that changes: the
    // theme's stock icon script took 1.2 s over 1,000 jobs.
    const inside = document.createElement("div");
    const root = place.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [looks];
    root.append(inside);
    this.box.append(place);
    let result;
    try {
      result = await this.vegaEmbed(inside, spec, {
        mode: "vega-lite", logLevel: ERRORS, actions: false, ast: true, defaultStyle: false, renderer: "svg", loader: refuse,
        tooltip: { disableDefaultStyle: true },
      });
    } catch (error) {
      place.remove();
      throw error;
    }
    this.finalize?.();
    for (const old of [...this.box.children]) if (old !== place) old.remove();
    place.classList.remove("cs-coming");
    inside.querySelector("svg").setAttribute("aria-hidden", "true");
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
