"""The notebooks in the browser, without installing anything: JupyterLite in ``_build/html/lite``, beside the book.

Made from local files only: the application by its own environment (.venv-lite), Pyodide from node_modules, our wheels.
The application depends on the pins alone and is kept in ``_build/lite``; a changed notebook or a changed simulator costs
no more than copying. A name whose content changes holds a hash or a version, so that no cache can mix two builds.
"""
from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import lite_contents
import lite_wheels
import notebook_words
from language import Language

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EPOCH = "315532800"  # 1980-01-01: the same sources give the same bytes
PINS = ("requirements-lite.txt", "requirements-lite-kernel.txt")
LINKS = HERE.parent / "lite" / "links.js"
ABOUT = "about.json"
HEARTBEAT = "api/service-worker-heartbeat"
PACK = "jupyterlab_language_pack_"
BEGINS = "<script>\n      (async function () {"
SETTINGS_READ = "configs.reduce(mergeOneConfig)"
APPS = ("notebooks", "lab", "tree")
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
KERNEL = "@jupyterlite/pyodide-kernel-extension"
# Loaded while the kernel starts, with all that they ask for; the first seven are what the kernel would look for elsewhere.
LOADED = ("micropip", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi", "ipython", "ipywidgets", "simpy", "clustersim")
SETTINGS = {
    "@jupyterlab/apputils-extension:themes": {"adaptive-theme": True},  # light or dark, as the system
    "@jupyterlab/apputils-extension:notification": {"checkForUpdates": False, "fetchNews": "false", "doNotDisturbMode": True},
}
ICONS = ("busy-1", "busy-2", "busy-3", "file", "notebook", "terminal")
LEFT_OUT = ("rspack.config.js", "rspack.config.analyze.js", "rspack.config.watch.js", "build/**/*.eot", "build/**/fa-*.svg")
TEXT = (".js", ".mjs", ".json", ".css", ".html", ".webmanifest")
ELSEWHERE = re.compile(r"https://cdn\.jsdelivr\.net/pyodide/v[^/\"'`]*/full/")
HOSTS = re.compile(r"(?:jsdelivr|unpkg|cdnjs|googleapis|gstatic|skypack|esm\.sh)[\w.-]*")


class LiteError(Exception):
    """JupyterLite cannot be built; the message says what to do."""


FAULTS = (LiteError, lite_wheels.WheelError)


def build(root: Path, html: Path, code: str, others: Sequence[Language] = ()) -> None:
    """Bring ``html/lite`` up to date; ``code`` is a hash of the simulator, ``others`` are the languages besides English.

    A checkout without the pins has no JupyterLite.
    """
    if not (root / PINS[0]).is_file():
        return
    kept = root / "_build" / "lite"
    stamp, value = root / "_build" / ".stamp-lite", made_from(root, code, others)
    if (html / "lite" / "index.html").is_file() and stamp.is_file() and stamp.read_text() == value:
        return
    print("Putting the notebooks for the browser beside the book ...", flush=True)
    stamp.unlink(missing_ok=True)
    new = kept / "new"
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(application(root, kept), new, copy_function=link)
    folder = new / "static" / f"pyodide-{pyodide_version(root)}"
    put_wheels(folder, own_wheels(kept, code))
    lock = put_lock(folder, pyodide_package(root))
    configure(new / "jupyter-lite.json", folder.relative_to(new), lock)
    lite_contents.put_notebooks(new, root, others)
    change_size(new / ABOUT, [folder / lock, *own_wheels(kept, code)])
    html.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(html / "lite", ignore_errors=True)
    new.rename(html / "lite")
    stamp.write_text(value)


def hashed(parts: Iterable[bytes]) -> str:
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()


def app_from(root: Path) -> str:
    """A hash of what the application is made from: the pins, Pyodide, this program."""
    files = [*(root / name for name in PINS), pyodide_package(root) / "package.json"]
    return hashed(path.read_bytes() for path in [*files, Path(__file__), Path(lite_wheels.__file__), LINKS])


def made_from(root: Path, code: str, others: Sequence[Language] = ()) -> str:
    files = lite_contents.sources(root, others)
    names = "\0".join([*(path.relative_to(root).as_posix() for path in files), *map(repr, others)])
    programs = [Path(lite_contents.__file__), Path(notebook_words.__file__)]
    texts = [path.read_bytes() for path in [*files, *programs]]
    return hashed([app_from(root).encode(), code.encode(), names.encode(), *texts])


def change_size(about: Path, more: Iterable[Path]) -> None:
    """Add to what the first cell loads, in bytes as they travel; wheels and zip files are packed already."""
    total = json.loads(about.read_text("utf-8"))["bytes_gzip"] if about.is_file() else 0
    for path in more:
        data = path.read_bytes()
        total += len(data if path.suffix in (".whl", ".zip") else gzip.compress(data, 6))
    about.unlink(missing_ok=True)  # it may be a second name of the kept application's file
    about.write_text(json.dumps({"bytes_gzip": total}) + "\n", "utf-8")


def link(source: str, target: str) -> None:
    """A second name of the same file where the file system can; nothing here writes into a file that is there."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


# --- the application -------------------------------------------------------------------------------------------------

def pyodide_package(root: Path) -> Path:
    folder = root / "node_modules" / "pyodide-lite"
    if not (folder / "package.json").is_file():
        raise LiteError("node_modules holds no pyodide-lite: run `make html`, which fetches it.")
    return folder


def pyodide_version(root: Path) -> str:
    return str(json.loads((pyodide_package(root) / "package.json").read_text("utf-8"))["version"])


def application(root: Path, kept: Path) -> Path:
    """The application without notebooks and our wheels; what an earlier build made from the same pins serves again."""
    made = kept / f"app-{app_from(root)[:12]}"
    if made.is_dir():
        return made
    for old in kept.glob("app-*"):
        shutil.rmtree(old)
    out = kept / "making"
    shutil.rmtree(out, ignore_errors=True)
    run_jupyterlite(root, kept, out)
    for path in [path for pattern in LEFT_OUT for path in out.glob(pattern)]:
        path.unlink()
    folder = out / "static" / f"pyodide-{pyodide_version(root)}"
    folder.mkdir(parents=True)
    for name in PYODIDE:
        shutil.copyfile(pyodide_package(root) / name, folder / name)
    put_wheels(folder, [*(root / ".venv-lite" / "wheels").glob("*.whl"), *extension_wheels(out)])
    change_size(out / ABOUT, (path for path in folder.rglob("*") if path.is_file()))
    at_home(out, f"./static/{folder.name}/")
    put_icons(out)
    put_heartbeat(out)
    put_links(out, put_menus(root, out))
    out.rename(made)
    return made


def run_jupyterlite(root: Path, kept: Path, out: Path) -> None:
    """JupyterLite's own build, in an empty folder: no notebooks, no Pyodide, nothing from the reader's settings."""
    python = root / ".venv-lite" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        raise LiteError("JupyterLite is not set up: run `make html`, which does that.")
    empty = kept / "empty"
    shutil.rmtree(empty, ignore_errors=True)
    empty.mkdir(parents=True)
    apps = [word for app in APPS for word in ("--apps", app)]
    command = [str(python), "-W", "ignore", "-m", "jupyterlite_core", "build", *apps,
               "--lite-dir", str(empty), "--output-dir", str(out), "--source-date-epoch", EPOCH,
               "--no-sourcemaps", "--no-unused-shared-packages", "--no-libarchive"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PYTHONPATH"))}
    done = subprocess.run(command, cwd=empty, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise LiteError("JupyterLite was not built:\n" + "\n".join(done.stdout.splitlines()[-25:]))


def at_home(out: Path, pyodide: str) -> None:
    """No address of a foreign host stays that a script would load from; one that is not known here stops the build."""
    faults = []
    for path in sorted(out.rglob("*")):
        if path.suffix not in TEXT or not path.is_file() or path.name == "third-party-licenses.json":
            continue
        before = path.read_text("utf-8")
        after = ELSEWHERE.sub(pyodide, before)
        if after != before:
            path.write_text(after, "utf-8")
        faults += [f"{path.relative_to(out).as_posix()}: {host}" for host in HOSTS.findall(after)]
    if faults:
        raise LiteError("JupyterLite names hosts that it might load from:\n  " + "\n  ".join(faults))


def put_icons(out: Path) -> None:
    """The icons of a browser's tab; jupyter_server would bring them."""
    folder = out / "static" / "favicons"
    folder.mkdir(parents=True)
    for name in ICONS:
        shutil.copyfile(out / "lab" / "favicon.ico", folder / f"favicon-{name}.ico")


def put_heartbeat(out: Path) -> None:
    """The page asks its service worker for a sign of life at the host's root; below a sub-path that is not ours to ask."""
    (out / HEARTBEAT).write_text("ok", "utf-8")
    asks = [*(out / "extensions" / KERNEL / "static").glob("*.js"), *(out / "build").glob("*.js")]
    change(asks, f'fetch("/{HEARTBEAT}")', f'fetch("../{HEARTBEAT}")')
    change(out.glob("**/service-worker.js"), f'"/{HEARTBEAT}"===a.pathname', f'a.pathname.endsWith("/{HEARTBEAT}")')


def change(paths: Iterable[Path], before: str, after: str) -> None:
    """Replace ``before`` wherever it occurs; if it occurs nowhere, JupyterLite is another than this program knows."""
    found = {path: text for path in paths if before in (text := path.read_text("utf-8"))}
    for path, text in found.items():
        path.write_text(text.replace(before, after), "utf-8")
    if not found:
        raise LiteError(f"JupyterLite has changed: no file of it holds {before!r}, which site/build/make_lite.py replaces.")


def put_menus(root: Path, out: Path) -> list[str]:
    """JupyterLab's own words in the languages whose pack is installed; their names, such as ``ja_JP``."""
    folder = out / "api" / "translations"
    packs = sorted((root / ".venv-lite").glob(f"[Ll]ib/**/site-packages/{PACK}*/locale/*/LC_MESSAGES/jupyterlab.json"))
    listed = json.loads((folder / "all.json").read_text("utf-8"))
    for pack in packs:
        name, words = pack.parents[1].name, json.loads(pack.read_text("utf-8"))
        text = json.dumps({"data": {"jupyterlab": words}, "message": ""}, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text, "utf-8")
        listed["data"][name] = {"displayName": name, "nativeName": name}
    (folder / "all.json").write_text(json.dumps(listed, indent=1), "utf-8")
    return [pack.parents[1].name for pack in packs]


def put_links(out: Path, menus: list[str]) -> None:
    """A script of ours in the pages, before JupyterLite reads its settings: links lead into the book, menus in its language."""
    ours = SETTINGS_READ.replace("configs", "[...configs, globalThis.bookSettings ?? {}]")
    change([out / "config-utils.js"], SETTINGS_READ, ours)
    shutil.copyfile(LINKS, out / LINKS.name)
    script = f'<script src="../{LINKS.name}" data-menus="{" ".join(menus)}"></script>\n    '
    for app in APPS:
        change([out / app / "index.html"], BEGINS, script + BEGINS)
        change([out / app / "index.html"], "</head>", '<link rel="icon" href="favicon.ico" />\n</head>')
    change([out / "index.html"], "</head>", '<link rel="icon" href="lab/favicon.ico" />\n</head>')  # it leads on to the files


# --- packages --------------------------------------------------------------------------------------------------------

def extension_wheels(app: Path) -> list[Path]:
    """What JupyterLite's own extension brings for its Python; the old mock of widgets is not needed."""
    folder = app / "extensions" / KERNEL / "static" / "pypi"
    return sorted(path for path in folder.glob("*.whl") if not path.name.startswith("widgetsnbextension"))


def own_wheels(kept: Path, code: str) -> list[Path]:
    """The wheels of SimPy and clustersim, as the pages use them; made anew when the simulator changed."""
    folder = kept / f"own-{code[:12]}"
    if not folder.is_dir():
        import live_assets

        for old in kept.glob("own-*"):
            shutil.rmtree(old)
        making = kept / "making-wheels"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        live_assets.simpy_wheel(making)
        try:
            live_assets.own_wheel(making)
        except live_assets.AssetError as error:
            raise LiteError(str(error)) from None
        making.rename(folder)
    return sorted(folder.glob("*.whl"))


def put_wheels(folder: Path, wheels: Iterable[Path]) -> None:
    """Wheels into Pyodide's folder, each below a name made from its content."""
    making = folder / "wheels" / "making"
    making.mkdir(parents=True)
    for wheel in sorted(wheels):
        slim = lite_wheels.slimmed(wheel, making)
        place = folder / "wheels" / hashlib.sha256(slim.read_bytes()).hexdigest()[:12]
        place.mkdir()
        slim.rename(place / slim.name)
    making.rmdir()


def put_lock(folder: Path, package: Path) -> str:
    """The lock that names the wheels in ``folder``; its name."""
    original = json.loads((package / "pyodide-lock.json").read_text("utf-8"))
    text = lite_wheels.lock_text(lite_wheels.lock_of(folder.glob("wheels/*/*.whl"), folder, original))
    name = f"lock-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    (folder / name).write_text(text, "utf-8")
    return name


def configure(path: Path, pyodide: Path, lock: str) -> None:
    """Pyodide from here, packages from here, no package index, light or dark as the system."""
    config = json.loads(path.read_text("utf-8"))
    data = config["jupyter-config-data"]
    kernel = data["litePluginSettings"][f"{KERNEL}:kernel"]
    kernel |= {"pyodideUrl": f"./{pyodide.as_posix()}/pyodide.mjs", "disablePyPIFallback": True,
               "loadPyodideOptions": {"lockFileURL": f"./{pyodide.as_posix()}/{lock}", "packages": list(LOADED)}}
    data |= {"appUrl": "./tree", "settingsOverrides": {**data.get("settingsOverrides", {}), **SETTINGS},
             "contentsAllJsonFile": "all.json"}
    path.unlink()  # it may be a second name of the kept application's file
    path.write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", "utf-8")
