"""Exercises that check themselves.

An :class:`Exercise` computes its expected answer from the simulator or from theory, knows the wrong answers that people
plausibly give, and has a hint for each. ``...`` means "not answered yet" and is never an error, so a notebook runs from
top to bottom before anything is answered. The exercises themselves live in ``clustersim.exercises``, one module a
chapter, and are loaded when first asked for.

    predict("ex-01-3", "05:00")     a committed guess, shown beside the truth later
    check("ex-01-3", "03:00")       a verdict, and a hint if it is wrong
    compare("ex-01-3")              the guess beside the truth
    reveal("ex-01-3")               the solution
"""
from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib import import_module, util
from typing import Any, Literal

from clustersim import answers
from clustersim.answers import Form, Value
from clustersim.errors import InputError
from clustersim.messages import N_, _
from clustersim.units import HOUR, MINUTE

Kind = Literal["recall", "apply", "transfer", "forensic", "fix-the-diagram"]
Verdict = Literal["right", "wrong", "unanswered", "unusable", "noted", "compared", "revealed"]
KINDS: tuple[Kind, ...] = ("recall", "apply", "transfer", "forensic", "fix-the-diagram")

_ID = re.compile(r"ex-(\d\d)-(\d{1,2})")
_CODE = re.compile(r"`([^`]+)`")  # names of jobs stand in backticks, as in the notebooks' text
_WIDTH = 88


def _as_code(match: re.Match[str]) -> str:
    return f"<code>{match[1]}</code>"


@dataclass(frozen=True, slots=True)
class Misconception:
    """A wrong answer that somebody who thinks it through may give: how it comes about, and what helps.

    ``answer`` is the wrong answer, or a function that computes it; ``hint`` points at the step to think again and does
    not give the answer away.
    """

    answer: Callable[[], Any] | Any
    hint: str

    def value(self) -> Any:
        return self.answer() if callable(self.answer) else self.answer


@dataclass(frozen=True, slots=True)
class Exercise:
    """One question. ``expected`` computes the right answer; ``solution`` explains it, ``code`` is a runnable way to it.

    ``unit`` belongs to ``form`` "number"; ``tolerance`` is in that unit, or in seconds for times. ``options`` are the
    names that an answer may use. ``hint`` helps where no misconception matches. ``code`` assigns ``solution``.
    ``details`` gives computed text for the ``{fields}`` of ``hint``, ``solution`` and the misconceptions' hints.
    """

    id: str
    kind: Kind
    question: str
    form: Form
    expected: Callable[[], Any]
    hint: str
    solution: str
    code: str
    unit: str = ""
    tolerance: float = 0.0
    options: tuple[str, ...] = ()
    misconceptions: tuple[Misconception, ...] = ()
    details: Callable[[], Mapping[str, str]] = field(default=dict)

    @property
    def wanted(self) -> str:
        """How to write the answer, in one sentence."""
        return answers.wanted(self.form, self.unit, self.tolerance, self.options)

    def read(self, answer: Any) -> Value:
        return answers.read(self.form, answer, self.unit, self.options)

    def show(self, value: Any) -> str:
        return answers.show(self.form, self.read(value), self.unit)

    def text(self, message: str) -> str:
        """``message`` translated, its fields filled in."""
        return _(message).format(**self.details())


@dataclass(frozen=True, slots=True)
class Feedback:
    """What is said to an answer. Prints as plain text; in a notebook as a paragraph that a screen reader reads."""

    exercise: str
    verdict: Verdict
    message: str

    def __repr__(self) -> str:
        paragraphs = self.message.split("\n")
        return "\n".join(textwrap.fill(p, _WIDTH) if not p.startswith("    ") else p for p in paragraphs)

    __str__ = __repr__

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        text, _mark, code = self.message.partition("\n    ")
        paragraphs = "".join(f"<p>{_CODE.sub(_as_code, escape(p))}</p>" for p in text.split("\n") if p)
        block = f"<pre>{escape(textwrap.dedent('    ' + code))}</pre>" if code else ""
        html = f'<div class="cs-feedback cs-{self.verdict}" role="status">{paragraphs}{block}</div>'
        return {"text/plain": repr(self), "text/html": html}


