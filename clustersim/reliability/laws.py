"""Laws of a random duration: what can stand wherever a time is drawn. Times in the unit of the parameters."""
from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import Protocol

from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.reliability.theory import weibull_scale


class Law(Protocol):
    """A distribution of a duration of 0 or more."""

    @property
    def mean(self) -> float: ...

    def draw(self, rng: Random) -> float: ...


def _positive(name: str, value: float) -> None:
    if not value > 0 or math.isinf(value):
        raise InputError(name, value, _("a number above 0"))


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same; draws nothing from the generator."""

    mean: float

    def draw(self, rng: Random) -> float:
        return self.mean


@dataclass(frozen=True, slots=True)
class Uniform:
    """Any value from ``low`` to ``high`` alike: what is used where a source gives a range and no more."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise InputError(_("range"), (self.low, self.high), _("two numbers, the second not below the first"))

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2

    def draw(self, rng: Random) -> float:
        return self.low + (self.high - self.low) * rng.random()


@dataclass(frozen=True, slots=True)
class LogUniform:
    """Every order of magnitude from ``low`` to ``high`` alike: where nothing is published but the extremes."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high:
            raise InputError(_("range"), (self.low, self.high), _("two numbers above 0, the second above the first"))

    @property
    def mean(self) -> float:
        return (self.high - self.low) / math.log(self.high / self.low)

    def draw(self, rng: Random) -> float:
        return float(self.low * (self.high / self.low) ** rng.random())


@dataclass(frozen=True, slots=True)
class Exponential:
    """Memoryless, with this mean."""

    mean: float

    def __post_init__(self) -> None:
        _positive(_("mean"), self.mean)

    def draw(self, rng: Random) -> float:
        return rng.expovariate(1 / self.mean)


@dataclass(frozen=True, slots=True)
class Weibull:
    """Weibull with this mean; ``shape`` below 1 is infant mortality (0.7 in the book's examples), above 1 wear."""

    mean: float
    shape: float

    def __post_init__(self) -> None:
        _positive(_("mean"), self.mean)
        _positive(_("shape"), self.shape)

    def draw(self, rng: Random) -> float:
        return rng.weibullvariate(weibull_scale(self.mean, self.shape), self.shape)


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Log-normal with this median and mean; the further the mean is above the median, the heavier the tail."""

    median: float
    mean: float
    mu: float = field(init=False, repr=False, compare=False)
    sigma: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _positive(_("median"), self.median)
        if not self.mean > self.median:
            raise InputError(_("mean"), self.mean, _("a number above the median"))
        object.__setattr__(self, "mu", math.log(self.median))
        object.__setattr__(self, "sigma", math.sqrt(2 * math.log(self.mean / self.median)))

    def draw(self, rng: Random) -> float:
        return rng.lognormvariate(self.mu, self.sigma)


@dataclass(frozen=True, slots=True)
class Empirical:
    """One of the observed values, each as likely as the others."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values or min(self.values) < 0:
            raise InputError(_("observed values"), self.values[:3], _("at least one number, none below 0"))

    @property
    def mean(self) -> float:
        return math.fsum(self.values) / len(self.values)

    def draw(self, rng: Random) -> float:
        return self.values[int(rng.random() * len(self.values))]


def as_law(value: Law | float | tuple[float, float]) -> Law:
    """A number is fixed, a pair is a range, a law stays itself.

    >>> as_law(60).mean, as_law((300, 1200)).mean
    (60, 750.0)
    """
    if isinstance(value, tuple):
        return Uniform(*value)
    if isinstance(value, int | float):
        if not value >= 0:
            raise InputError(_("duration"), value, _("a number of 0 or more"))
        return Fixed(value)
    return value


class Mix:
    """Named things with weights (counts or shares): ``draw`` picks one in proportion."""

    def __init__(self, weights: Sequence[tuple[str, float]]) -> None:
        self.weights = tuple((name, weight) for name, weight in weights if weight > 0)
        if not self.weights:
            raise InputError(_("weights"), list(weights)[:3], _("at least one weight above 0"))
        self.names = tuple(name for name, _weight in self.weights)
        self._sums = list(accumulate(weight for _name, weight in self.weights))

    def share(self, name: str) -> float:
        return math.fsum(w for n, w in self.weights if n == name) / self._sums[-1]

    def draw(self, rng: Random) -> str:
        if len(self.names) == 1:
            return self.names[0]
        return self.names[bisect(self._sums, rng.random() * self._sums[-1])]
