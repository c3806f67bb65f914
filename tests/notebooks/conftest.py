"""What the notebook tests share: the generator, and every notebook run once from top to bottom."""
from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from tests.conftest import ROOT

FOLDER = ROOT / "notebooks"
SOURCES = sorted((FOLDER / "src").glob("*.md"))
NAMES = [source.stem for source in SOURCES]

# Put before the first cell: whoever asks for an address gets an error, so a notebook that needs the network fails.
NO_NETWORK = """
import socket
def refuse(*arguments, **options):
    raise OSError("this notebook must not use the network")
socket.getaddrinfo = socket.create_connection = refuse
"""


@dataclass(frozen=True)
class Run:
    """A notebook that was run: its cells with outputs, and how long it took, the start of the kernel included."""

    cells: tuple[NotebookNode, ...]
    seconds: float

    @property
    def code(self) -> list[NotebookNode]:
        return [cell for cell in self.cells if cell.cell_type == "code"]


def load_generator() -> ModuleType:
    spec = util.spec_from_file_location("notebook_generator", ROOT / "site" / "build" / "notebooks.py")
    assert spec is not None and spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def generator() -> ModuleType:
    return load_generator()


def run_notebook(path: Path) -> Run:
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(NO_NETWORK))
    start = time.monotonic()
    NotebookClient(notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    return Run(tuple(notebook.cells[1:]), time.monotonic() - start)


@pytest.fixture(scope="session", params=NAMES)
def ran(request: pytest.FixtureRequest) -> Iterator[tuple[str, Run]]:
    """Restart and run all, every answer left as ``...``, without a network."""
    yield request.param, run_notebook(FOLDER / f"{request.param}.ipynb")
