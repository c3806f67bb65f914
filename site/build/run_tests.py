"""Every test, in the order in which a fault is cheapest to find: ``make test``; ``--core`` is ``make test-core``.

Style, types, the site itself, the tests, then each notebook cell by cell. Nothing may be skipped. Exit code 3 means that
a tool is missing.
"""
from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

import make_site  # noqa: E402

MISSING = 3
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = ("/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
NO_CHROMIUM = ("Chromium is needed to test the pages: run `{line}`, then `make test` again "
               "(`make test-core` needs no browser; CHROMIUM=/path names one that is elsewhere).")
PYTEST = ["-p", "no_skips", "-q"]
TWO = ["-n", "2", "--dist", "loadfile"]  # two at a time
NOTEBOOK_TIMEOUT_S = 120
# The site's tools call libraries that have no types.
RELAXED = ("--ignore-missing-imports", "--no-warn-unused-ignores", "--allow-untyped-calls", "--no-warn-return-any")


def chromium() -> str | None:
    """The path of a Chromium or Chrome: $CHROMIUM, one on the PATH, or an installed one on macOS."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    return next((found for name in CHROMIUM if (found := shutil.which(name))), next((p for p in MAC if Path(p).exists()), None))


def need_chromium() -> None:
    found = chromium()
    if found is None:
        line = "brew install --cask chromium" if sys.platform == "darwin" else "sudo apt-get install chromium"
        print(NO_CHROMIUM.format(line=line), file=sys.stderr)
        raise SystemExit(MISSING)
    os.environ["CHROMIUM"] = found


def step(title: str, *arguments: str, environment: dict[str, str] | None = None) -> None:
    """Run ``python -m`` with the arguments; stop at the first that fails."""
    print(f"\n== {title}", flush=True)
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, env={**os.environ, **(environment or {})})
    print(f"-- {title}: {time.monotonic() - start:.0f} s", flush=True)
    if done.returncode:
        raise SystemExit(f"{title}: failed; the lines above say why.")


def style_and_types() -> None:
    step("Style", "ruff", "check", ".")
    step("Types", "mypy")
    tools = sorted(str(p.relative_to(ROOT)) for folder in ("ext", "build") for p in (ROOT / "site" / folder).glob("*.py"))
    step("Types of the site's tools", "mypy", *RELAXED, *tools,
         environment={"MYPYPATH": os.pathsep.join(str(ROOT / "site" / folder) for folder in ("ext", "build"))})


def notebooks() -> None:
    found = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "notebooks").glob("*.ipynb"))
    if not found:
        raise SystemExit("notebooks/ holds no notebook: run `python site/build/notebooks.py`.")
    step("Notebooks, cell by cell", "pytest", *PYTEST, "--nbval-lax", f"--nbval-cell-timeout={NOTEBOOK_TIMEOUT_S}",
         "-p", "no:cacheprovider", "-p", "no:xdist", *found)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Run every test.")
    parser.add_argument("--core", action="store_true", help="only what needs neither a browser nor the built site")
    options = parser.parse_args(argv)
    os.environ["PYTHONPATH"] = str(HERE)
    make_site.quiet_kernels(ROOT)
    start = time.monotonic()
    if options.core:
        style_and_types()
        step("Tests", "pytest", *PYTEST, *TWO, "-m", "not browser and not site and not alone", "tests")
        step("Tests that compare times", "pytest", *PYTEST, "-m", "alone", "tests")
    else:
        need_chromium()
        style_and_types()
        step("The site", "make_site")
        step("Tests", "pytest", *PYTEST, *TWO, "-m", "not alone", "tests")
        step("Tests that compare times", "pytest", *PYTEST, "-m", "alone", "tests")
        notebooks()
    print(f"\nEverything passed in {time.monotonic() - start:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
