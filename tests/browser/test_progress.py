"""What was read and solved stays in the reader's browser; answers are checked in the page as in the notebook."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from book_pages import BACKFILL

from clustersim import checks

NOTEBOOK = "notebooks/05-backfill.html"
EXERCISE = "ex-05-1"


def right() -> str:
    item = checks.exercise(EXERCISE)
    return item.show(checks.truth(EXERCISE))


@pytest.fixture(scope="module")
def found(check: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    answers = [["wrong", EXERCISE, "big1"], ["unusable", EXERCISE, "no such job"], ["right", EXERCISE, right()]]
    report: dict[str, Any] = check("progress.mjs", chapter=BACKFILL, notebook=NOTEBOOK, answers=answers,
                                   file=str(tmp_path_factory.mktemp("progress") / "saved.json"))
    return report


@pytest.fixture(scope="module")
def reading(found: dict[str, Any]) -> dict[str, Any]:
    part: dict[str, Any] = found["reading"]
    return part


def test_a_chapter_is_marked_where_it_is_named(reading: dict[str, Any]) -> None:
    assert reading["before"] == {"pressed": "false", "kept": None}
    assert reading["after"]["pressed"] == "true" and list(reading["after"]["kept"]["pages"]) == ["book/05-backfill"]
    assert reading["after"]["here"] == 1 and reading["elsewhere"] == ["05-backfill.html"]


def test_the_table_counts_what_the_simulator_told(reading: dict[str, Any]) -> None:
    day = reading["after"]["kept"]["pages"]["book/05-backfill"]
    assert reading["table"]["chapter"] == [day, "–"]
    assert reading["table"]["notebook"] == ["–", f"1 of {len(checks.exercises(5))}"]


def test_it_is_saved_erased_after_a_question_and_read_again(reading: dict[str, Any]) -> None:
    saved = reading["saved"]
    assert saved["name"] == "olst-progress.json" and saved["name"] in saved["said"]
    assert list(saved["data"]["exercises"]) == ["ex-05-2"], "what is no exercise is not kept"
    assert reading["refused"] == saved["data"]
    assert reading["erased"] == {"kept": None, "table": ["–", "–"], "marks": []}
    assert reading["back"]["kept"] == saved["data"] and "pages 1, exercises 1" in reading["back"]["said"]


def test_a_file_of_another_kind_changes_nothing(reading: dict[str, Any]) -> None:
    assert all("nothing was changed" in said for said in reading["said"][:2])
    assert reading["unharmed"] == reading["saved"]["data"]


def test_a_mark_can_be_taken_away(reading: dict[str, Any]) -> None:
    assert reading["undone"] == {"pressed": "false", "pages": {}}


def test_nothing_is_sent_and_nothing_goes_wrong(found: dict[str, Any]) -> None:
    for part in ("reading", "answering"):
        assert found[part]["outside"] == found[part]["errors"] == found[part]["axe"] == []


def test_a_browser_that_keeps_nothing(found: dict[str, Any]) -> None:
    part = found["forgetful"]
    assert part["now"] == {"pressed": "true", "here": 1} and part["errors"] == []
    assert "does not let the book keep" in part["said"] and part["table"] == ["–", "–"]


def test_answers_are_judged_as_in_the_notebook(found: dict[str, Any]) -> None:
    told = found["answering"]["told"]
    assert {name: told[name]["verdict"] for name in told} == {"wrong": "wrong", "unusable": "unusable", "right": "right"}
    item = checks.exercise(EXERCISE)
    assert told["right"]["text"] == checks.judge(item, right()).message.replace("`", "")
    checks.forget()
    assert told["wrong"]["text"] == checks.judge(item, "big1").message.replace("`", "")
    assert "separated by commas" in told["unusable"]["text"] and "reveal(" not in told["wrong"]["text"]


def test_python_is_loaded_at_the_first_check_only_and_once(found: dict[str, Any]) -> None:
    assert found["answering"]["light"] == 0 and found["answering"]["workers"] == 1
    assert found["answering"]["marked"] == 1


def test_every_exercise_of_a_notebook_has_its_form(site: Path) -> None:
    for path in sorted((site / "notebooks").glob("*.html")):
        text = path.read_text("utf-8")
        ids = [item.id for item in checks.exercises(int(path.name[:2]))]
        assert ids and [name for name in ids if text.count(f'data-exercise="{name}"') != 1] == [], path.name
