"""A live figure: by keyboard, by link, several at once, slow, failing, without JavaScript and on paper."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from book_pages import BACKFILL, FIRST, WHY
from budgets import MOST_AFTER, MOST_BEFORE

from clustersim import experiments, page

SMALLEST = 44  # px of what a finger must hit
FIGURE = "live-backfill"


def summary(name: str, **settings: Any) -> str:
    """What CPython says: the page must say the same."""
    return str(json.loads(page.run(name, json.dumps(settings)))["summary"])


@pytest.fixture(scope="module")
def keyboard(check: Any) -> dict[str, Any]:
    found: dict[str, Any] = check("live.mjs", part="keyboard", page=BACKFILL)["keyboard"]
    return found


def test_keyboard_only(keyboard: dict[str, Any]) -> None:
    assert keyboard["tabs"] > 0
    first = experiments.experiment("backfill").controls[0].name
    assert keyboard["focus"] == first, "the focus went on to the first control"
    assert keyboard["printed"] == keyboard["started"]["summary"] == summary("backfill")
    assert keyboard["printed"] in keyboard["started"]["said"]


def test_a_move_changes_the_result_and_is_announced(keyboard: dict[str, Any]) -> None:
    moved, jobs = keyboard["moved"], int(keyboard["moved"]["value"])
    assert jobs == experiments.experiment("backfill").defaults()["jobs"] + 10
    assert moved["output"].startswith(str(jobs)) and moved["spoken"].startswith(str(jobs))
    assert moved["summary"] == summary("backfill", jobs=jobs) != keyboard["printed"]
    assert parse_qs(urlsplit(moved["address"]).query) == {"live.backfill.jobs": [str(jobs)]}


def test_bytes_before_and_after_the_click(keyboard: dict[str, Any]) -> None:
    assert keyboard["before"]["bytes"] <= MOST_BEFORE
    assert not [address for address in keyboard["before"]["addresses"] if "pyodide" in address]
    assert 1_000_000 < keyboard["bytes"] <= MOST_AFTER
    assert [address for address in keyboard["addresses"] if address.endswith("pyodide.asm.wasm")]


def test_the_running_figure_is_accessible_and_narrow_enough(keyboard: dict[str, Any]) -> None:
    assert keyboard["light"] == keyboard["dark"] == keyboard["phone"]["violations"] == []
    assert keyboard["phone"]["overflow"] <= 0
    assert set(keyboard["labels"]) == {1}
    assert [size for size in keyboard["sizes"] if size[1] < SMALLEST] == []
    assert len(keyboard["sizes"]) >= len(experiments.experiment("backfill").controls) + 3


def test_the_running_figure_asks_nobody_else_and_logs_no_error(keyboard: dict[str, Any]) -> None:
    assert keyboard["elsewhere"] == keyboard["errors"] == []
    assert keyboard["workers"] == 1


def test_the_live_picture_takes_the_place_of_the_printed_one(keyboard: dict[str, Any]) -> None:
    before, after = keyboard["boxes"]
    assert abs(after - before) <= 0.2 * before


def test_a_shared_link(check: Any) -> None:
    found = check("live.mjs", part="link", page=BACKFILL)["link"]
    prepared = found["prepared"]
    assert prepared["button"] == page.words()["start_shared"]
    assert prepared["printed"] == summary("backfill") and not prepared["pyodide"]
    shared, ignored = prepared["notices"]
    assert "FCFS" in shared and "50" in shared
    assert "nosuch" in ignored and "7" in ignored
    assert found["values"] | {"policy": "fcfs", "jobs": "50"} == found["values"]
    assert found["values"]["load"] == str(experiments.experiment("backfill").defaults()["load"])
    assert found["summary"] == summary("backfill", policy="fcfs", jobs=50)
    address = urlsplit(found["address"])
    assert parse_qs(address.query) == {"keep": ["1"], "live.backfill.policy": ["fcfs"], "live.backfill.jobs": ["60"]}
    assert address.fragment == FIGURE
    assert parse_qs(urlsplit(found["reset"]["address"]).query) == {"keep": ["1"]}
    assert found["reset"]["summary"] == summary("backfill")
    assert found["copied"] == found["reset"]["address"]
    assert found["errors"] == []


@pytest.mark.parametrize("where", [WHY, BACKFILL])
def test_all_figures_of_a_page_share_one_python(check: Any, where: str) -> None:
    found = check("live.mjs", part="together", page=where)["together"]
    assert len(found["ids"]) >= 2
    assert set(found["states"]) == {"live"}
    assert found["workers"] == found["runtime"] == 1
    assert found["errors"] == []


def test_stale_answers_are_dropped(check: Any) -> None:
    values = [50, 60, 70, 80, 90, 100]
    found = check("stale.mjs", page=BACKFILL, values=values)
    assert found["shown"] == [summary("backfill", jobs=values[-1])], "no other answer was ever on the page"
    assert found["drawn"] == [len(values)]
    assert found["asked"][0] == values[0] and found["asked"][-1] == values[-1]
    assert len(found["asked"]) < len(values), "moves during a question are taken together"
    assert found["said"] == found["shown"][-1] and found["errors"] == []


@pytest.fixture(scope="module")
def failures(check: Any, site: Path) -> dict[str, Any]:
    found: dict[str, Any] = check("failures.mjs", page=BACKFILL, file=str(site / BACKFILL))
    return found


WHY_NOT = {
    "worker": "failed_worker", "noWorker": "failed_worker", "noWasm": "failed_wasm", "brokenWasm": "failed_wasm",
    "offline": "failed_offline", "manifest": "manifest.json", "runtime": "pyodide.mjs", "interpreter": "pyodide.asm.mjs",
    "wasm": "pyodide.asm.wasm", "missing": "pyodide.asm.wasm", "library": "python_stdlib.zip", "wheel": ".whl",
    "charts": "vega-lite", "brokenPython": page.words()["failed_python"].partition("{")[0],
}


@pytest.mark.parametrize("case", sorted(WHY_NOT))
def test_a_start_that_fails_says_why_and_keeps_the_picture(failures: dict[str, Any], case: str) -> None:
    found, words = failures["cases"][case], page.words()
    assert found["ended"] == "failed"
    frame = words["failed"].partition("{why}")
    assert found["message"].startswith(frame[0]) and found["message"].endswith(frame[2])
    assert words.get(WHY_NOT[case], WHY_NOT[case]) in found["message"]
    assert found["said"] == found["message"], "a screen reader hears it"
    assert found["pictures"] >= 2 and found["summary"] == summary("backfill")
    assert "lv-retry" in found["focus"]


def test_the_cases_of_failure_are_all_looked_at(failures: dict[str, Any]) -> None:
    assert set(failures["cases"]) == set(WHY_NOT)


def test_a_server_that_does_not_know_wasm_is_good_enough(failures: dict[str, Any]) -> None:
    assert failures["untyped"] == "live"


def test_a_second_try_gets_there(failures: dict[str, Any]) -> None:
    assert failures["retry"] == {"first": "failed", "second": "live", "workers": 1}


def test_python_may_die_later(failures: dict[str, Any]) -> None:
    found = failures["dies"]
    assert "out of memory" in found["message"] and "out of memory" in found["other"]
    assert found["value"] == "60", "the setting is kept"
    assert found["workers"] == 1


def test_a_page_opened_from_a_file_says_so(failures: dict[str, Any]) -> None:
    assert page.words()["failed_file"] in failures["file"]["message"]
    assert failures["file"]["pictures"] >= 2


@pytest.fixture(scope="module")
def plain(check: Any) -> dict[str, Any]:
    found: dict[str, Any] = check("plain.mjs", pages=[FIRST, WHY, BACKFILL], start={BACKFILL: FIGURE})
    return found


@pytest.mark.parametrize("where", [FIRST, WHY, BACKFILL])
@pytest.mark.parametrize("how", ["withoutScript", "printed"])
def test_picture_caption_summary_and_table_without_script_and_on_paper(plain: dict[str, Any], where: str, how: str) -> None:
    figures = plain[where][how]["figures"] if how == "withoutScript" else plain[where][how]
    assert figures
    for figure in figures:
        assert figure["pictures"] >= 1 and figure["caption"] and figure["summary"] and figure["table"], figure
        assert figure["controls"] == 0, figure


def test_without_script_a_page_does_not_scroll_sideways(plain: dict[str, Any]) -> None:
    assert {name: found["withoutScript"]["overflow"] for name, found in plain.items()} == dict.fromkeys(plain, 0)


def test_a_running_figure_is_printed_too(plain: dict[str, Any]) -> None:
    figure = next(figure for figure in plain[BACKFILL]["live"] if figure["id"] == FIGURE)
    assert figure["pictures"] >= 1 and figure["caption"] and figure["table"] and figure["controls"] == 0


def test_paper_is_light_even_from_a_dark_screen(plain: dict[str, Any]) -> None:
    from clustersim.figures import PALETTE
    red, green, blue = (int(PALETTE["ink"][i:i + 2], 16) for i in (1, 3, 5))
    assert {found["ink"] for found in plain.values()} == {f"rgb({red}, {green}, {blue})"}
