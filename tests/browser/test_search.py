"""The search finds what people type, in each language, on any static server, and asks nobody else."""
from __future__ import annotations

from typing import Any

import pytest

# What is typed, and a page that must be among the first three.
ENGLISH = {
    "bf_interval": "book/05-backfill.html", "fair share": "book/04-priority-and-fair-share.html",
    "checkpoint": "book/18-checkpointing.html", "backfilling": "book/05-backfill.html",
    "Xid": "book/17-detecting-failures.html",
    "nvidia-smi": "book/01-why-orchestrate.html", "preemption": "book/06-preemption-and-limits.html",
    "topology": "book/07-nodes-gpus-and-topology.html", "who gets the GPUs": "book/01-why-orchestrate.html",
    "spare nodes": "book/19-recovering.html",
}
# Compounds, parts of compounds, words without a space before or after them; and English words of untranslated pages.
JAPANESE = {
    "バックフィル": "ja/book/01-why-orchestrate.html", "スケジューラー": "ja/book/01-why-orchestrate.html",
    "優先度": "ja/book/01-why-orchestrate.html", "オーケストレーター": "ja/book/01-why-orchestrate.html",
    "研究者": "ja/book/01-why-orchestrate.html", "チェックポイント": "ja/book/index.html",
    "時間制限": "ja/book/01-why-orchestrate.html",
    "演習": "ja/notebooks/01-why-orchestrate.html", "bf_interval": "book/05-backfill.html",
}
NOTHING = "qwertzuiop"
MOST_BYTES = 700_000  # for all questions of this test together


@pytest.fixture(scope="module")
def report(check: Any) -> dict[str, Any]:
    asked = [["", term] for term in (*ENGLISH, NOTHING)] + [["ja/", term] for term in (NOTHING, *JAPANESE)]
    found: dict[str, Any] = check("search.mjs", asked=asked)
    return found


def addresses(answer: dict[str, Any]) -> list[str]:
    return [link["href"].split("/book/", 1)[1] for link in answer["pages"]]  # the site is served below /book/


@pytest.mark.parametrize(("folder", "term", "page"), [
    *(("", term, page) for term, page in ENGLISH.items()), *(("ja/", term, page) for term, page in JAPANESE.items())])
def test_the_right_page_is_among_the_first_three(report: dict[str, Any], folder: str, term: str, page: str) -> None:
    answer = report["found"][f"{folder}:{term}"]
    assert page in addresses(answer)[:3], addresses(answer)
    assert term in answer["said"]


def test_results_name_places_in_the_page(report: dict[str, Any]) -> None:
    places = [link["href"] for answer in report["found"].values() for link in answer["places"]]
    assert any("05-backfill.html#" in place for place in places)


def test_english_pages_stand_apart_in_an_edition_and_translated_ones_not_twice(report: dict[str, Any]) -> None:
    answer = report["found"]["ja/:bf_interval"]
    assert answer["heads"] == ["英語のページ"]
    for term in JAPANESE:
        found = addresses(report["found"][f"ja/:{term}"])
        assert not {"book/index.html", "book/01-why-orchestrate.html", "notebooks/01-why-orchestrate.html"} & set(found)


@pytest.mark.parametrize(("folder", "words"), [("", "No page has"), ("ja/", "含むページはありません")])
def test_what_is_nowhere_is_not_found(report: dict[str, Any], folder: str, words: str) -> None:
    answer = report["found"][f"{folder}:{NOTHING}"]
    assert answer["pages"] == [] and words in answer["said"] and NOTHING in answer["said"]


def test_a_result_opens_and_nothing_goes_wrong(report: dict[str, Any]) -> None:
    assert report["first"]["title"] and report["errors"] == [] and report["elsewhere"] == [] and report["axe"] == []
    assert 0 < report["bytes"] <= MOST_BYTES
