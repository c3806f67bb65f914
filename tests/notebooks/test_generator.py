"""The notebooks are what their sources say, and a pair that differs in anything is noticed."""
from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.notebooks.conftest import FOLDER, NAMES

NAME = NAMES[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of notebooks/ with one pair."""
    (tmp_path / "src").mkdir()
    shutil.copy(FOLDER / "src" / f"{NAME}.md", tmp_path / "src")
    shutil.copy(FOLDER / f"{NAME}.ipynb", tmp_path)
    return tmp_path


def test_the_pairs_agree(generator: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert generator.main(["--check"]) == 0
    assert capsys.readouterr().err == ""


def edit_source(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "src" / f"{NAME}.md"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def edit_notebook(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / f"{NAME}.ipynb"
        data = json.loads(path.read_text(encoding="utf-8"))
        change(data)
        path.write_text(json.dumps(data), encoding="utf-8")

    return apply


def code(data: dict[str, Any], kept: bool) -> dict[str, Any]:
    """The first code cell that has, or has not, a stored output."""
    return next(c for c in data["cells"] if c["cell_type"] == "code" and bool(c["outputs"]) == kept)


CHANGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a word of the source": (edit_source("Nobody is in charge", "Somebody is in charge"), "cell 3 differs"),
    "a code cell of the source": (edit_source("MINUTE, seed=1)", "MINUTE, seed=2)"), "differs"),
    "a cell more in the source": (edit_source("## Key points", "```{code-cell} ipython3\n1\n```\n\n## Key points"), "cells"),
    "an exercise edited by hand": (
        edit_source("When does Carol's job C start?", "When does C start?"), "as clustersim/exercises defines"),
    "a code cell of the notebook": (edit_notebook(lambda d: code(d, False).update(source=["1"])), "cell 2 differs"),
    "a tag": (edit_notebook(lambda d: code(d, False)["metadata"].update(tags=["skip"])), "differs"),
    "an id": (edit_notebook(lambda d: code(d, False).update(id="another")), "differs"),
    "an output too many": (
        edit_notebook(lambda d: code(d, False).update(outputs=[{"output_type": "stream", "name": "stdout", "text": ["x"]}])),
        "stores an output"),
    "a missing output": (edit_notebook(lambda d: code(d, True).update(outputs=[])), "lacks its stored output"),
    "the kernel": (edit_notebook(lambda d: d["metadata"]["kernelspec"].update(name="python")), "metadata differ"),
    "a missing notebook": (lambda folder: (folder / f"{NAME}.ipynb").unlink(), "is missing"),
    "a notebook without source": (
        lambda folder: (folder / "99-x.ipynb").write_bytes((folder / f"{NAME}.ipynb").read_bytes()) and None, "no source"),
    "no header": (edit_source("format_name: myst", "format_name: other"), "copy it from another notebook"),
    "nothing to compare": (edit_source("nbval-check-output", "remove-input"), "no cell is tagged nbval-check-output"),
}


def test_an_untouched_copy_agrees(generator: ModuleType, folder: Path) -> None:
    assert generator.main(["--check", "--folder", str(folder)]) == 0


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_pair_is_noticed(generator: ModuleType, folder: Path, capsys: pytest.CaptureFixture[str], what: str) -> None:
    change, says = CHANGES[what]
    change(folder)
    assert generator.main(["--check", "--folder", str(folder)]) == 1
    error = capsys.readouterr().err
    assert says in error and "run  python site/build/notebooks.py" in error


def test_making_a_notebook_again_gives_the_same_bytes(generator: ModuleType, folder: Path) -> None:
    """Also from a source that holds only the headings of its exercises."""
    source, made = folder / "src" / f"{NAME}.md", folder / f"{NAME}.ipynb"
    before = source.read_bytes(), made.read_bytes()
    bare = generator._EXERCISE.sub(lambda match: f"### Exercise {match[1]}\n", source.read_text(encoding="utf-8"))
    assert "answer = ...\n" not in bare
    source.write_text(bare, encoding="utf-8")
    made.unlink()
    assert generator.main(["--folder", str(folder)]) == 0
    assert (source.read_bytes(), made.read_bytes()) == before


def test_a_cell_to_compare_may_only_print(generator: ModuleType, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit_source("    print(trace.story(job))\n", "    print(trace.story(job))\ntrace.until\n")(folder)
    assert generator.main(["--folder", str(folder)]) == 1
    assert "may only print" in capsys.readouterr().err


def test_an_unknown_exercise_is_named(generator: ModuleType, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit_source("## Key points", "### Exercise ex-01-77\n\n## Key points")(folder)
    assert generator.main(["--folder", str(folder)]) == 1
    assert "ex-01-77" in capsys.readouterr().err


def test_an_empty_folder_is_an_error(generator: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generator.main(["--check", "--folder", str(tmp_path)]) == 1
    assert "no such sources" in capsys.readouterr().err
