"""Live figures answer in the language of their page: controls, summaries, tables and charts come from Python in the browser."""
from __future__ import annotations

import re
from typing import Any

import pytest

FIGURES = ("no_scheduler", "three_researchers")
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
SENTENCE = re.compile(r"\b[A-Za-z]+(?: [a-z]{2,}){2,}")


@pytest.fixture(scope="module")
def report(check: Any) -> dict[str, Any]:
    found: dict[str, Any] = check("speaking.mjs", page="ja/book/01-why-orchestrate.html", figures=FIGURES)
    assert found["errors"] == []
    return found


@pytest.mark.parametrize("figure", FIGURES)
def test_a_started_figure_speaks_japanese(report: dict[str, Any], figure: str) -> None:
    seen = report["figures"][figure]
    assert JAPANESE.search(seen["before"]) and JAPANESE.search(seen["after"]) and seen["before"] != seen["after"]
    assert len(seen["texts"]) > 5
    assert [match[0] for text in seen["texts"] for match in SENTENCE.finditer(text)] == []
