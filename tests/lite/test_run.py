"""The notebooks in JupyterLite: every one in its Python, two of them and a figure as a reader sees them, in a browser.

The browser can reach this machine only. To start JupyterLite takes long beside running a notebook, so not all are opened.
"""
from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from clustersim.experiments import Slider, experiment
from tests.browser import program
from tests.browser.conftest import Check
from tests.conftest import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.site, pytest.mark.slow]
OPENED = ("01-why-orchestrate", "05-backfill")
MOST_MS = 5000  # from the key to the new sentence, while another test runs beside this one
MOST_BYTES = 16e6  # of a first visit


def cells_of(name: str) -> list[dict[str, Any]]:
    """The cells of a notebook of the repository."""
    cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text("utf-8"))["cells"]
    assert isinstance(cells, list)
    return cells


def links(name: str) -> dict[str, str]:
    """The words of a notebook's first link to a chapter and to another notebook, and where each leads from the site's root."""
    text = "".join("".join(cell["source"]) for cell in cells_of(name) if cell["cell_type"] == "markdown")
    chapters = re.findall(r"\[([^]]+)\]\(\.\./book/([\w-]+)\.md\)", text)
    others = re.findall(r"\[([^]]+)\]\(([\w-]+)\.ipynb\)", text)
    return {**{words: f"book/{to}.html" for words, to in chapters[:1]},
            **{words: f"lite/notebooks/index.html?path={to}.ipynb" for words, to in others[:1]}}


def a_move(panels: list[str]) -> tuple[dict[str, int], str, str]:
    """A slider, one step of which changes a picture: its number and its panel's, and what is said before and after."""
    number = 0
    for panel, name in enumerate(panels):
        which = experiment(name)
        for control in which.controls:
            if isinstance(control, Slider):
                first = which()
                moved = which(**{control.name: control.default + control.step}) if control.default < control.high else first
                if first.summary != moved.summary and [f.data for f in first.figures] != [f.data for f in moved.figures]:
                    return {"slider": number, "panel": panel}, first.summary, moved.summary
                number += 1
    pytest.fail(f"no slider of {panels} changes a picture by one step", pytrace=False)


def run(check: Check, app: str, notebook: str, code: list[str], **options: Any) -> dict[str, Any]:
    """Run a notebook with these code cells, see that all is well, move a slider; the whole report."""
    panels = re.findall(r'^panel\("(\w+)"', "\n".join(code), re.MULTILINE)
    figures = sum(len(experiment(panel)().figures) for panel in panels)
    move, before, after = a_move(panels)
    report = check("../lite/run.mjs", app=app, notebook=notebook, cells=len(code), figures=figures, move=move, **options)
    assert (report["last"], report["running"], report["faults"]) == (len(code), False, [])
    assert (report["elsewhere"], report["outside"], report["missing"], report["errors"]) == ([], [], [], [])
    assert (report["moved"]["before"], report["moved"]["after"]) == (before, after)
    assert report["moved"]["ms"] < MOST_MS
    at_least = json.loads((program.built_site() / "lite" / "about.json").read_text("utf-8"))["bytes_gzip"]  # as the pages say
    assert at_least < report["bytes"] < MOST_BYTES
    print(f"{notebook}: {report['ms'] / 1000:.1f} s to the last cell, {report['bytes'] / 1e6:.1f} MB, "
          f"slider {report['moved']['ms']} ms")
    return report


def test_every_notebook_runs_in_the_python_of_jupyterlite(site: Path) -> None:
    lite = site / "lite"
    names = [path.relative_to(lite / "files").with_suffix("").as_posix() for path in sorted((lite / "files").rglob("*.ipynb"))]
    assert {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} <= set(names)
    report = program.node_json("../lite/kernel.mjs", {"lite": str(lite), "notebooks": names})
    assert {name: found["faults"] for name, found in report.items() if found["faults"]} == {}
    assert [name for name in names if not report[name]["figures"] or not report[name]["widgets"]] == []


@pytest.mark.parametrize("name", OPENED)
def test_a_notebook_runs_to_its_end_moves_and_leads_on(name: str, check: Check, base: str) -> None:
    code = ["".join(cell["source"]) for cell in cells_of(name) if cell["cell_type"] == "code"]
    wanted = links(name)
    report = run(check, "notebooks", name, code, links=list(wanted))
    assert report["links"] == {words: base + to for words, to in wanted.items()}


def test_a_figure_opens_as_a_notebook(check: Check, site: Path) -> None:
    """In the other view, JupyterLab."""
    notebook = json.loads((site / "lite" / "files" / "figures" / "no_scheduler.ipynb").read_text("utf-8"))
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    run(check, "lab", "figures/no_scheduler", code)
