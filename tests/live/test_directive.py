"""The ``{live}`` and ``{living-cluster}`` directives in small books: HTML, text and LaTeX, and the errors of a build."""
from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pictures
import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from clustersim import page

EXTENSIONS = Path(pictures.__file__).parent
CONF = """
import sys
sys.path.insert(0, {path!r})
extensions = ["myst_parser", "live", "living_cluster"]
numfig = True
html_theme = "basic"
"""
Build = Callable[..., Path]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def run(text: str, builder: str = "html") -> Path:
        source, out = tmp_path / "book", tmp_path / builder
        source.mkdir(exist_ok=True)
        (source / "conf.py").write_text(CONF.format(path=str(EXTENSIONS)), "utf-8")
        (source / "index.md").write_text("# A page\n\n" + text + "\n", "utf-8")
        with patch_docutils(str(source)), docutils_namespace():
            app = Sphinx(str(source), str(source), str(out), str(tmp_path / "doctrees"), builder, status=None,
                         warningiserror=True, freshenv=True)
            app.build(force_all=True)
        return out
    return run


class Page(HTMLParser):
    """Every element of a page with its attributes and the text inside."""

    VOID = {"meta", "link", "input", "br", "img", "hr"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[dict[str, Any]] = []
        self._open: list[dict[str, Any]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element: dict[str, Any] = {"tag": tag, "text": "", "inside": [e["tag"] for e in self._open], **dict(attrs)}
        self.elements.append(element)
        if tag not in self.VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()["tag"] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element["text"] += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, Any]]:
        return [e for e in self.elements if e["tag"] == tag and all(e.get(k) == v for k, v in wanted.items())]

    def one(self, tag: str, **wanted: str) -> dict[str, Any]:
        found = self.all(tag, **wanted)
        assert len(found) == 1, found
        return found[0]


def dead_controls(found: Page) -> list[dict[str, Any]]:
    """What a reader without JavaScript could press in a figure to no effect."""
    return [e for e in found.elements if e["tag"] in ("button", "input", "select") and "figure" in e["inside"]]


def read(out: Path) -> Page:
    return Page((out / "index.html").read_text("utf-8"))


def block(found: Page) -> dict[str, Any]:
    data = json.loads(found.one("script", type="application/json")["text"])
    assert isinstance(data, dict)
    return data


def test_the_page_holds_picture_caption_summary_and_table(build: Build) -> None:
    about = json.loads(page.describe("backfill"))
    found = read(build("```{live} backfill\n```"))
    assert found.one("figure", id="live-backfill")["class"].split() == ["cs-live"]
    assert found.one("live-experiment")["data-experiment"] == "backfill"
    pictures_found = found.all("div", role="img")
    assert [p["aria-label"] for p in pictures_found] == [f["alt"] for f in about["outcome"]["figures"]]
    assert found.one("p", **{"class": "lv-summary"})["text"] == about["outcome"]["summary"]
    assert about["caption"] in found.one("figcaption")["text"]
    cells = [e["text"] for e in found.all("td")]
    assert cells == [cell for row in about["outcome"]["table"]["rows"] for cell in row]
    assert not dead_controls(found)


def test_svg_is_hidden_from_screen_readers_and_its_ids_are_its_own(build: Build) -> None:
    out = build("```{live} three_researchers\n```\n\n```{live} no_scheduler\n```")
    found = read(out)
    drawings = found.all("svg")
    assert drawings and all(svg["aria-hidden"] == "true" and svg["focusable"] == "false" for svg in drawings)
    assert not [e for e in found.elements if "svg" in e["inside"] and ("role" in e or "aria-label" in e)]
    ids = [e["id"] for e in found.elements if e.get("id")]
    assert len(ids) == len(set(ids))
    used = set(re.findall(r"url\(#([^)]+)\)", (out / "index.html").read_text("utf-8")))
    assert used and used <= set(ids)


def test_the_description_is_in_the_page_without_the_outcome(build: Build) -> None:
    found = read(build("```{live} backfill\n```"))
    about = json.loads(page.describe("backfill"))
    assert block(found) == {key: about[key] for key in ("id", "title", "controls", "words")}


