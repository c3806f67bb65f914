// The figure of slurm_figure.py in the page: Python in a worker like the book's own, its answer parsed and drawn by the book's
// charts. After a round to warm up, each workload file of `questions` is asked `rounds` times. Gives the milliseconds of each
// part of each move, and of the processor that a move took on average in the worker and in the page.

import { readFileSync, readdirSync } from "node:fs";

import { main, open, options } from "../../tests/browser/lib.mjs";

const TICK_MS = 10; // Linux counts the time of a thread in hundredths of a second

/** What runs in the worker: the runtime of the manifest, our wheels, and the figure's Python. */
function worker() {
  let python;
  self.onmessage = async ({ data }) => {
    if (data.home) {
      const { loadPyodide } = await import(`${data.home}${data.plan.pyodide}pyodide.mjs`);
      python = await loadPyodide({ indexURL: data.home + data.plan.pyodide });
      for (const name of data.plan.wheels) python.unpackArchive(await (await fetch(data.home + name)).arrayBuffer(), "wheel");
      python.runPython(data.source);
      python = python.globals.get("answer");
      self.postMessage("ready");
    } else {
      self.postMessage(python(data.question));
    }
  };
}

/** In the page: start Python and the charts, and leave `window.ask`, which answers and draws every question once. */
async function prepare({ home, source, questions, body }) {
  const plan = await (await fetch(`${home}manifest.json`)).json();
  await import(home + plan.vega);
  const { Chart } = await import(`${home}chart.mjs`);
  const thread = new Worker(URL.createObjectURL(new Blob([`(${body})()`], { type: "text/javascript" })), { type: "module" });
  const heard = (message) => new Promise((resolve, reject) => {
    thread.onmessage = ({ data }) => resolve(data);
    thread.onerror = (event) => reject(new Error(event.message));
    thread.postMessage(message);
  });
  await heard({ home, plan, source });
  const charts = [0, 1].map(() => new Chart(document.querySelector("article").appendChild(document.createElement("div")), window.vegaEmbed));
  window.ask = async () => {
    const moves = [];
    for (const question of questions) {
      const begun = performance.now();
      const text = await heard({ question });
      const asked = performance.now();
      const { took, answer } = JSON.parse(text);
      const { figures } = JSON.parse(answer);
      const parsed = performance.now();
      await Promise.all(figures.map((figure, i) => charts[i].draw(figure)));
      await new Promise((resolve) => { requestAnimationFrame(resolve); });
      const drawn = performance.now();
      const parts = Object.values(took).reduce((sum, part) => sum + part, 0);
      moves.push({ ...took, "to and fro": asked - begun - parts, parse: parsed - asked, draw: drawn - parsed, total: drawn - begun });
    }
    return moves;
  };
}

const lines = (path) => { try { return readFileSync(path, "utf8"); } catch { return ""; } };

/** Milliseconds of the processor that workers and pages of this program's browser have had; zeros where there is no /proc. */
function processor() {
  const parent = (pid) => Number(/^PPid:\s*(\d+)/m.exec(lines(`/proc/${pid}/status`))?.[1] ?? 0);
  const ours = (pid) => pid === process.pid || (pid > 1 && ours(parent(pid)));
  const spent = { worker: 0, page: 0 };
  let pids = [];
  try { pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name)); } catch { /* not Linux */ }
  for (const pid of pids.filter((name) => lines(`/proc/${name}/cmdline`).includes("--type=renderer") && ours(Number(name)))) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const [name, rest] = lines(`/proc/${pid}/task/${thread}/stat`).split("(", 2)[1]?.split(") ") ?? [];
      const fields = rest?.split(" ") ?? [];
      const time = TICK_MS * (Number(fields[11] ?? 0) + Number(fields[12] ?? 0));
      if (name?.startsWith("DedicatedWorker")) spent.worker += time;
      else if (thread === pid) spent.page += time;
    }
  }
  return spent;
}

await main(async (browser) => {
  const { context, page } = await open(browser, options.base + options.page, { bypassCSP: true });
  const home = new URL("../_static/live/", options.base + options.page).href;
  const read = (path) => readFileSync(path, "utf8");
  await page.evaluate(prepare, { home, body: String(worker), source: read(options.source), questions: options.questions.map(read) });
  await page.evaluate(() => window.ask()); // engines compile what is used often
  const before = processor();
  const moves = [];
  for (let round = 0; round < options.rounds; round += 1) moves.push(...(await page.evaluate(() => window.ask())));
  const after = processor();
  await context.close();
  return { moves, cpu: { worker: (after.worker - before.worker) / moves.length, page: (after.page - before.page) / moves.length } };
});