@dataclass(slots=True)
class Session:
    """What one learner has done so far: committed guesses, and the number of wrong tries by exercise."""

    guesses: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, int] = field(default_factory=dict)


_session = Session()


def forget() -> None:
    """Start again: no guesses, no tries."""
    _session.guesses.clear()
    _session.wrong.clear()


def exercises(chapter: int) -> tuple[Exercise, ...]:
    """The exercises of one chapter, in order; none if the chapter has none."""
    name = f"clustersim.exercises.ch{chapter:02d}"
    if util.find_spec(name) is None:
        return ()
    found: tuple[Exercise, ...] = import_module(name).EXERCISES
    return found


def exercise(exercise_id: str) -> Exercise:
    """The exercise with this id (``ex-NN-k``); :class:`InputError` lists what the chapter has."""
    match = _ID.fullmatch(exercise_id) if isinstance(exercise_id, str) else None
    if not match:
        raise InputError(_("exercise id"), exercise_id, "ex-NN-k")
    known = exercises(int(match[1]))
    for item in known:
        if item.id == exercise_id:
            return item
    if not known:
        raise InputError(_("exercise id"), exercise_id, _("a chapter with exercises"))
    raise InputError(_("exercise id"), exercise_id, _("one of {names}").format(names=", ".join(item.id for item in known)))


@cache
def truth(exercise_id: str) -> Value:
    """The expected answer, computed (once)."""
    item = exercise(exercise_id)
    return item.read(item.expected())


def check(exercise_id: str, answer: Any = ...) -> Feedback:
    """Compare ``answer`` with the computed truth.

    ``...`` gives a friendly note. What cannot be read gives a message that says how to write it. A wrong answer gives a
    hint, from the second wrong one on with the way to the solution.
    """
    item = exercise(exercise_id)
    if answer is ...:
        message = _("{id} is not answered yet. Put your answer in place of the three dots and run the cell again.")
        return Feedback(item.id, "unanswered", message.format(id=item.id))
    found = judge(item, answer)
    if found.verdict == "wrong" and _session.wrong[item.id] > 1:
        more = _('If you are stuck, reveal("{id}") shows the solution.').format(id=item.id)
        return Feedback(item.id, "wrong", f"{found.message} {more}")
    return found


def judge(item: Exercise, answer: Any) -> Feedback:
    """Right, wrong with a hint, or unusable; what a page and a notebook have in common."""
    try:
        value = item.read(answer)
    except InputError as error:
        message = _("This cannot be compared: {error}. {wanted}")
        return Feedback(item.id, "unusable", message.format(error=error, wanted=item.wanted))
    expected = truth(item.id)
    if answers.same(value, expected, item.tolerance):
        _tell_the_browser(item.id)
        shown = answers.show(item.form, expected, item.unit)
        message = _("Right: {answer}. {why}").format(answer=shown, why=item.text(item.solution))
        return Feedback(item.id, "right", message + _recall(item))
    _session.wrong[item.id] = _session.wrong.get(item.id, 0) + 1
    return Feedback(item.id, "wrong", _("Not yet. {hint}").format(hint=_hint(item, answer, value, expected)))


def _tell_the_browser(exercise_id: str) -> None:
    """In a reader's browser, where Python is a program of the page: the page may mark the exercise as solved."""
    if sys.platform != "emscripten":
        return
    browser = import_module("js")  # Pyodide's door to the browser
    channel = browser.BroadcastChannel.new("olst-solved")
    channel.postMessage(exercise_id)
    channel.close()


