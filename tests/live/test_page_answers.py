"""Answers typed into a page: judged as in the notebook, and told to the browser when they are right."""
from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from clustersim import checks, page
from tests.conftest import ROOT

CHAPTERS = sorted(int(path.stem[2:]) for path in (ROOT / "clustersim" / "exercises").glob("ch[0-9][0-9].py"))
ALL = [pytest.param(item, id=item.id) for chapter in CHAPTERS for item in checks.exercises(chapter)]


def said(exercise_id: str, answer: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.check(exercise_id, answer))
    return found


@pytest.mark.parametrize("item", ALL)
def test_the_right_answer_can_be_typed(item: checks.Exercise) -> None:
    """As the solution shows it: what a reader sees there must be what the page takes."""
    text = item.show(checks.truth(item.id))
    assert said(item.id, text)["verdict"] == "right", text


@pytest.mark.parametrize("item", ALL)
def test_what_cannot_be_read_is_answered_with_how_to_write_it(item: checks.Exercise) -> None:
    found = said(item.id, "no such answer, whatever?")
    assert found["verdict"] == "unusable" and page.answer_form(item)["wanted"] in found["message"]
    assert "set()" not in found["message"] and "{'" not in found["message"], "not Python's way of writing"


def test_a_wrong_answer_gets_its_hint_and_no_command_of_the_notebook() -> None:
    for _time in range(3):
        found = said("ex-05-1", "big1")
    assert found["verdict"] == "wrong" and "reveal(" not in found["message"]
    assert "reveal(" in checks.check("ex-05-1", "big1").message


def test_the_empty_set_is_written_as_none() -> None:
    item = next(item for chapter in CHAPTERS for item in checks.exercises(chapter) if item.form == "names")
    assert said(item.id, " None ")["verdict"] in ("right", "wrong")


def test_an_unknown_exercise_is_a_message() -> None:
    found = said("ex-99-1", "1")
    assert not found["ok"] and "ex-99-1" in found["error"]


def test_choices_are_offered_and_nothing_else_is() -> None:
    for item in (item for chapter in CHAPTERS for item in checks.exercises(chapter)):
        assert page.answer_form(item)["options"] == (list(item.options) if item.form == "choice" else [])


def test_a_right_answer_is_told_to_the_browser_and_a_wrong_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    channel = SimpleNamespace(postMessage=told.append, close=lambda: told.append("closed"))
    made = SimpleNamespace(new=lambda name: channel if name == "olst-solved" else None)
    monkeypatch.setitem(sys.modules, "js", SimpleNamespace(BroadcastChannel=made))
    right = checks.exercise("ex-05-1").show(checks.truth("ex-05-1"))
    checks.check("ex-05-1", right)
    assert told == [], "outside of a browser there is nobody to tell"
    monkeypatch.setattr(sys, "platform", "emscripten")
    checks.check("ex-05-1", "big1")
    assert told == []
    checks.check("ex-05-1", right)
    assert told == ["ex-05-1", "closed"]


def test_the_names_are_those_of_the_script() -> None:
    for name in ("styles/progress.js", "lite/links.js"):
        assert '"olst-solved"' in (ROOT / "site" / name).read_text("utf-8")
