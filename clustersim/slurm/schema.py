"""Reading checked values out of parsed JSON: every error names the file, the JSON path, what stands there and what should."""
from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from clustersim import hostlist, units
from clustersim.errors import InputError
from clustersim.messages import _

MAX_SECONDS = 10 * 365 * units.DAY  # ten years: beyond it a number of seconds is a mistake


# How Slurm's configuration files write a number without bound, and yes and no (parse_value.c).
BOUNDLESS = frozenset({"UNLIMITED", "INFINITE"})
YES_NO = {"yes": True, "up": True, "true": True, "1": True, "no": False, "down": False, "false": False, "0": False}


class _Nothing:
    """What stands where a required key is missing: errors show it as ``nothing``."""

    def __repr__(self) -> str:
        return _("nothing")


NOTHING = _Nothing()


class Section:
    """One JSON object at ``path``. Every key asked for is remembered; :meth:`finish` refuses the others."""

    def __init__(self, data: object, file: str, path: str) -> None:
        self.file, self.path = file, path
        if not isinstance(data, dict):
            raise InputError(self.where(), data, _("a JSON object"))
        self.data: dict[str, Any] = data
        self._asked: set[str] = set()

    def where(self, key: str = "") -> str:
        """The place of ``key`` as a person finds it: ``w.json: jobs[3].run_s``."""
        path = f"{self.path}.{key}" if self.path and key else self.path or key
        return f"{self.file}: {path}" if path else self.file

    def __contains__(self, key: str) -> bool:
        self._asked.add(key)
        return key in self.data

    def raw(self, key: str, default: Any = None) -> Any:
        self._asked.add(key)
        return self.data.get(key, default)

    def text(self, key: str, default: str | None = None) -> str:
        """A string that is not empty (unless the default is empty); missing without a default is an error."""
        value = self._value(key)
        if value is NOTHING and default is not None:
            return default
        if not isinstance(value, str) or (not value and default != ""):
            raise InputError(self.where(key), value, _("text"))
        return value

    def integer(self, key: str, default: int | None = None, low: int = 0, high: int = MAX_SECONDS) -> int:
        """A whole number from ``low`` to ``high``."""
        self._asked.add(key)  # not by _value: this is asked most
        value = self.data.get(key, NOTHING)
        if type(value) is int and low <= value <= high:
            return value
        if value is NOTHING and default is not None:
            return default
        raise InputError(self.where(key), value, _("a whole number from {low} to {high}").format(low=low, high=high))

    def boolean(self, key: str, default: bool | None = None) -> bool:
        value = self._value(key)
        if value is NOTHING and default is not None:
            return default
        if not isinstance(value, bool):
            raise InputError(self.where(key), value, _("true or false"))
        return value

    def texts(self, key: str) -> list[str]:
        """A list of strings, empty if the key is missing."""
        value = self.raw(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise InputError(self.where(key), value, _("a list of texts"))
        return value

    def choice(self, key: str, options: Iterable[str], default: str | None = None) -> str:
        options = list(options)
        value = self._value(key)
        if value is NOTHING and default is not None:
            value = default
        if value not in options:
            expected = _("one of {options}").format(options=", ".join(options))
            raise InputError(self.where(key), value, expected, suggest(value, options))
        return str(value)

    def hosts(self, key: str, known: Iterable[str], default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A host list whose names are all among ``known``, in the order of ``known``."""
        if key not in self and default is not None:
            return default
        order = {name: i for i, name in enumerate(known)}
        text = self.text(key)
        names = list(order) if text == "ALL" else hostlist.expand(text, self.where(key))
        for name in names:
            if name not in order:
                raise InputError(self.where(key), name, _("a node of the cluster"), suggest(name, order))
        return tuple(sorted(dict.fromkeys(names), key=order.__getitem__))

    def section(self, key: str) -> Section:
        return Section(self.raw(key, {}), self.file, self.where(key).removeprefix(f"{self.file}: "))

    def sections(self, key: str, least: int = 0) -> Iterator[Section]:
        """The objects of the list ``key``; at least ``least`` of them."""
        for i in range(len(self.rows(key, least))):
            yield self.row(key, i)

    def rows(self, key: str, least: int = 0) -> list[Any]:
        """The same as they stand in the file, not yet known to be objects."""
        value = self.raw(key, [])
        if not isinstance(value, list) or len(value) < least:
            raise InputError(self.where(key), value, _("a list of at least {n} objects").format(n=least))
        return value

    def row(self, key: str, i: int) -> Section:
        """The object at place ``i`` of the list ``key``."""
        return Section(self.data[key][i], self.file, f"{self.path}.{key}[{i}]" if self.path else f"{key}[{i}]")

    def only(self, keys: str) -> None:
        """Refuse keys other than these (one text, with blanks between) before anything is read."""
        legal = words(keys)
        for key in self.data:
            if key not in legal:
                raise InputError(self.where(key), key, _("a known key"), suggest(key, legal) or _known(legal))

    def finish(self, known: Iterable[str] = ()) -> None:
        """Refuse every key nobody asked for, with the nearest known one."""
        if not self.data.keys() <= self._asked:
            self.only(" ".join({*self._asked, *known}))

    def _value(self, key: str) -> Any:
        """The value, or a stand-in for "nothing"."""
        self._asked.add(key)
        return self.data.get(key, NOTHING)


def words(text: str) -> frozenset[str]:
    """A set of words written as one text."""
    return frozenset(text.split())


def whole(text: str) -> int | None:
    """The number that ``text`` writes in plain digits, ``None`` if it is none (or beyond any that Slurm takes)."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def whole_k(text: str) -> int | None:
    """The same for numbers of 32 bits and more in configuration files: a ``k`` behind means 1,024 (``parse_value.c``)."""
    number = whole(text[:-1] if text[-1:] in {"k", "K"} else text)
    return None if number is None else number * (1024 if text[-1:] in {"k", "K"} else 1)


def suggest(word: object, options: Iterable[str]) -> str:
    """``Did you mean X?`` if an option is near, else nothing."""
    near = difflib.get_close_matches(str(word).lower(), [o.lower() for o in options], n=1, cutoff=0.6)
    original = next((o for o in options if near and o.lower() == near[0]), None)
    return _("Did you mean {word}?").format(word=original) if original else ""


def _known(legal: Iterable[str]) -> str:
    return _("Known here: {keys}").format(keys=", ".join(sorted(legal)))