def reveal(exercise_id: str) -> Feedback:
    """The solution: the answer, why, and code that computes it."""
    item = exercise(exercise_id)
    answer = answers.show(item.form, truth(item.id), item.unit)
    text = _("The answer to {id} is: {answer}. {why}").format(id=item.id, answer=answer, why=item.text(item.solution))
    return Feedback(item.id, "revealed", text + _recall(item) + "\n" + _("Code that computes it:") + "\n"
                    + textwrap.indent(item.code.strip(), "    "))


def predict(exercise_id: str, guess: Any = ...) -> Feedback:
    """Commit to a guess before the run. It is kept and shown beside the truth; there is no right or wrong yet."""
    item = exercise(exercise_id)
    if guess is ...:
        return Feedback(item.id, "unanswered", _("No guess yet for {id}. A guess costs nothing and makes the result easier to "
                                                 "remember. {wanted}").format(id=item.id, wanted=item.wanted))
    try:
        value = item.read(guess)
    except InputError as error:
        message = _("This guess cannot be kept: {error}. {wanted}")
        return Feedback(item.id, "unusable", message.format(error=error, wanted=item.wanted))
    _session.guesses[item.id] = value
    return Feedback(item.id, "noted", _("Noted: you expect {guess}. Now run it and see.").format(
        guess=answers.show(item.form, value, item.unit)))


def compare(exercise_id: str) -> Feedback:
    """The committed guess beside the truth; without a guess it does not give the truth away."""
    item = exercise(exercise_id)
    if item.id not in _session.guesses:
        message = _("You made no guess for {id}, so there is nothing to compare yet.")
        return Feedback(item.id, "unanswered", message.format(id=item.id))
    guess, expected = _session.guesses[item.id], truth(item.id)
    shown = answers.show(item.form, expected, item.unit)
    verdict = _("They agree.") if answers.same(guess, expected, item.tolerance) else _gap(item, guess, expected)
    return Feedback(item.id, "compared", _("You expected {guess}; it is {answer}. {verdict}").format(
        guess=answers.show(item.form, guess, item.unit), answer=shown, verdict=verdict))


def _gap(item: Exercise, guess: Value, expected: Value) -> str:
    if not isinstance(guess, float) or not isinstance(expected, float):
        return _("Look for the step where the two part.")
    form: Form = "duration" if item.form == "clock" else item.form
    size = answers.show(form, abs(guess - expected), item.unit)
    return (_("Your guess is {size} too high.") if guess > expected else _("Your guess is {size} too low.")).format(size=size)


def _recall(item: Exercise) -> str:
    if item.id not in _session.guesses:
        return ""
    return " " + _("Your guess before the run was {guess}.").format(
        guess=answers.show(item.form, _session.guesses[item.id], item.unit))


def _hint(item: Exercise, answer: Any, value: Value, expected: Value) -> str:
    if item.form in ("clock", "duration") and not isinstance(answer, str) and isinstance(value, float):
        for scale, unit in ((MINUTE, "min"), (HOUR, "h")):
            if answers.same(value * scale, expected, item.tolerance):
                return _("A bare number is read as seconds. Write '{value:g} {unit}' if you mean that.").format(
                    value=value, unit=unit)
    in_minutes = isinstance(answer, str) and ":" in answer and isinstance(value, float)
    if in_minutes and answers.same(float(value) / MINUTE, expected, item.tolerance):  # type: ignore[arg-type]
        return _("'{answer}' is read as hours and minutes. Write minutes as '5 min' or '00:05'.").format(answer=answer)
    for slip in item.misconceptions:
        if answers.same(value, item.read(slip.value()), item.tolerance):
            return item.text(slip.hint)
    return item.text(item.hint)


KIND_LABELS: Mapping[Kind, str] = {
    "recall": N_("recall"), "apply": N_("apply"), "transfer": N_("transfer"),
    "forensic": N_("forensic: read a recorded trace"), "fix-the-diagram": N_("fix the diagram"),
}
