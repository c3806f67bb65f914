"""The tool that tests the notebooks can fail: a stored output that is wrong and a cell that raises are both found."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.notebooks.conftest import FOLDER, NAMES

KEEP = "nbval-check-output"


def nbval(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
               f"--rootdir={path.parent}", "-c", "/dev/null", str(path)]
    return subprocess.run(command, capture_output=True, text=True, cwd=path.parent)


def copy(name: str, folder: Path) -> tuple[Path, nbformat.NotebookNode]:
    """The notebook up to and including its first compared cell, so that the proof costs little."""
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    last = next(i for i, cell in enumerate(notebook.cells) if KEEP in cell.metadata.get("tags", []))
    notebook.cells = notebook.cells[: last + 1]
    return folder / f"{name}.ipynb", notebook


@pytest.mark.parametrize("name", NAMES)
def test_one_changed_character_of_a_stored_output_fails(name: str, tmp_path: Path) -> None:
    path, notebook = copy(name, tmp_path)
    cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    text = notebook.cells[-1].outputs[0].text
    place = next(i for i, character in enumerate(text) if character.isdigit())
    notebook.cells[-1].outputs[0].text = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1:]
    nbformat.write(notebook, path)
    bad = nbval(path)
    assert bad.returncode == 1 and f"1 failed, {cells - 1} passed" in bad.stdout, bad.stdout


def test_a_cell_that_raises_fails(tmp_path: Path) -> None:
    path, notebook = copy(NAMES[0], tmp_path)
    notebook.cells[-1].source += "\nraise ValueError('broken on purpose')"
    nbformat.write(notebook, path)
    bad = nbval(path)
    assert bad.returncode == 1 and "broken on purpose" in bad.stdout, bad.stdout
