"""Every exercise of every chapter: its answer is computed, its wrong answers are caught, each by a hint of its own."""
from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

from clustersim import answers
from clustersim.checks import KINDS, Exercise, check, compare, exercise, exercises, forget, predict, reveal, truth
from clustersim.exercises import ch01, ch05
from clustersim.messages import _
from clustersim.units import HOUR, MINUTE
from tests.conftest import ROOT

CHAPTERS = sorted(int(path.stem[2:]) for path in (ROOT / "clustersim" / "exercises").glob("ch[0-9][0-9].py"))
ALL = [pytest.param(item, id=item.id) for chapter in CHAPTERS for item in exercises(chapter)]

# Worked out by hand from the story, the record or the rule; the exercises compute theirs.
BY_HAND: dict[str, Any] = {
    "ex-01-1": {"C"},                                        # 00:37, on the GPU where Bob's process still loads
    "ex-01-2": "launches show at once",                      # no gap between choosing and showing
    "ex-01-3": "03:00",                                      # A gives two GPUs back
    "ex-01-4": ["A ends", "C starts", "C ends", "B ends"],   # 3 h, 3 h, 4 h, 5 h
    "ex-01-5": 4 * 5 - (2 * 3 + 2 * 5 + 1 * 1),              # GPU hours offered until 05:00, less what is used
    "ex-01-6": "A",
    "ex-01-7": 2 + 2 + 1,
    "ex-04-1": ["hi", "me", "hi_nice", "me_nice", "lo"],      # 100, 50, 100 - 60, 50 - 30 and 10 thousand
    "ex-04-2": 100_000 - 10_000,                             # level with lo, which came earlier
    "ex-04-3": 20_063 - 10_000 + 100_000,
    "ex-04-4": "dave, of the same account, had used less",   # sshare: 0 against 1,202
    "ex-04-5": 12_804 * 40 / 60 - 1_202,
    "ex-04-6": ["bob", "alice", "dave", "carol"],
    "ex-04-7": "06:45",                                      # 3 h + 625 points at 1,000 / 6 h, then the next recalculation
    "ex-05-1": {"small"},
    "ex-05-2": "11 min",                                     # the limit of big1, which started at 0
    "ex-05-3": ["big1", "small", "wide", "small_long"],
    "ex-05-4": 5,                                            # from 5 min and a moment (small is out) to 11 min
    "ex-05-5": {"too_long"},
    "ex-05-6": 0 + 16 * MINUTE - 902,                        # run2's limit less the measured start of top
    "ex-05-7": {"second"},
    "ex-05-8": "those who ask exactly",
    "ex-05-9": "bf_job_part_count_reserve=1",                # a plan for the first of the partition only
    "ex-05-10": 20 - 1 - 1,                                  # 00:27 rounded down to 00:20, from 00:01, and must not touch
    "ex-05-11": 120,                                         # big's limit, a multiple of the slider's step
    "ex-05-12": "m21",                                       # passes m13 to m20
    "ex-05-13": {"m15", "m21"},                              # 999 or 1,386 s; 1,000 or 1,246 s
    "ex-06-1": {"low1"},
    "ex-06-2": 180 + 121,                                    # stopped at 180 s
    "ex-06-3": 180 * 2 / 60,                                 # 180 s on two nodes
    "ex-06-4": "alice holds as many GPUs as the QOS allows one user",
    "ex-06-5": 10,                                           # MaxWall=00:10:00
    "ex-06-6": 901 - 600,
    "ex-06-7": {"requeue", "cancel"},
    "ex-06-8": 5 * MINUTE + 1,
    "ex-07-1": {"c1", "d1"},                                 # four cores at weight 10, eight more at weight 20
    "ex-07-2": 20 - 1,
    "ex-07-3": {"g7"},                                       # at 90 s, before g5 and g6
    "ex-07-4": "gpu3 was planned for a job that waits",
    "ex-07-5": 5 * 4 + 1,
    "ex-07-6": 543 - 60,                                     # g5 with four, then g6 with three and g7 with one
    "ex-07-7": 2 / 0.1,
    "ex-07-8": {"s2"},                                       # n7 and n8
    "ex-07-9": 661 - 559,
    "ex-16-1": "7 h 13 min",                                 # 24,000 / (512 x 6.5)
    "ex-16-2": 43.5,                                         # exp(-24/28.85)
    "ex-16-3": 100 * (148 + 72 + 19 + 17 + 6 + 6) / 419,
    "ex-16-4": 584 - 231,
    "ex-16-5": 54 * 1440 / 20 / 466,
    "ex-16-6": 8 * 6335,                                     # 24,000 / 3.789 = 6,334.1 nodes
    "ex-17-1": "150 s",                                      # half of the five minutes between two checks
    "ex-17-2": 100 * 590 * 512 * 6.5 / 24_000 / 3600,        # 512 nodes
    "ex-17-3": 35 + 17 + 7 + 7,                              # switch or cable, system processor, NIC, watchdog
    "ex-17-4": "drain_reset_gpu",                            # the pairing rule of 48 with 63
    "ex-17-5": 12 - 4,                                       # without eud, cpu_eud, nccl_tests and rist
    "ex-17-6": 205,
    "ex-17-7": 38.7,                                         # 3/7 x (1 - exp(-7/3))
    "ex-18-1": (2 * 60 * 10_800) ** 0.5,
    "ex-18-2": "half",                                       # the root of a quarter
    "ex-18-3": "the same",                                   # Daly's optimum knows no restart time
    "ex-18-4": "17 min",                                     # half of 30, and 2
    "ex-18-5": 48 * 60 - 20 * 60,                            # trained until 50 min, less the first 20
    "ex-18-6": 72 / 3 + 1,
    "ex-19-1": 13,                                           # worked example T20
    "ex-19-2": 5,                                            # Poisson 1.664: 0.991 at 5, 0.972 at 4
    "ex-19-3": 100 * 2 / 3 / 16,
    "ex-19-4": 100 * (453 - 40) / (660 + 453),
    "ex-19-5": 73,
    "ex-19-6": 2.7,                                          # mean 0.1068: 506 x 0.0053
    "ex-19-7": "saves in the background",                    # 490 s of every 2,290 s
}


