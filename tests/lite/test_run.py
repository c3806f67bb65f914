"""The notebooks in JupyterLite: every one in its Python, some and a figure as a reader sees them, in a browser.

The browser can reach this machine only. To start JupyterLite takes long beside running a notebook, so not all are opened.
"""
from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import language
import notebook_words
import page_check
import pytest
from language import Language

from clustersim import messages
from clustersim.checks import exercises
from clustersim.experiments import Slider, experiment
from tests.browser import program
from tests.browser.conftest import Check
from tests.conftest import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.site, pytest.mark.slow]
OPENED = ("01-why-orchestrate", "05-backfill")
ENGLISH = {"run": "Run", "runAll": "Run All Cells"}
LANGUAGES = [which for which in language.languages().values() if notebook_words.finished(which)]
SENTENCE = re.compile(r"[A-Za-z]+(?: [a-z]{2,}){2,}")  # three English words in a row
MOST_MS = 5000  # from the key to the new sentence, while another test runs beside this one
MOST_BYTES = 16e6  # of a first visit


def code_of(notebook: Path) -> list[str]:
    """The code cells of a notebook."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def links(name: str) -> dict[str, str]:
    """The words of a notebook's first link to a chapter and to another notebook, and where each leads from the site's root."""
    cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text("utf-8"))["cells"]
    text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
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


def run(check: Check, address: str, code: list[str], menu: dict[str, str] = ENGLISH, **options: Any) -> dict[str, Any]:
    """Run the notebook at an address with these code cells, see that all is well, move a slider; the whole report."""
    panels = re.findall(r'^panel\("(\w+)"', "\n".join(code), re.MULTILINE)
    figures = sum(len(experiment(panel)().figures) for panel in panels)
    move, before, after = a_move(panels)
    report = check("../lite/run.mjs", address=address, cells=len(code), figures=figures, move=move, menu=menu, **options)
    assert (report["last"], report["running"], report["faults"]) == (len(code), False, [])
    assert (report["elsewhere"], report["outside"], report["missing"], report["errors"]) == ([], [], [], [])
    assert (report["moved"]["before"], report["moved"]["after"]) == (before, after)
    assert report["moved"]["ms"] < MOST_MS
    at_least = json.loads((program.built_site() / "lite" / "about.json").read_text("utf-8"))["bytes_gzip"]  # as the pages say
    assert at_least < report["bytes"] < MOST_BYTES
    print(f"{address}: {report['ms'] / 1000:.1f} s to the last cell, {report['bytes'] / 1e6:.1f} MB, "
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
    wanted = links(name)
    code = code_of(ROOT / "notebooks" / f"{name}.ipynb")
    report = run(check, f"lite/notebooks/index.html?path={name}.ipynb", code, links=list(wanted))
    assert report["links"] == {words: base + to for words, to in wanted.items()}


def test_a_figure_opens_as_a_notebook(check: Check, site: Path) -> None:
    """In the other view, JupyterLab."""
    notebook = site / "lite" / "files" / "figures" / "no_scheduler.ipynb"
    run(check, "lite/lab/index.html?path=figures/no_scheduler.ipynb", code_of(notebook))


@pytest.fixture
def spoken() -> Iterator[Callable[[str | None], None]]:
    """Chooses the language of the program for one test."""
    yield messages.set_language
    messages.set_language(None)


@pytest.mark.parametrize("which", LANGUAGES, ids=[which.code for which in LANGUAGES])
def test_a_translated_notebook_opens_from_its_page_and_runs_to_its_end(
        check: Check, site: Path, base: str, spoken: Callable[[str], None], which: Language) -> None:
    """Menus, texts, figures and answers are in its language, and a link leads to the chapter in its language."""
    name = notebook_words.finished(which)[0]
    page = page_check.read(site / which.code / "book" / f"{name}.html")
    address = next(link for link in page.links if link.endswith(f"{which.code}/{name}.ipynb")).replace("../", "")
    words = json.loads(next((site / "lite" / "api" / "translations").glob(f"{which.code}_*.json")).read_text("utf-8"))["data"]
    menu = {"run": words["jupyterlab"]["Run"][0], "runAll": words["jupyterlab"]["Run All Cells"][0]}
    assert menu != ENGLISH
    notebook = site / "lite" / "files" / which.code / f"{name}.ipynb"
    chapter = re.search(r"\[([^]\"\n]+)\]\(\.\./(\w+/book/[\w-]+\.html)\)", notebook.read_text("utf-8"))
    assert chapter is not None and chapter[2] == f"{which.code}/book/{name}.html"
    spoken(which.code)
    report = run(check, address, code_of(notebook), menu, links=[chapter[1]])
    assert report["links"] == {chapter[1]: base + chapter[2]}
    typed = sorted((option for item in exercises(int(name[:2])) for option in item.options), key=len, reverse=True)
    texts = [re.sub("|".join(map(re.escape, typed)), "", text) for text in report["texts"]]
    assert len(texts) > 40
    assert [found[0] for text in texts for found in SENTENCE.finditer(text)] == []
