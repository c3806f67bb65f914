"""Terms of the glossary are explained where they stand: pointer, keyboard, touch, screen reader, and without a script."""
from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from book_pages import BACKFILL

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def found(check: Any) -> dict[str, Any]:
    report: dict[str, Any] = check("terms.mjs", page=BACKFILL)
    return report


@pytest.fixture(scope="module")
def wanted(site: Path) -> str:
    """What the glossary says of the first term of the page."""
    page = (site / BACKFILL).read_text("utf-8")
    term = re.search(r'<a class="reference internal cs-term" href="glossary\.html#term-[^"]*"[^>]*><span[^>]*>([^<]*)<', page)
    assert term is not None
    text = (ROOT / "book" / "glossary.md").read_text("utf-8")
    return re.search(rf"^{re.escape(unescape(term[1]))}\n  (.*)$", text, re.MULTILINE)[1]  # type: ignore[index]


def test_hover_explains_and_the_pointer_may_go_in(found: dict[str, Any], wanted: str) -> None:
    assert found["pointer"]["over"] == found["pointer"]["inside"] == wanted
    assert found["pointer"]["left"] is None


def test_escape_closes(found: dict[str, Any]) -> None:
    assert found["pointer"]["escaped"] is None and found["keyboard"]["escaped"] is None
    assert found["keyboard"]["kept"], "the focus stays"


def test_focus_explains_and_enter_follows(found: dict[str, Any], wanted: str) -> None:
    assert found["keyboard"]["focused"] == found["keyboard"]["again"] == wanted


def test_a_screen_reader_hears_it_without_the_box(found: dict[str, Any], wanted: str) -> None:
    assert found["keyboard"]["described"] == wanted


def test_a_first_tap_explains_and_a_second_follows(found: dict[str, Any], wanted: str) -> None:
    assert found["touch"]["first"].startswith(wanted) and len(found["touch"]["first"]) > len(wanted), "it says how to go on"
    assert found["touch"]["stayed"]


def test_it_stays_inside_the_window(found: dict[str, Any]) -> None:
    assert found["outside"] == found["touch"]["outside"] == []


def test_without_a_script_the_link_leads_to_the_glossary(found: dict[str, Any]) -> None:
    assert found["silent"] == {"visible": False, "there": 1}


def test_nothing_goes_wrong(found: dict[str, Any]) -> None:
    assert found["pointer"]["axe"] == found["errors"] == found["elsewhere"] == []


def test_every_term_on_every_page_has_its_explanation(site: Path, pages: list[str]) -> None:
    counted = 0
    for page in pages:
        text = (site / page).read_text("utf-8")
        links = len(re.findall(r"xref std std-term", text))
        described = re.findall(r'cs-term" href="[^"]*" aria-describedby="([^"]+)"', text)
        assert links == len(described), page
        assert all(f'<p id="{name}">' in text for name in described), page
        counted += links
    assert counted >= 40