@pytest.fixture(autouse=True)
def fresh_session() -> Iterator[None]:
    forget()
    yield
    forget()


def test_both_chapters_have_what_they_promise() -> None:
    assert len(exercises(1)) >= 5 and len(exercises(5)) >= 6
    assert any(item.kind == "forensic" for item in exercises(5))
    assert any(item.kind == "fix-the-diagram" for item in exercises(1))
    assert set(BY_HAND) == {item.id for chapter in CHAPTERS for item in exercises(chapter)}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_ids_count_up_within_the_chapter(chapter: int) -> None:
    assert [item.id for item in exercises(chapter)] == [f"ex-{chapter:02d}-{k}" for k in range(1, len(exercises(chapter)) + 1)]


@pytest.mark.parametrize("item", ALL)
def test_the_hand_worked_answer_passes(item: Exercise) -> None:
    feedback = check(item.id, BY_HAND[item.id])
    assert feedback.verdict == "right", feedback
    assert item.text(item.solution) in feedback.message


@pytest.mark.parametrize("item", ALL)
def test_the_expected_answer_is_computed(item: Exercise) -> None:
    """It calls into the simulator, theory or a record: a function that names nothing can only return what was typed."""
    assert inspect.unwrap(item.expected).__code__.co_names
    assert answers.same(truth(item.id), item.read(item.expected()), 0.0), "two computations must agree"


@pytest.mark.parametrize("item", ALL)
def test_three_dots_are_a_friendly_note(item: Exercise) -> None:
    for feedback in (check(item.id, ...), check(item.id), predict(item.id, ...), predict(item.id)):
        assert feedback.verdict == "unanswered" and item.id in feedback.message
    assert item.wanted in predict(item.id).message
    assert compare(item.id).verdict == "unanswered"


@pytest.mark.parametrize("item", ALL)
def test_every_misconception_gets_its_own_hint(item: Exercise) -> None:
    assert item.misconceptions
    values = [item.read(slip.value()) for slip in item.misconceptions]
    hints = [item.text(slip.hint) for slip in item.misconceptions]
    assert len({*hints, item.text(item.hint)}) == len(hints) + 1
    for place, (value, hint) in enumerate(zip(values, hints, strict=True)):
        assert not answers.same(value, truth(item.id), item.tolerance), f"misconception {place} is right"
        twice = [other for other in values[:place] if answers.same(value, other, item.tolerance)]
        assert not twice, f"misconception {place} comes twice"
        forget()
        feedback = check(item.id, item.misconceptions[place].value())
        assert feedback.verdict == "wrong" and hint in feedback.message
        assert not any(other in feedback.message for other in hints if other != hint)


@pytest.mark.parametrize("item", ALL)
def test_hints_come_before_the_answer(item: Exercise) -> None:
    wrong = item.misconceptions[0].value()
    first, second = check(item.id, wrong), check(item.id, wrong)
    assert "reveal" not in first.message and f'reveal("{item.id}")' in second.message
    revealed = reveal(item.id)
    answer = answers.show(item.form, truth(item.id), item.unit)
    assert answer in revealed.message and item.code.splitlines()[0] in revealed.message


@pytest.mark.parametrize("item", ALL)
def test_what_cannot_be_an_answer_is_said_to_be_so(item: Exercise) -> None:
    for nonsense in (None, object(), "no such thing", 3j):
        feedback = check(item.id, nonsense)
        assert feedback.verdict == "unusable" and item.wanted in feedback.message


