"""Pages at the widths of a phone, a tablet and a desk, and on paper: lines of a good length, nothing cut, nothing overlaid."""
from __future__ import annotations

from statistics import median
from typing import Any

import pytest

PAGES = ("book/index.html", "book/01-why-orchestrate.html", "book/05-backfill.html", "book/play.html", "book/style.html",
         "book/glossary.html", "notebooks/01-why-orchestrate.html")
WIDTHS = (390, 768, 1440)
PAPER = 718  # px: A4 less the margins that browsers leave


@pytest.fixture(scope="module")
def report(check: Any) -> dict[str, Any]:
    found: dict[str, Any] = check("looks.mjs", pages=list(PAGES), widths=list(WIDTHS), paper=PAPER)
    return found


@pytest.mark.parametrize("width", WIDTHS)
def test_lines_of_prose_have_45_to_80_characters(report: dict[str, Any], width: int) -> None:
    lines = {page: found[str(width)]["lines"] for page, found in report.items()}
    enough = {page: counts for page, counts in lines.items() if len(counts) >= 5}
    assert len(enough) >= 5
    assert {page: median(counts) for page, counts in enough.items() if not 45 <= median(counts) <= 80} == {}
    longest = {page: sorted(counts)[int(0.98 * len(counts))] for page, counts in enough.items()}
    assert {page: count for page, count in longest.items() if count > 88} == {}


@pytest.mark.parametrize("width", [*map(str, WIDTHS), "print"])
def test_nothing_is_cut_or_sticks_out(report: dict[str, Any], width: str) -> None:
    faults = {page: (found[width]["overflow"], found[width]["out"]) for page, found in report.items()}
    assert {page: fault for page, fault in faults.items() if fault[0] > 0 or fault[1]} == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_lies_on_something_else(report: dict[str, Any], width: int) -> None:
    assert {page: found[str(width)]["overlap"] for page, found in report.items() if found[str(width)]["overlap"]} == {}


def test_on_paper_everything_is_open_and_the_frame_is_gone(report: dict[str, Any]) -> None:
    assert {page: found["print"] for page, found in report.items() if found["print"]["hidden"] or found["print"]["frame"]} == {}
