"""Lighthouse on one page for each template: the first page, a chapter, a notebook, and a page made by a directive."""
from __future__ import annotations

from typing import Any

import pytest

TEMPLATES = ("book/index.html", "book/05-backfill.html", "notebooks/05-backfill.html", "book/play.html")
MOST_SHIFT = 0.05


@pytest.fixture(scope="module")
def report(check: Any) -> dict[str, Any]:
    found: dict[str, Any] = check("lighthouse.mjs", pages=list(TEMPLATES))
    assert set(found) == set(TEMPLATES) and not any(page["error"] for page in found.values())
    return found


@pytest.mark.parametrize("category", ["accessibility", "best-practices", "seo"])
def test_full_marks(report: dict[str, Any], category: str) -> None:
    assert {page: found["failed"] for page, found in report.items() if found["scores"][category] < 100} == {}


def test_the_page_does_not_move_while_it_loads(report: dict[str, Any]) -> None:
    assert {page: found["shift"] for page, found in report.items() if not 0 <= found["shift"] < MOST_SHIFT} == {}
