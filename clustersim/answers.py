"""Read, compare and print the answers of an exercise, whatever form they have.

=========== ==================================================== ======================
form        accepted                                             value inside
=========== ==================================================== ======================
number      ``3``, ``3.5``, ``"3"``, ``"3 GPU h"``               ``float``
clock       seconds, ``"3 h 20 min"``, ``"03:20"`` (an instant)  ``float``, seconds
duration    the same, printed as a length of time                ``float``, seconds
choice      one of the options                                   ``str``
names       a set, list or tuple of names, or ``"A, C"``         ``frozenset`` of ``str``
order       a list or tuple of names, or ``"A, C"``              ``tuple`` of ``str``
=========== ==================================================== ======================
"""
from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any, Literal

from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.units import DAY, HOUR, MINUTE, clock_time, human_duration

Form = Literal["number", "clock", "duration", "choice", "names", "order"]
Value = float | str | frozenset[str] | tuple[str, ...]

_CLOCK = re.compile(r"(?:(\d+) ?d )?(\d{1,3}):(\d{2})(?::(\d{2}))?")
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)\s*")
_SECONDS = {"s": 1, "sec": 1, "second": 1, "m": MINUTE, "min": MINUTE, "minute": MINUTE,
            "h": HOUR, "hour": HOUR, "d": DAY, "day": DAY}
_NUMBER = re.compile(r"([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)\s*(.*)", re.IGNORECASE | re.DOTALL)


def read(form: Form, answer: Any, unit: str = "", options: Sequence[str] = ()) -> Value:
    """The value of ``answer``; :class:`InputError` says what the form accepts.

    ``options`` are the allowed names (``choice``, ``names``, ``order``); case and spaces do not matter.
    """
    if form == "number":
        return _number(answer, unit)
    if form in ("clock", "duration"):
        return _seconds(answer)
    if form == "choice":
        return _choice(answer, options)
    return _names(answer, options, ordered=form == "order")


def same(value: Value, other: Value, tolerance: float = 0.0) -> bool:
    """Whether two values of one form agree; numbers and times within ``tolerance`` of their unit (seconds)."""
    if isinstance(value, float | int) and isinstance(other, float | int):
        return abs(value - other) <= tolerance + 1e-9 * max(abs(value), abs(other))
    return value == other


def show(form: Form, value: Value, unit: str = "") -> str:
    """``value`` as a person writes it: ``03:20``, ``3 h 20 min``, ``3 GPU h``, ``A, C``.

    >>> show("clock", 12_000), show("number", 3.0, "GPU h"), show("names", frozenset("CA"))
    ('03:20', '3 GPU h', 'A, C')
    """
    if form == "clock":
        return clock_time(round(float(value)))  # type: ignore[arg-type]
    if form == "duration":
        return human_duration(float(value))  # type: ignore[arg-type]
    if form == "number":
        number = float(value)  # type: ignore[arg-type]
        return (f"{number:.0f}" if abs(number) >= 1_000 else f"{number:.4g}") + (f" {_(unit)}" if unit else "")
    if isinstance(value, str):
        return value
    names: Iterable[str] = sorted(value) if isinstance(value, frozenset) else value  # type: ignore[assignment]
    return ", ".join(names) or _("none")


def wanted(form: Form, unit: str = "", tolerance: float = 0.0, options: Sequence[str] = ()) -> str:
    """One sentence that says how to write the answer."""
    listed = ", ".join(repr(option) for option in options)
    if form == "number":
        text = _("Answer: a number (unit: {unit})").format(unit=_(unit)) if unit else _("Answer: a number")
        return text + (_(", within {tolerance:g}.").format(tolerance=tolerance) if tolerance else ".")
    if form == "clock":
        text = _("Answer: an instant, as '03:20', '3 h 20 min' or a number of seconds")
    elif form == "duration":
        text = _("Answer: a length of time, as '3 h 20 min', '03:20' or a number of seconds")
    elif form == "choice":
        return _("Answer: one of {options}.").format(options=listed)
    elif form == "names":
        return _("Answer: a set, for instance {{'{first}'}} or set(), of {options}.").format(first=options[0], options=listed)
    else:
        return _("Answer: a list, in order of time, of {options}.").format(options=listed)
    return text + (_(", within {tolerance}.").format(tolerance=human_duration(tolerance)) if tolerance else ".")


def _real(answer: Any, expected: str) -> float | None:
    if isinstance(answer, bool) or (not isinstance(answer, Real) and not isinstance(answer, str)):
        raise InputError(_("the answer"), answer, expected)
    if isinstance(answer, str):
        return None
    if not math.isfinite(answer):
        raise InputError(_("the answer"), answer, expected)
    return float(answer)


def _number(answer: Any, unit: str) -> float:
    expected = _("a number (unit: {unit})").format(unit=_(unit)) if unit else _("a number")
    value = _real(answer, expected)
    if value is not None:
        return value
    match = _NUMBER.fullmatch(answer.strip())
    if not match:
        raise InputError(_("the answer"), answer, expected)
    given = _plain(match[2])
    if given and given not in {_plain(unit), _plain(_(unit))}:
        raise InputError(_("the unit of the answer"), match[2], _(unit) if unit else _("no unit"))
    return float(match[1])


def _seconds(answer: Any) -> float:
    expected = _("a time such as '3 h 20 min' or '03:20' (hours and minutes), or a number of seconds")
    value = _real(answer, expected)
    if value is not None:
        return value
    text = answer.strip().lower()
    if match := _CLOCK.fullmatch(text):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        if minutes > 59 or seconds > 59:
            raise InputError(_("the answer"), answer, expected)
        return float(days * DAY + hours * HOUR + minutes * MINUTE + seconds)
    total, place = 0.0, 0
    while match := _PART.match(text, place):
        word = match[2] if match[2] in _SECONDS else match[2].removesuffix("s")
        if word not in _SECONDS:
            raise InputError(_("the unit of the answer"), match[2], _("d, h, min or s"))
        total += float(match[1]) * _SECONDS[word]
        place = match.end()
    if place < len(text) or not text:
        raise InputError(_("the answer"), answer, expected)
    return total


def _choice(answer: Any, options: Sequence[str]) -> str:
    expected = _("one of {names}").format(names=", ".join(repr(option) for option in options))
    if isinstance(answer, bool) and {"yes", "no"} <= set(options):
        return "yes" if answer else "no"
    if not isinstance(answer, str):
        raise InputError(_("the answer"), answer, expected)
    return _known(answer, options)


def _names(answer: Any, options: Sequence[str], ordered: bool) -> frozenset[str] | tuple[str, ...]:
    expected = _("a list of names, in order") if ordered else _("a set of names")
    if isinstance(answer, str):
        answer = [part for part in answer.split(",") if part.strip()]
    kinds = (list, tuple) if ordered else (set, frozenset, list, tuple)
    if isinstance(answer, dict) and not answer:
        answer = ()  # {} is how many people write the empty set
    elif not isinstance(answer, kinds):
        raise InputError(_("the answer"), answer, expected)
    for name in answer:
        if not isinstance(name, str):
            raise InputError(_("a name in the answer"), name, _("text in quotation marks"))
    names = [_known(name, options) for name in answer]
    if ordered:
        return tuple(names)
    return frozenset(names)


def _known(name: str, options: Sequence[str]) -> str:
    for option in options:
        if _plain(option) == _plain(name):
            return option
    expected = _("one of {names}").format(names=", ".join(repr(option) for option in options))
    raise InputError(_("a name in the answer"), name, expected)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
