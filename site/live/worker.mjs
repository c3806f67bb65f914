// Python in a module worker: loads Pyodide and the wheels named by the manifest, then answers questions in order.

let python;

async function fetched(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw Object.assign(new Error(url), { missing: url });
  return answer.arrayBuffer();
}

async function start({ base, pyodide, wheels, language }) {
  const home = new URL(pyodide, base).href;
  postMessage({ kind: "stage", stage: "runtime" });
  const packages = wheels.map((name) => fetched(new URL(name, base).href));
  packages.forEach((wheel) => wheel.catch(() => {})); // looked at below; without this an early failure is an unhandled one
  let loadPyodide;
  try {
    ({ loadPyodide } = await import(`${home}pyodide.mjs`));
  } catch {
    throw Object.assign(new Error("pyodide.mjs"), { missing: `${home}pyodide.mjs` });
  }
  const runtime = await loadPyodide({ indexURL: home });
  postMessage({ kind: "stage", stage: "packages" });
  for (const wheel of packages) runtime.unpackArchive(await wheel, "wheel");
  const page = runtime.pyimport("clustersim.page");
  page.language(language);
  python = page;
}

onmessage = async ({ data }) => {
  if (data.kind === "start") {
    try {
      await start(data);
      postMessage({ kind: "ready" });
    } catch (error) {
      postMessage({ kind: "failed", missing: error.missing ?? null, text: String(error.message ?? error).slice(0, 300) });
    }
    return;
  }
  const begun = performance.now();
  const text = python.run(data.experiment, JSON.stringify(data.settings));
  postMessage({ kind: "answer", number: data.number, text, ms: performance.now() - begun });
};
