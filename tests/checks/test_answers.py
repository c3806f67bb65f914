"""How answers are read, compared and printed."""
from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from clustersim.answers import Form, read, same, show, wanted
from clustersim.errors import InputError
from clustersim.units import HOUR, MINUTE

ABC = ("A", "B", "C")


@pytest.mark.parametrize(("answer", "seconds"), [
    (10_800, 10_800), (90.5, 90.5), ("3 h", 3 * HOUR), ("3h", 3 * HOUR), ("3 hours", 3 * HOUR), ("1 hour", HOUR),
    ("3 h 20 min", 3 * HOUR + 20 * MINUTE), ("2.5 h", 2.5 * HOUR), ("45 s", 45), ("10 seconds", 10), ("1 d", 24 * HOUR),
    ("03:00", 3 * HOUR), ("3:00", 3 * HOUR), ("03:00:30", 3 * HOUR + 30),
    ("1 d 03:20", 27 * HOUR + 20 * MINUTE), ("26:15", 94_500),
    (" 3 H ", 3 * HOUR), (Fraction(1, 2), 0.5),
])
def test_times_as_people_write_them(answer: Any, seconds: float) -> None:
    assert read("clock", answer) == read("duration", answer) == seconds


@pytest.mark.parametrize("answer", [
    "three", "", "3 km", "3:75", "03:00 h", "h 3", "3 h and a bit", None, True, float("nan"), float("inf"), [3], "3 h5", "-",
])
def test_times_that_cannot_be_read_say_how_to_write_them(answer: Any) -> None:
    with pytest.raises(InputError) as caught:
        read("clock", answer)
    assert "'3 h 20 min'" in str(caught.value) or "d, h, min or s" in str(caught.value)


@pytest.mark.parametrize(("answer", "unit", "value"), [
    (3, "GPU h", 3.0), (2.5, "", 2.5), ("3", "GPU h", 3.0), ("3 GPU h", "GPU h", 3.0), ("3 gpu  H", "GPU h", 3.0),
    ("-1.5e2", "", -150.0),
])
def test_numbers_with_and_without_their_unit(answer: Any, unit: str, value: float) -> None:
    assert read("number", answer, unit) == value


@pytest.mark.parametrize(("answer", "says"), [
    ("3 min", "the unit of the answer: found 'min', expected GPU h"), ("many", "a number (unit: GPU h)"),
    (True, "a number (unit: GPU h)"),
    (None, "a number (unit: GPU h)"), (float("nan"), "a number (unit: GPU h)"), ({3}, "a number (unit: GPU h)"),
])
def test_a_wrong_unit_or_type_is_named(answer: Any, says: str) -> None:
    with pytest.raises(InputError) as caught:
        read("number", answer, "GPU h")
    assert says in str(caught.value)


@pytest.mark.parametrize("answer", [{"A", "C"}, ["C", "A"], ("A", "C", "A"), "A, C", "c,a", frozenset("AC"), [" a ", "C"]])
def test_a_set_of_names(answer: Any) -> None:
    assert read("names", answer, options=ABC) == frozenset("AC")


@pytest.mark.parametrize("answer", [set(), [], (), {}, ""])
def test_the_empty_set(answer: Any) -> None:
    assert read("names", answer, options=ABC) == frozenset()


@pytest.mark.parametrize("answer", [["B", "A"], ("B", "A"), "B, A", "b,a"])
def test_an_order_of_names(answer: Any) -> None:
    assert read("order", answer, options=ABC) == ("B", "A")


@pytest.mark.parametrize(("form", "answer"), [
    ("names", {"A", "D"}), ("names", 3), ("names", {"A": 1}), ("names", {1}), ("order", {"A", "B"}), ("order", ["D"]),
    ("choice", "D"), ("choice", 1), ("choice", {"A"}), ("choice", True),
])
def test_what_is_no_name_is_refused(form: Form, answer: Any) -> None:
    with pytest.raises(InputError):
        read(form, answer, options=ABC)


def test_a_choice_may_be_written_in_any_case_and_yes_as_true() -> None:
    assert read("choice", " b ", options=ABC) == "B"
    assert read("choice", True, options=("yes", "no")) == "yes"
    assert read("choice", False, options=("yes", "no")) == "no"


def test_tolerance_is_absolute_and_inclusive() -> None:
    assert same(100.0, 103.0, 3.0) and not same(100.0, 103.1, 3.0)
    assert same(0.1 + 0.2, 0.3)
    assert not same(frozenset("A"), frozenset("AB")) and not same(("A", "B"), ("B", "A"))


@pytest.mark.parametrize(("form", "value", "unit", "text"), [
    ("clock", 12_000.0, "", "03:20"), ("duration", 12_000.0, "", "3 h 20 min"), ("number", 3.0, "GPU h", "3 GPU h"),
    ("number", 2.5, "", "2.5"), ("names", frozenset("CA"), "", "A, C"), ("names", frozenset(), "", "none"),
    ("order", ("B", "A"), "", "B, A"), ("choice", "B", "", "B"),
])
def test_values_as_a_person_writes_them(form: Form, value: Any, unit: str, text: str) -> None:
    assert show(form, value, unit) == text


@pytest.mark.parametrize("form", ["number", "clock", "duration", "choice", "names", "order"])
def test_every_form_says_how_to_write_the_answer(form: Form) -> None:
    text = wanted(form, "GPU h" if form == "number" else "", 60.0 if form in ("number", "clock", "duration") else 0.0, ABC)
    assert text.startswith("Answer: ") and text.endswith(".") and "{{" not in text
    assert ("within" in text) == (form in ("number", "clock", "duration"))
