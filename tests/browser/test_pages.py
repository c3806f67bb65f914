"""Every page: its own origin only, no error, accessible in light, dark and on a phone, light enough, safe."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from book_pages import BACKFILL
from budgets import MOST_BEFORE

WAYS = ["script-src-attr inline", "script-src-elem data", "script-src-elem http://127.0.0.1:9/slipped.js",
        "script-src-elem inline"]  # of slipping a script in, as the browser names what it refuses


@pytest.fixture(scope="module")
def report(check: Any, pages: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = check("pages.mjs", pages=pages, ways=WAYS)
    assert set(found) == set(pages) and len(pages) > 5
    return found


def faults(report: dict[str, Any], key: str) -> dict[str, list[str]]:
    return {page: found[key] for page, found in report.items() if found[key]}


def test_nothing_is_asked_of_another_origin(report: dict[str, Any]) -> None:
    assert faults(report, "elsewhere") == {}


def test_no_console_error(report: dict[str, Any]) -> None:
    assert faults(report, "errors") == {}


@pytest.mark.parametrize("view", ["light", "dark", "phone"])
def test_axe_finds_nothing(report: dict[str, Any], view: str) -> None:
    assert faults(report, view) == {}


def test_the_dark_view_was_dark(report: dict[str, Any]) -> None:
    pages = {page: found["theme"] for page, found in report.items() if page != "index.html"}
    assert set(pages.values()) == {"dark"}


def test_a_phone_does_not_scroll_sideways(report: dict[str, Any]) -> None:
    assert {page: found["overflow"] for page, found in report.items() if found["overflow"] > 0} == {}


def test_light_before_a_click_and_nothing_of_pyodide(report: dict[str, Any]) -> None:
    assert {page: found["bytes"] for page, found in report.items() if not 1_000 < found["bytes"] <= MOST_BEFORE} == {}
    loaded = {address for found in report.values() for address in found["addresses"]}
    assert not [address for address in loaded if any(part in address for part in ("pyodide", ".whl", ".wasm", "/vega/"))]
    assert any(address.endswith("manifest.json") for address in loaded), "the Start button says how much it loads"


def test_a_script_slipped_into_a_page_does_not_run(check: Any) -> None:
    ways = ["script-src eval", "script-src-attr inline", "script-src-elem data", *["script-src-elem inline"] * 3]
    found = check("csp.mjs", page=BACKFILL, ways=len(ways))
    assert found["there"], "the test did put its mark-up into the page"
    assert found["ran"] is None
    assert found["refused"] == ways


def test_no_page_runs_or_fetches_what_is_slipped_in(report: dict[str, Any]) -> None:
    assert {page: found["slipped"] for page, found in report.items()
            if found["slipped"] != {"ran": None, "refused": WAYS}} == {}


def test_every_page_has_the_policy(site: Path, pages: list[str]) -> None:
    for page in pages:
        text = (site / page).read_text("utf-8")
        head, _policy, rest = text.partition('http-equiv="Content-Security-Policy"')
        policy = rest.partition(">")[0]
        assert "default-src 'none'" in policy and "'wasm-unsafe-eval'" in policy, page
        scripts = policy.partition("script-src")[2].partition(";")[0]
        assert "'unsafe-eval'" not in policy and "unsafe-inline" not in scripts, page
        assert "<script" not in head, page