def test_a_preset_shows_another_case(build: Build) -> None:
    found = read(build("```{live} backfill\n:set: policy=fcfs jobs=50\n:name: live-fcfs\nOwn *caption*.\n```"))
    expected = json.loads(page.run("backfill", '{"policy": "fcfs", "jobs": 50}'))
    assert found.one("figure", id="live-fcfs")
    assert found.one("live-experiment")["data-key"] == "fcfs"
    assert found.one("p", **{"class": "lv-summary"})["text"] == expected["summary"]
    assert {c["name"]: c["default"] for c in block(found)["controls"]} | {"policy": "fcfs", "jobs": 50} == \
        {c["name"]: c["default"] for c in block(found)["controls"]}
    assert "Own caption." in found.one("figcaption")["text"]


def test_the_figure_is_numbered_and_can_be_referred_to(build: Build) -> None:
    found = read(build("See {numref}`live-no_scheduler`.\n\n```{live} no_scheduler\n```"))
    assert "See Fig. 1." in found.one("body")["text"]
    assert [a for a in found.all("a") if a.get("href") == "#live-no_scheduler"]


def test_scripts_only_where_a_live_figure_is(build: Build) -> None:
    names = {script.get("src", "").partition("?")[0] for script in read(build("```{live} backfill\n```")).all("script")}
    assert "_static/live/live.js" in names
    out = build("Nothing.")
    assert not [s for s in read(out).all("script") if "live/" in s.get("src", "") or "cluster/" in s.get("src", "")]
    for name in ("live.js", "live.mjs", "worker.mjs", "live.css", "figures.css"):
        assert (out / "_static" / "live" / name).is_file()


@pytest.mark.parametrize(("text", "hint"), [
    ("```{live} nosuch\n```", "nosuch"),
    ("```{live} backfill\n:set: policy=lifo\n```", "lifo"),
    ("```{live} backfill\n:set: jobs\n```", "control=value"),
    ("```{live} backfill\n:set: nosuch=1\n```", "nosuch"),
    ("```{live} backfill\n```\n\n```{live} backfill\n```", "live-backfill"),
])
def test_a_mistake_fails_the_build_and_names_itself(build: Build, text: str, hint: str) -> None:
    with pytest.raises(Exception, match=hint):
        build(text)


def test_too_many_shapes_fail_the_build(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_SHAPES", 3)
    with pytest.raises(Exception, match="make the page heavy"):
        build("```{live} no_scheduler\n```")


def test_every_default_is_light_enough() -> None:
    for name in page.experiments.IDS:
        for figure in json.loads(page.describe(name))["outcome"]["figures"]:
            assert pictures.shapes(pictures.svg(figure, pictures.WIDE, "x", "x")) <= pictures.MOST_SHAPES


def test_the_same_input_draws_the_same_picture() -> None:
    figure = json.loads(page.describe("no_scheduler"))["outcome"]["figures"][0]
    first = pictures.svg(figure, pictures.NARROW, "x", "x")
    assert first == pictures.svg(figure, pictures.NARROW, "x", "x")
    assert f'width="{pictures.NARROW}"' in first


def test_text_and_latex_get_caption_summary_and_table(build: Build) -> None:
    about = json.loads(page.describe("no_scheduler"))
    text = (build("```{live} no_scheduler\n```", "text") / "index.txt").read_text("utf-8")
    flat = " ".join(text.split())
    for wanted in (about["caption"], about["outcome"]["summary"], about["outcome"]["table"]["rows"][0][1]):
        assert wanted in flat
    out = build("```{live} no_scheduler\n```", "latex")
    tex = next(out.glob("*.tex")).read_text("utf-8")
    assert "includegraphics" in tex and "tabulary" in tex
    drawn = next(out.glob("live-no_scheduler-0.png")).read_bytes()
    assert drawn.startswith(b"\x89PNG")


def test_the_living_cluster_stands_without_a_script(build: Build) -> None:
    found = read(build("```{living-cluster}\n```"))
    assert found.one("figure", id="living-cluster")
    assert found.one("div", role="img")["aria-label"]
    assert not dead_controls(found)
    assert len(found.all("svg", **{"class": "lc-node"})) == block(found)["nodes"]
    text = (build("```{living-cluster}\n```", "text") / "index.txt").read_text("utf-8")
    assert "A made-up day" in text
