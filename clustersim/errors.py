"""Errors that say where the fault lies and what to do about it.

::

    ClusterSimError
    ├── InputError      a file or value from outside is wrong; names the place and what was expected
    ├── FactError       an unknown key, or an entry of the fact ledger that is incomplete
    ├── UnsupportedError  valid input that asks for something the simulator does not model
    └── InvariantError  a trace that cannot be true (a bug in a policy or in the simulator)
"""
from __future__ import annotations

import re

from clustersim.messages import _


class ClusterSimError(Exception):
    """Base of every error that this package raises on purpose; the command line prints it without a traceback."""


class InputError(ClusterSimError):
    """Input that cannot be used.

    ``where`` is the place as a person finds it (``jobs.swf, line 12, field 4 (run time)``), ``got`` what stands
    there, ``expected`` what should, ``remedy`` a next step if it is not obvious.
    """

    def __init__(self, where: str, got: object, expected: str, remedy: str = "") -> None:
        self.where, self.got, self.expected, self.remedy = where, got, expected, remedy
        text = _("{where}: found {got}, expected {expected}").format(where=where, got=_short(got), expected=expected)
        super().__init__(_one_line(f"{text}. {remedy}" if remedy else text))


class FactError(ClusterSimError):
    """The fact ledger has no such key, or an entry lacks what a fact must have."""


class UnsupportedError(ClusterSimError):
    """The input is legal for the real system, but this simulator does not model it yet."""

    def __init__(self, where: str, feature: str) -> None:
        self.where, self.feature = where, feature
        super().__init__(_one_line(_("{where}: {feature} is not modelled here").format(where=where, feature=feature)))


class InvariantError(ClusterSimError):
    """A trace breaks a law that holds in every cluster: see ``Trace.validate``."""


def _one_line(text: str) -> str:
    """``text`` with control characters, which a damaged name may hold, written out: a message is one line on any terminal."""
    return re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", lambda found: ascii(found[0])[1:-1], text)


def _short(value: object, width: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= width else text[: width - 1] + "…"
