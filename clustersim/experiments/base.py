"""An experiment: one live figure, defined once.

The same definition becomes a widget panel in a notebook, a live element in a page, a static picture with alt text in
print, and a test. It is pure data plus one function of the control values; the function computes, it never draws.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clustersim.errors import InputError
from clustersim.messages import _

Value = int | float | str | bool


def _one_of(names: Iterable[str]) -> str:
    return _("one of {names}").format(names=", ".join(names))


@dataclass(frozen=True, slots=True)
class Slider:
    """A whole or decimal number from ``low`` to ``high`` in steps of ``step``; ``unit`` is printed after it."""

    name: str
    label: str
    low: float
    high: float
    step: float
    default: float
    unit: str = ""
    help: str = ""

    def check(self, value: Any) -> Value:
        whole = all(float(x).is_integer() for x in (self.low, self.step))
        expected = _("a number from {low:g} to {high:g}").format(low=self.low, high=self.high)
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise InputError(self.name, value, expected) from None
        if isinstance(value, bool) or not self.low <= number <= self.high:
            raise InputError(self.name, value, expected)
        steps = round((number - self.low) / self.step)
        number = min(self.low + steps * self.step, self.high)
        return int(number) if whole else round(number, 9)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of ``options``, pairs of value and label."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    default: str
    help: str = ""

    def check(self, value: Any) -> Value:
        values = [v for v, _label in self.options]
        if value not in values:
            raise InputError(self.name, value, _one_of(values))
        return str(value)


@dataclass(frozen=True, slots=True)
class Toggle:
    """Yes or no."""

    name: str
    label: str
    default: bool
    help: str = ""

    def check(self, value: Any) -> Value:
        if value in (True, "true", "1", 1):
            return True
        if value in (False, "false", "0", 0):
            return False
        raise InputError(self.name, value, _("true or false"))


Control = Slider | Choice | Toggle


@dataclass(frozen=True, slots=True)
class Figure:
    """One Vega-Lite v5 chart: ``spec`` is plain data without values, ``data`` maps each named dataset to its rows.

    ``spec`` must not depend on the control values where it can be helped: a page then only exchanges the rows.
    ``alt`` says in one or two sentences what the picture shows now.
    """

    name: str
    title: str
    alt: str
    spec: Mapping[str, Any]
    data: Mapping[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Table:
    """The figure's content as text: column heads and rows of printable cells."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one setting gives: a sentence, figures, a table, and ``values`` for checks and tests."""

    summary: str
    figures: tuple[Figure, ...]
    table: Table
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preset:
    """A setting worth a look: what it is called, and the values that differ from the defaults."""

    label: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Experiment:
    """``run`` maps checked control values to an :class:`Outcome`; ``caption`` stands under the static picture.

    ``presets`` are settings to which the page of all experiments leads.
    """

    id: str
    title: str
    caption: str
    controls: tuple[Control, ...]
    run: Callable[[Mapping[str, Value]], Outcome]
    presets: tuple[Preset, ...] = ()

    def defaults(self) -> dict[str, Value]:
        return {c.name: c.check(c.default) for c in self.controls}

    def settings(self, values: Mapping[str, Any] | None = None) -> dict[str, Value]:
        """The defaults with ``values`` checked and laid over; an unknown or impossible one raises InputError."""
        result = self.defaults()
        known = {c.name: c for c in self.controls}
        for name, value in (values or {}).items():
            if name not in known:
                raise InputError(_("experiment {id}, control").format(id=self.id), name, _one_of(known))
            result[name] = known[name].check(value)
        return result

    def __call__(self, **values: Any) -> Outcome:
        return self.run(self.settings(values))
