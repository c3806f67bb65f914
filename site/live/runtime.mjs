// One worker with Python for all live figures and answers of a page, and the chart library beside it.

const here = new URL("./", import.meta.url);
let manifest; // a promise, kept once it was fetched
let python; // a promise of a running worker, forgotten when it fails so that a retry starts anew
let started; // the same with the charts
const listeners = new Set();

/** An error that carries the name and the fillings of one of the page's sentences. */
export class CannotStart extends Error {
  constructor(word, values = {}) {
    super(word);
    this.word = word;
    this.values = values;
  }
}

const shortName = (url) => url.split("?")[0].split("/").pop();

/** What to load, fetched once; a failed fetch is tried again next time. */
export function loadManifest() {
  manifest ??= (async () => {
    let answer;
    try {
      answer = await fetch(new URL("manifest.json", here), { cache: "no-cache" });
    } catch {
      throw missing("manifest.json");
    }
    if (!answer.ok) throw missing("manifest.json");
    return answer.json();
  })();
  manifest.catch(() => { manifest = undefined; });
  return manifest;
}

function missing(url) {
  return navigator.onLine === false ? new CannotStart("failed_offline") : new CannotStart("failed_fetch", { name: shortName(url) });
}

/** Start worker and chart library if nobody has; `report(stage)` hears how far it is. Gives `{ask, check, vegaEmbed}`. */
export function start(report) {
  return heard(report, async () => {
    started ??= boot();
    try {
      return await started;
    } catch (error) {
      started = undefined;
      throw error;
    }
  });
}

/** The same without charts: `{ask, check}`. */
export function startPython(report) {
  return heard(report, bootPython);
}

async function heard(report, work) {
  listeners.add(report);
  try {
    return await work();
  } finally {
    listeners.delete(report);
  }
}

async function boot() {
  const plan = loadManifest();
  const charts = plan.then(({ vega }) => loadCharts(new URL(vega, here).href));
  charts.catch(() => {}); // it is awaited below, unless Python fails first
  const asking = await bootPython();
  tell("charts");
  return { ...asking, ...(await charts) };
}

async function bootPython() {
  python ??= (async () => {
    if (typeof WebAssembly !== "object") throw new CannotStart("failed_wasm");
    tell("manifest");
    const { worker, ready } = startWorker(await loadManifest());
    try {
      await ready;
    } catch (error) {
      worker.terminate();
      throw error;
    }
    return questions(worker);
  })();
  try {
    return await python;
  } catch (error) {
    python = undefined;
    throw error;
  }
}

function tell(stage) {
  for (const report of listeners) report(stage);
}

async function loadCharts(url) {
  try {
    await import(url); // the bundle sets window.vegaEmbed
  } catch {
    throw missing(url);
  }
  return { vegaEmbed: window.vegaEmbed };
}

/** A worker that loads Python, and a promise that it is ready. */
function startWorker({ pyodide, wheels }) {
  let worker;
  try {
    worker = new Worker(new URL("worker.mjs", here), { type: "module" });
  } catch {
    throw new CannotStart("failed_worker");
  }
  const ready = new Promise((resolve, reject) => {
    worker.onerror = (event) => {
      event.preventDefault();
      reject(navigator.onLine === false ? new CannotStart("failed_offline") : new CannotStart("failed_worker"));
    };
    worker.onmessage = ({ data }) => {
      if (data.kind === "stage") tell(data.stage);
      else if (data.kind === "ready") resolve();
      else if (data.kind === "failed") reject(why(data));
    };
  });
  worker.postMessage({ kind: "start", base: here.href, pyodide, wheels, language: document.documentElement.lang });
  return { worker, ready };
}

function why({ missing: url, wasm, text }) {
  if (url) return missing(url);
  if (wasm) return new CannotStart("failed_wasm");
  return new CannotStart("failed_python", { text });
}

/** Functions that ask Python and give `{answer, ms}`: the parsed answer and the milliseconds that Python took. */
function questions(worker) {
  const open = new Map();
  let last = 0;
  let dead; // why nothing will be answered any more
  const die = (text) => {
    dead = new CannotStart("failed_python", { text });
    python = started = undefined; // the next start gets a new worker
    worker.terminate();
    for (const { reject } of open.values()) reject(dead);
    open.clear();
  };
  worker.onmessage = ({ data }) => {
    if (data.kind === "died") {
      die(data.text);
      return;
    }
    const done = open.get(data.number);
    open.delete(data.number);
    done?.resolve({ answer: JSON.parse(data.text), ms: data.ms });
  };
  worker.onerror = (event) => {
    event.preventDefault();
    die(event.message ?? "");
  };
  const send = (question) => new Promise((resolve, reject) => {
    if (dead) {
      reject(dead);
      return;
    }
    last += 1;
    open.set(last, { resolve, reject });
    worker.postMessage({ ...question, number: last });
  });
  return {
    ask: (experiment, settings) => send({ kind: "run", experiment, settings }),
    check: (exercise, answer) => send({ kind: "check", exercise, answer }),
  };
}
