// Every cell of a notebook in the Python that JupyterLite loads in the browser: same Pyodide, same list of packages, same
// wheels, and no other; without the browser around it, which makes it quick. Argument: {lite, notebooks}, both paths.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { lite, notebooks } = JSON.parse(process.argv[2]);
const config = JSON.parse(readFileSync(join(lite, "jupyter-lite.json"), "utf8"))["jupyter-config-data"];
const kernel = config.litePluginSettings["@jupyterlite/pyodide-kernel-extension:kernel"];
const folder = join(lite, kernel.pyodideUrl, "..");

const RUN = `
import io, json, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

def run_notebook(text):
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    kinds, faults = [], []
    for number, cell in enumerate(c for c in json.loads(text)["cells"] if c["cell_type"] == "code"):
        with capture_output() as seen:
            result = shell.run_cell("".join(cell["source"]), store_history=True)
        kinds += [kind for output in seen.outputs for kind in output.data]
        if not result.success or seen.stderr:
            faults.append(f"cell {number + 1}: {result.error_in_exec or result.error_before_exec!r} {seen.stderr}"[-600:])
    return json.dumps({"figures": kinds.count("application/vnd.vegalite.v5+json"), "faults": faults,
                       "widgets": kinds.count("application/vnd.jupyter.widget-view+json")})
`;

globalThis.fetch = (address) => { throw new Error(`asks the network for ${address}`); };
const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")));
const { lockFileURL, packages } = kernel.loadPyodideOptions;
const own = packages.filter((name) => !["piplite", "pyodide-kernel", "ipykernel"].includes(name)); // these need the browser
const python = await loadPyodide({ indexURL: folder, lockFileURL: join(lite, lockFileURL), packages: own });
python.runPython(RUN);
const run = python.globals.get("run_notebook");
const found = {};
for (const name of notebooks) {
  const start = Date.now();
  found[name] = { ...JSON.parse(run(readFileSync(join(lite, "files", `${name}.ipynb`), "utf8"))), ms: Date.now() - start };
}
process.stdout.write(`\n${JSON.stringify(found)}\n`);
