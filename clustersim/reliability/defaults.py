"""The default parameters of the simulator with their origin: ``data/defaults.toml``, asked for by a dotted name."""
from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from typing import Any

from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.tables import FOLDER


@functools.cache
def everything() -> Mapping[str, Any]:
    """The whole file, as nested tables."""
    return tomllib.loads((FOLDER / "defaults.toml").read_text(encoding="utf-8"))


def entry(name: str) -> Any:
    """What stands at ``restart_s.low`` or ``detection_s``; an unknown name lists what there is."""
    here: Any = everything()
    for word in name.split("."):
        if not isinstance(here, Mapping) or word not in here:
            known = ", ".join(here) if isinstance(here, Mapping) else str(here)
            raise InputError(f"defaults.toml, {name}", word, _("one of {known}").format(known=known))
        here = here[word]
    return here


def number(name: str) -> float:
    """A number, or the ``default`` of an entry that has one.

    >>> number("restart_s.low"), number("detection_s.hang_without_inspection")
    (300.0, 600.0)
    """
    found = entry(name)
    if isinstance(found, Mapping):
        found = found.get("default")
    if not isinstance(found, int | float):
        raise InputError(f"defaults.toml, {name}", found, _("a number"))
    return float(found)


def span(name: str) -> tuple[float, float]:
    """The ``low`` and ``high`` of an entry: a range to draw from evenly."""
    return number(f"{name}.low"), number(f"{name}.high")


def source(name: str) -> str:
    """Where the entry comes from."""
    return str(entry(name).get("source", ""))