@pytest.mark.parametrize("item", ALL)
def test_a_guess_is_kept_and_shown_beside_the_truth(item: Exercise) -> None:
    guess = item.misconceptions[0].value()
    shown = item.show(guess)
    assert predict(item.id, guess).verdict == "noted"
    beside = compare(item.id)
    assert shown in beside.message and answers.show(item.form, truth(item.id), item.unit) in beside.message
    assert shown in check(item.id, BY_HAND[item.id]).message


@pytest.mark.parametrize("item", ALL)
def test_the_words_are_in_order(item: Exercise) -> None:
    assert item.kind in KINDS and item.question[-1] in "?.)"
    texts = [item.question, item.hint, item.solution, *(slip.hint for slip in item.misconceptions)]
    for text in texts:
        assert not re.search(r"[{}]", item.text(text)), "a field is left unfilled"
        assert "  " not in text and text == text.strip()
    assert len(item.code.splitlines()) + 1 <= 15 and "solution = " in item.code


@pytest.mark.parametrize("item", ALL)
def test_every_sentence_goes_through_the_catalogue(item: Exercise, monkeypatch: pytest.MonkeyPatch) -> None:
    class Marked:
        def gettext(self, text: str) -> str:
            return f"«{text}»"

        def ngettext(self, one: str, many: str, n: int) -> str:
            return f"«{one if n == 1 else many}»"

    expected = truth(item.id)
    wrong = item.misconceptions[0].value()
    monkeypatch.setattr("clustersim.messages._catalogue", Marked())
    assert _("x") == "«x»"
    said = [check(item.id), check(item.id, wrong), check(item.id, None), predict(item.id, wrong), compare(item.id),
            reveal(item.id)]
    for feedback in said:
        assert feedback.message.startswith("«")
    assert item.text(item.misconceptions[0].hint).startswith("«")
    assert answers.same(truth(item.id), expected)


def test_a_bare_number_of_hours_is_told_apart_from_seconds() -> None:
    feedback = check("ex-01-3", 3)
    assert feedback.verdict == "wrong" and "'3 h'" in feedback.message
    assert "'11 min'" in check("ex-05-2", 11).message


def test_minutes_written_as_hours_are_told_apart() -> None:
    feedback = check("ex-05-2", "11:00")
    assert feedback.verdict == "wrong" and "hours and minutes" in feedback.message


def test_a_far_answer_gets_the_general_hint() -> None:
    feedback = check("ex-01-3", "23:17")
    assert feedback.verdict == "wrong" and exercise("ex-01-3").hint in feedback.message


def test_a_guess_that_agrees_is_told_so() -> None:
    predict("ex-01-3", "03:00")
    assert "agree" in compare("ex-01-3").message
    predict("ex-01-3", "05:00")
    assert "2 h too high" in compare("ex-01-3").message


def test_a_guess_that_cannot_be_read_is_not_kept() -> None:
    assert predict("ex-01-3", "soon").verdict == "unusable"
    assert compare("ex-01-3").verdict == "unanswered"


def test_feedback_prints_as_text_and_as_html_without_markup_from_the_answer() -> None:
    feedback = check("ex-01-3", "<b>5</b>")
    bundle = feedback._repr_mimebundle_()
    assert bundle["text/plain"] == str(feedback) and all(len(line) <= 88 for line in str(feedback).splitlines())
    assert "<b>" not in bundle["text/html"] and "&lt;b&gt;" in bundle["text/html"] and 'role="status"' in bundle["text/html"]
    assert "<code>big1</code>" in reveal("ex-05-2")._repr_mimebundle_()["text/html"]
    code = reveal("ex-01-3")._repr_mimebundle_()["text/html"]
    assert "<pre>" in code and "Code that computes it" in code


def test_an_unknown_exercise_lists_what_there_is() -> None:
    for wrong, says in (("ex-01-99", "ex-01-1"), ("ex-98-1", "a chapter with exercises"), ("1", "ex-NN-k")):
        with pytest.raises(Exception, match=re.escape(says)):
            check(wrong, 1)


def test_the_record_is_the_one_of_the_conformance_suite() -> None:
    golden = ROOT / "tests" / "golden" / "slurm_golden"
    for path in sorted((ROOT / "clustersim" / "exercises" / "recorded_runs").glob("*.json")):
        [case] = golden.rglob(path.name)
        assert path.read_bytes() == case.read_bytes()


def test_the_record_is_a_trace_that_holds() -> None:
    for name in ch05.recorded.__globals__["NAMES"]:
        ch05.recorded(name).validate()


def test_the_drawn_schedule_of_the_draft_wastes_more() -> None:
    assert ch01._idle_as_drawn() == pytest.approx(4 * 6 - 17, abs=0.1)
    assert ch01._one_after_the_other() == pytest.approx(8 * HOUR, abs=MINUTE)
