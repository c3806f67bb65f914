"""The fact ledger: every number in the book's prose, with its unit, its standing, its source and the day it was read.

``facts.toml`` beside this module holds two levels of tables, ``[group.name]``; the key of a fact is ``group.name``.
What ``status`` means:

``measured``
    seen in the world: by us on a real system, by the named source, or read in the documentation or code of the
    program that the number belongs to;
``derived``
    worked out from other numbers; ``note`` says how;
``assumed``
    chosen by us so that a model can run; ``note`` says why.

Age is judged against the date of the commit, never against today: the same commit always builds the same book.
"""
from __future__ import annotations

import argparse
import difflib
import functools
import os
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from clustersim.errors import FactError
from clustersim.messages import _, ngettext
from clustersim.units import HOUR, MINUTE, human_duration

LEDGER = Path(__file__).with_name("facts.toml")
STATUSES = ("measured", "derived", "assumed")
# A source without an address must be one of our own files, so that a reader can open it.
OWN_FILES = ("tests/", "benchmarks/", "clustersim/")

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry of the ledger.

    ``url`` is an https address, or empty where ``source`` names a file of this repository; ``pointer`` then is the
    place of the number in that JSON file (``jobs.A.start_s``), which a test compares. ``read`` is the day the source
    was read, ``review_days`` how long that reading is trusted. ``digits`` decimals are printed (as many as it takes if
    ``None``); with ``form = "duration"`` a number of seconds is printed as ``4 h 20 min``, to the minute
    from an hour on.
    """

    key: str
    value: int | float | str
    unit: str
    status: str
    source: str
    url: str
    read: date
    review_days: int
    note: str = ""
    digits: int | None = None
    form: str = ""
    pointer: str = ""

    def text(self) -> str:
        """The number as prose prints it, with its unit: ``16,384 GPUs``, ``30 s``, ``8%``."""
        if isinstance(self.value, str):
            number = self.value
        elif self.form == "duration":
            return human_duration(round(self.value / MINUTE) * MINUTE if self.value >= HOUR else self.value)
        elif self.digits is not None:
            number = f"{self.value:,.{self.digits}f}"
        else:
            number = f"{self.value:,}"
        if not self.unit:
            return number
        return number + self.unit if self.unit == "%" else f"{number} {_(self.unit)}"

    @property
    def due(self) -> date:
        """The last day on which the reading still counts as fresh."""
        return self.read + timedelta(days=self.review_days)

    def is_stale(self, on: date) -> bool:
        """Whether the source should be read again, judged on the day ``on`` (see :func:`commit_date`)."""
        return on > self.due


# Each field: the type it must have, what to tell who got it wrong, and a check of the value.
_FIELDS: dict[str, tuple[type | tuple[type, ...], str, Any]] = {
    "value": ((int, float, str), "a number or a text", lambda v: not isinstance(v, bool) and v != ""),
    "unit": (str, 'a unit, or "" for a bare number', lambda v: v == v.strip()),
    "status": (str, "one of " + ", ".join(STATUSES), lambda v: v in STATUSES),
    "source": (str, "the title, section and version of what was read", lambda v: bool(v.strip())),
    "url": (str, 'an https address, or "" with a file of this repository as source',
            lambda v: v == "" or re.fullmatch(r"https://[^\s/]+\S*", v) is not None),
    "read": (date, "a date such as 2026-11-23, without quotes", lambda v: not isinstance(v, datetime)),
    "review_days": (int, "a whole number of days, at least 1", lambda v: not isinstance(v, bool) and v >= 1),
    "note": (str, "a sentence", lambda v: True),
    "digits": (int, "how many decimals to print, 0 to 9", lambda v: not isinstance(v, bool) and 0 <= v <= 9),
    "form": (str, "duration, or no such field", lambda v: v == "duration"),
    "pointer": (str, "the place in the JSON file, such as jobs.A.start_s", lambda v: bool(v)),
}
_OPTIONAL = ("note", "digits", "form", "pointer")


def load(path: Path = LEDGER) -> dict[str, Fact]:
    """Read and check a ledger. The first fault raises :class:`FactError` naming file, key, field and what is expected."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise FactError(_("{file}: cannot be read ({error})").format(file=path.name, error=error)) from error
    except tomllib.TOMLDecodeError as error:
        raise FactError(_("{file}: not valid TOML: {error}").format(file=path.name, error=error)) from error
    facts: dict[str, Fact] = {}
    for group, entries in tables.items():
        _check_name(path.name, group)
        if not isinstance(entries, dict):
            raise FactError(_("{file}, {key}: found a value, expected a table [group.name]").format(file=path.name, key=group))
        for name, entry in entries.items():
            _check_name(path.name, name)
            facts[f"{group}.{name}"] = _fact(path.name, f"{group}.{name}", entry)
    return facts


