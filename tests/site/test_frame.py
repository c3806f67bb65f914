"""The frame around the text in a real browser: contents, colours, search, focus, and the length of lines."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.site.small_book import run_tests, serve

sys.path.insert(0, str(ROOT / "tests" / "browser"))

import program

pytestmark = [pytest.mark.browser, pytest.mark.site]
NAVIGATION = "cs-nav"


@pytest.fixture(scope="module")
def frame(site: Path) -> dict[str, Any]:
    with serve.serving(site, "/book/") as base:
        return program.run("../site/frame.mjs", base)


def test_contents_on_a_phone_by_keyboard(frame: dict[str, Any]) -> None:
    seen = frame["phone"]
    assert not seen["before"] and seen["opened"] and seen["inside"] and seen["closed"]
    assert seen["back"] == NAVIGATION, "the focus returns to the button"
    assert seen["overflow"] <= 0 and seen["errors"] == []


def test_contents_without_javascript(frame: dict[str, Any]) -> None:
    seen = frame["plain"]
    assert seen["opened"] and seen["closed"]
    assert not seen["colours"] and not seen["search"], "what needs a script does not show without one"


def test_contents_and_headings_stand_beside_the_text_on_a_desk(frame: dict[str, Any]) -> None:
    seen = frame["desk"]
    assert seen["nav"] and seen["toc"] and seen["errors"] == []
    assert [text in seen["heading"] for text in seen["third"]] == [True], "the list of headings shows where one is"
    assert seen["here"] == [seen["last"]], "at the end of the page, too"


def test_lines_have_45_to_80_characters(frame: dict[str, Any]) -> None:
    paragraphs = frame["desk"]["lines"]
    # The last line of a paragraph is half full on average.
    means = [p["characters"] / (p["lines"] - 0.5) for p in paragraphs]
    assert len(means) > 3 and 45 <= sum(means) / len(means) <= 80, means


def test_the_first_stop_skips_to_the_text_and_focus_shows(frame: dict[str, Any]) -> None:
    skip = frame["desk"]["skip"]
    assert skip["target"] == "#main-content" and skip["top"] >= 0 and skip["height"] > 20
    assert frame["desk"]["outline"] >= 2


def test_the_colour_switch_keeps_its_choice(frame: dict[str, Any]) -> None:
    assert frame["colours"]["seen"] == [["auto", "light"], ["light", "light"], ["dark", "dark"]]
    assert frame["colours"]["kept"] == ["dark", "dark"] and frame["colours"]["background"] == "rgb(18, 18, 18)"


def test_the_search_finds_a_word(frame: dict[str, Any]) -> None:
    found = frame["search"]
    assert any("05-backfill.html" in link for link in found["links"]) and found["errors"] == []
    assert found["title"]


DIAGRAMS = {"aaaa": "flowchart LR\n  a[one] -- text --> b[two]", "bbbb": "sequenceDiagram\n  participant A\n  A->>B: hello"}


def test_diagrams_are_drawn_in_the_colours_of_the_page(tmp_path: Path) -> None:
    command = [program.node(), str(ROOT / "site" / "build" / "draw_diagrams.mjs"), str(tmp_path)]
    environment = {"CHROMIUM": run_tests.chromium() or "", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    subprocess.run(command, input=json.dumps(DIAGRAMS), text=True, check=True, capture_output=True, env=environment)
    for key in DIAGRAMS:
        text = (tmp_path / f"{key}.svg").read_text("utf-8")
        ids = [part.split('"')[0] for part in text.split(' id="')[1:]]
        assert ids and all(i.startswith(f"m{key}") for i in ids) and len(ids) == len(set(ids))
        assert "var(--cs-diagram-ink, #1d2733)" in text and 'aria-hidden="true"' in text and "foreignObject" not in text
