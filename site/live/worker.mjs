// Python in a module worker: loads Pyodide and the wheels named by the manifest, then answers questions in order.

let python;

const missing = (url) => Object.assign(new Error(url), { missing: url });

let lost; // the first address that could not be fetched, by us or by Pyodide, which does not always say which
const realFetch = self.fetch;
self.fetch = async (resource, settings) => {
  const url = String(resource.url ?? resource);
  try {
    const answer = await realFetch(resource, settings);
    if (!answer.ok) lost ??= url;
    return answer;
  } catch (error) {
    lost ??= url;
    throw error;
  }
};

async function fetched(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw missing(url);
  return answer.arrayBuffer();
}

async function imported(url) {
  try {
    return await import(url);
  } catch {
    throw missing(url);
  }
}

/**
 * A promise that fails when the interpreter cannot be loaded or compiled. Pyodide only writes a warning then and waits for
 * ever. It also waits for ever on servers that do not know the type of .wasm files; here they work.
 */
function interpreterTrouble() {
  return new Promise((_resolve, reject) => {
    const streaming = WebAssembly.instantiateStreaming;
    WebAssembly.instantiateStreaming = async (source, imports) => {
      try {
        const answer = await source;
        if (!answer.ok) throw missing(answer.url);
        if (answer.headers.get("Content-Type") === "application/wasm") return await streaming.call(WebAssembly, answer, imports);
        return await WebAssembly.instantiate(await answer.arrayBuffer(), imports);
      } catch (error) {
        reject(error);
        throw error;
      }
    };
  });
}

async function load({ base, pyodide, wheels, language }) {
  const home = new URL(pyodide, base).href;
  postMessage({ kind: "stage", stage: "runtime" });
  const [runtime, ...packages] = await Promise.all([
    interpreter(home), ...wheels.map((name) => fetched(new URL(name, base).href)),
  ]);
  postMessage({ kind: "stage", stage: "packages" });
  for (const wheel of packages) runtime.unpackArchive(wheel, "wheel");
  python = runtime.pyimport("clustersim.page");
  python.language(language);
}

async function interpreter(home) {
  const [{ loadPyodide }] = await Promise.all([imported(`${home}pyodide.mjs`), imported(`${home}pyodide.asm.mjs`)]);
  return loadPyodide({ indexURL: home });
}

async function start(plan) {
  try {
    await Promise.race([load(plan), interpreterTrouble()]);
    postMessage({ kind: "ready" });
  } catch (error) {
    const wasm = error instanceof WebAssembly.CompileError || error instanceof WebAssembly.LinkError;
    postMessage({ kind: "failed", missing: error.missing ?? lost ?? null, wasm, text: String(error.message ?? error).slice(-300) });
  }
}

onmessage = async ({ data }) => {
  if (data.kind === "start") {
    await start(data);
    return;
  }
  try {
    const begun = performance.now();
    const text = data.kind === "check" ? python.check(data.exercise, data.answer) : python.run(data.experiment, JSON.stringify(data.settings));
    postMessage({ kind: "answer", number: data.number, text, ms: performance.now() - begun });
  } catch (error) { // never an experiment's fault (those are answers): the interpreter itself gave up
    postMessage({ kind: "died", text: String(error.message ?? error).slice(-300) });
  }
};
