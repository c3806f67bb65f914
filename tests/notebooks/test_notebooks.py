"""Every notebook: within its limits, quick, without a network, and whole with every answer left as three dots."""
from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from clustersim.checks import exercise, exercises
from clustersim.exercises.ch05 import PAYS
from clustersim.experiments import experiment
from clustersim.figures import MIME
from clustersim.units import MINUTE, clock_time
from tests.notebooks.conftest import FOLDER, NAMES, SOURCES, Run

KEEP = "nbval-check-output"
WIDGET = "application/vnd.jupyter.widget-view+json"
MAX_CELLS, MAX_LINES, MAX_WIDTH, MAX_SECONDS = 25, 15, 88, 30
NETWORK = {"socket", "urllib", "http", "ftplib", "smtplib", "ssl", "requests", "subprocess"}


def code_cells(name: str) -> list[NotebookNode]:
    return [cell for cell in nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells if cell.cell_type == "code"]


def tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def texts(cell: NotebookNode) -> str:
    return "\n".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)


def test_there_is_a_notebook_for_each_chapter_that_has_exercises() -> None:
    chapters = {int(path.stem[2:]) for path in (Path(FOLDER.parent) / "clustersim" / "exercises").glob("ch[0-9][0-9].py")}
    assert {int(name[:2]) for name in NAMES} == chapters


@pytest.mark.parametrize("name", NAMES)
def test_limits(name: str) -> None:
    cells = code_cells(name)
    assert sum("solution" not in tags(cell) for cell in cells) <= MAX_CELLS  # solutions are folded away
    for cell in cells:
        assert len(cell.source.splitlines()) <= MAX_LINES, cell.source
        assert max(map(len, cell.source.splitlines())) <= MAX_WIDTH, "a page cuts longer lines off"
        assert not re.search(r"^\s*[!%]", cell.source, re.MULTILINE), "no shell commands and no magics"
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.FunctionDef):
                assert len(ast.unparse(node).splitlines()) <= 10, "a longer function belongs into clustersim"