def _check_name(file: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise FactError(_("{file}, {key}: a key is made of small letters, digits and _").format(file=file, key=name))


def _fact(file: str, key: str, entry: Any) -> Fact:
    if not isinstance(entry, dict):
        raise FactError(_("{file}, {key}: found a value, expected a table [group.name]").format(file=file, key=key))
    for name in entry:
        if name not in _FIELDS:
            near = ", ".join(difflib.get_close_matches(name, _FIELDS, 1) or _FIELDS)
            raise FactError(
                _("{file}, {key}: no field is called {field}; expected {near}").format(
                    file=file, key=key, field=name, near=near))
    for name, (kind, expected, holds) in _FIELDS.items():
        if name not in entry:
            if name not in _OPTIONAL:
                raise FactError(
                    _("{file}, {key}, field {field}: missing, expected {expected}").format(
                        file=file, key=key, field=name, expected=expected))
        elif not isinstance(entry[name], kind) or not holds(entry[name]):
            raise _wrong(file, key, name, entry[name], expected)
    _check_together(file, key, entry)
    return Fact(key=key, **entry)


def _check_together(file: str, key: str, entry: Mapping[str, Any]) -> None:
    """Rules that join two fields."""
    if not entry["url"] and not entry["source"].startswith(OWN_FILES):
        raise _wrong(file, key, "url", "", "an https address, since the source is no file of this repository")
    if entry["status"] != "measured" and not entry.get("note"):
        raise _wrong(file, key, "note", "", "how the number was derived, or why it was assumed")
    if "digits" in entry and isinstance(entry["value"], str):
        raise _wrong(file, key, "digits", entry["digits"], "no such field, since the value is a text")
    if "form" in entry and (entry["unit"] != "s" or isinstance(entry["value"], str) or "digits" in entry):
        raise _wrong(file, key, "form", entry["form"], "no such field, except with a number of seconds and without digits")


def _wrong(file: str, key: str, field: str, got: object, expected: str) -> FactError:
    return FactError(
        _("{file}, {key}, field {field}: found {got!r}, expected {expected}").format(
            file=file, key=key, field=field, got=got, expected=expected))


@functools.cache
def all_facts() -> Mapping[str, Fact]:
    """The whole ledger, by key, in the order of the file."""
    return load()


def fact(key: str) -> Fact:
    """The fact called ``key``; an unknown key raises :class:`FactError` that lists the nearest ones.

    >>> fact("slurm.bf_interval").text()
    '30 s'
    """
    facts = all_facts()
    if key in facts:
        return facts[key]
    near = difflib.get_close_matches(key, facts, 3, 0.4)
    near += [k for k in facts if k.partition(".")[2] == key.rpartition(".")[2] and k not in near]
    hint = _("Did you mean {keys}?").format(keys=", ".join(near)) if near else _("python -m clustersim.facts lists all keys.")
    raise FactError(_("{file} has no fact {key!r}. {hint}").format(file=LEDGER.name, key=key, hint=hint))


def commit_date(root: Path = LEDGER.parent) -> date:
    """The date against which age is judged.

    ``SOURCE_DATE_EPOCH`` if set (the convention of reproducible builds), else the committer date of the checkout that
    holds ``root``, else (an unpacked archive, no git) today. A ``SOURCE_DATE_EPOCH`` that is no number raises FactError.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch:
        try:
            return datetime.fromtimestamp(int(epoch), UTC).date()
        except (ValueError, OverflowError, OSError):
            raise FactError(_("SOURCE_DATE_EPOCH: found {got!r}, expected seconds since 1970").format(got=epoch)) from None
    return _git_date(root) or datetime.now(UTC).date()


@functools.cache
def _git_date(root: Path) -> date | None:
    """The committer date of the checkout that holds ``root``; ``None`` without git or outside a checkout."""
    import subprocess  # not in the browser, and only here

    command = ["git", "-C", str(root), "log", "-1", "--format=%cs"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return date.fromisoformat(done.stdout.strip())
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None


def stale_facts(on: date, facts: Mapping[str, Fact] | None = None) -> list[Fact]:
    """The facts whose source should be read again on the day ``on``, the longest overdue first."""
    chosen = all_facts() if facts is None else facts
    return sorted((f for f in chosen.values() if f.is_stale(on)), key=lambda f: (f.due, f.key))


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m clustersim.facts``: list the ledger; ``--due``: only stale facts, and exit 1 if there are any."""
    parser = argparse.ArgumentParser(prog="python -m clustersim.facts", description=_("List and check the fact ledger."))
    parser.add_argument("--due", action="store_true", help=_("only facts whose source should be read again; exit 1 if any"))
    parser.add_argument("--on", type=date.fromisoformat, metavar="DATE", help=_("judge age on this day, not on the commit's"))
    parser.add_argument("--file", type=Path, default=LEDGER, help=_("another ledger"))
    options = parser.parse_args(argv)
    try:
        on = options.on or commit_date()
        facts = load(options.file)
    except FactError as error:
        print(error, file=sys.stderr)
        return 2
    stale = stale_facts(on, facts)
    for item in stale if options.due else facts.values():
        print(f"{item.key:<34} {item.text():<16} {item.status:<9} {item.read}  {item.source}")
    print(ngettext("{n} fact of {all} is due for review on {day}", "{n} facts of {all} are due for review on {day}", len(stale))
          .format(n=len(stale), all=len(facts), day=on))
    return 1 if options.due and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