@pytest.mark.parametrize("name", NAMES)
def test_only_the_package_and_the_standard_library_are_imported(name: str) -> None:
    for cell in code_cells(name):
        for node in ast.walk(ast.parse(cell.source)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for top in (full.split(".")[0] for full in names):
                assert top == "clustersim" or (top in sys.stdlib_module_names and top not in NETWORK)


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_stored_for_the_cells_that_nbval_compares_and_for_no_other(name: str) -> None:
    cells = code_cells(name)
    assert any(KEEP in tags(cell) for cell in cells)
    for cell in cells:
        assert bool(cell.outputs) == (KEEP in tags(cell))
        assert all(output.output_type == "stream" and output.text.strip() for output in cell.outputs)


@pytest.mark.parametrize("name", NAMES)
def test_every_answer_and_guess_is_left_open(name: str) -> None:
    found = [line for cell in code_cells(name) for line in cell.source.splitlines() if re.match(r"(answer|guess) =", line)]
    assert found and all(line in ("answer = ...", "guess = ...") for line in found)


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_of_the_chapter_comes_in_order_with_its_solution_right_under_it(name: str) -> None:
    known = [item.id for item in exercises(int(name[:2]))]
    cells = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells
    code = [i for i, cell in enumerate(cells) if cell.cell_type == "code"]
    asked = [i for i in code if re.match(r"answer = \.\.\.\ncheck\(", cells[i].source)]
    assert [re.findall(r'check\("(.*?)"', cells[i].source)[0] for i in asked] == known
    for i, name_of in zip(asked, known, strict=True):
        item = exercise(name_of)
        assert item.question in cells[i - 1].source and item.wanted in cells[i - 1].source.replace("`", "")
        assert f"### Exercise {item.id} (" in cells[i - 1].source
        assert {"solution", "hide-cell"} <= set(tags(cells[i + 1]))
        assert cells[i + 1].source == f'{item.code.strip()}\ncheck("{item.id}", solution)'


@pytest.mark.parametrize("name", NAMES)
def test_the_skeleton_is_kept(name: str) -> None:
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for part in ("**Time:**", "**Needs:**", "**Afterwards you can**", "### Predict", "### Run and look", "Vary one thing",
                 "## Key points", "## Next"):
        assert part in text
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert code[0].startswith("from clustersim") and sum("import" in source for source in code) == 1
    steps = ('predict("', "show(", 'check("', 'panel("')
    order = [next(i for i, source in enumerate(code) if step in source) for step in steps]
    assert order == sorted(order) and any("compare(" in source for source in code)


def test_it_runs_whole_and_in_time(ran: tuple[str, Run]) -> None:
    _name, run = ran
    assert run.seconds < MAX_SECONDS


def test_open_answers_get_a_friendly_note(ran: tuple[str, Run]) -> None:
    name, run = ran
    open_cells = [cell for cell in run.code if re.match(r"(answer|guess) = \.\.\.", cell.source)]
    assert len(open_cells) >= len(exercises(int(name[:2])))
    for cell in open_cells:
        assert "not answered yet" in texts(cell) or "No guess yet" in texts(cell)


def test_every_solution_passes_its_own_check(ran: tuple[str, Run]) -> None:
    name, run = ran
    solved = [cell for cell in run.code if "solution" in tags(cell)]
    assert len(solved) == len(exercises(int(name[:2])))
    for cell in solved:
        assert texts(cell).startswith("Right: "), cell.source


def test_figures_and_panels_send_what_every_front_end_can_draw(ran: tuple[str, Run]) -> None:
    _name, run = ran
    bundles = [output.data for cell in run.code for output in cell.outputs if "data" in output]
    figures = [bundle for bundle in bundles if MIME in bundle]
    panels = [bundle for bundle in bundles if WIDGET in bundle]
    assert figures and panels
    for bundle in figures:
        assert set(bundle) == {MIME, "text/plain", "image/svg+xml"} and bundle["text/plain"].count("\n") == 1
        assert bundle[MIME]["$schema"].endswith("/v5.json")
    for bundle in panels:
        assert set(bundle) == {WIDGET, "text/plain", "text/html"}


def test_the_sources_say_what_they_are(generator: object) -> None:
    for source in SOURCES:
        head = source.read_text(encoding="utf-8").split("\n---\n")[0]
        assert "format_name: myst" in head and "extension: .md" in head and "name: python3" in head


def test_numbers_in_the_text_of_notebook_01_are_the_experiments_defaults() -> None:
    text = (FOLDER / "src" / "01-why-orchestrate.md").read_text(encoding="utf-8")
    nobody, slurm = experiment("no_scheduler").defaults(), experiment("three_researchers").defaults()
    assert f"runs `nvidia-smi` every {nobody['look_every']} minutes" in text
    assert f"needs {nobody['launch']} minutes to load" in text
    assert f"simulate({nobody['look_every']} * MINUTE, {nobody['launch']} * MINUTE, seed={nobody['seed']})" in text
    for job, gpus in (("A", "2 GPUs"), ("B", "2 GPUs"), ("C", f"{slurm['gpus_c']} GPU")):
        assert re.search(rf"\| {job} \| \w+ \| \w+ \| {gpus} \| {slurm[f'hours_{job.lower()}']:g} h \|", text)
    assert slurm["gpus"] == 4 and "one server with four GPUs" in text


def test_the_queue_in_the_text_of_notebook_05_is_the_one_that_runs() -> None:
    text = (FOLDER / "src" / "05-backfill.md").read_text(encoding="utf-8")
    rows = [f"| {name} | {clock_time(at * MINUTE)} | {nodes} | {minutes} min |" for name, at, nodes, minutes in PAYS]
    assert "\n".join(rows) in text
