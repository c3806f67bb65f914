"""The lines of Slurm's configuration files, as Slurm itself reads them: ``slurm.conf``, ``gres.conf``, ``topology.conf``.

Source: slurm.conf(5) and ``src/common/parse_config.c``. A ``#`` begins a comment unless a backslash stands before it,
also within quotes; a backslash at the end of a line joins the next one; keys count in any case; blanks may stand around
``=``; a value with blanks is quoted; ``Include FILE`` stands for the lines of that file.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.slurm.schema import suggest, whole

MAX_INCLUDES = 10  # one within the other; more is a file that includes itself
DEFAULT = "DEFAULT"
MAX_NUMBER = 2**32 - 3  # Slurm's largest 32-bit number that is not a special value

Opener = Callable[[str], str]
_PAIR = re.compile(r"""\s*([A-Za-z0-9_.]+)\s*=\s*(?:"([^"]*)"|([^\s"]\S*))(?=\s|$)""", re.ASCII)
_INCLUDE = re.compile(r"\s*include\s+(\S+)\s*", re.IGNORECASE)
_COMMENT = re.compile(r"(?<!\\)#.*")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the reader should know about an input that is used all the same."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One ``key=value``; ``line`` is where it begins, counted from 1."""

    key: str
    value: str
    file: str
    line: int

    @property
    def where(self) -> str:
        """The place as a person finds it: ``slurm.conf, line 3, CPUs``."""
        return _("{file}, line {line}, {key}").format(file=self.file, line=self.line, key=self.key)

    def wrong(self, expected: str, hint: str = "") -> InputError:
        return InputError(self.where, self.value, expected, hint)

    def number(self, low: int = 0, high: int = MAX_NUMBER) -> int:
        """The value as a whole number from ``low`` to ``high``."""
        number = whole(self.value)
        if number is None or not low <= number <= high:
            raise self.wrong(_("a whole number from {low} to {high}").format(low=low, high=high))
        return number

    def words(self) -> list[str]:
        """The value's parts between commas, without blanks."""
        return [word.strip() for word in self.value.split(",") if word.strip()]


def lines_of(text: str, file: str, opener: Opener | None = None, depth: int = 0) -> Iterator[list[Entry]]:
    """The entries of each line that has any; :class:`InputError` names the line of what is no ``key=value``."""
    for number, line in _joined(text):
        include = _INCLUDE.fullmatch(line)
        if include:
            yield from _included(include[1], file, number, opener, depth)
        elif line.strip():
            yield _pairs(line, file, number)


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """(number of the first line, text) with comments gone and continued lines joined."""
    parts: list[str] = []
    first = 0
    for number, line in enumerate(text.split("\n"), 1):
        first = first if parts else number
        bare = _COMMENT.sub("", line.rstrip("\r")).replace("\\#", "#")
        if bare.endswith("\\"):
            parts.append(bare[:-1])
            continue
        yield first, "".join([*parts, bare])
        parts = []
    if parts:
        yield first, "".join(parts)


def _included(name: str, file: str, line: int, opener: Opener | None, depth: int) -> Iterator[list[Entry]]:
    where = _("{file}, line {line}, {key}").format(file=file, line=line, key="Include")
    if depth >= MAX_INCLUDES:
        raise InputError(where, name, _("files that do not include themselves"))
    try:
        if opener is None:
            raise OSError
        text = opener(name)
    except (OSError, ValueError):
        raise InputError(where, name, _("a readable file")) from None
    yield from lines_of(text, name, opener, depth + 1)


def _pairs(line: str, file: str, number: int) -> list[Entry]:
    entries: list[Entry] = []
    place = 0
    while line[place:].strip():
        match = _PAIR.match(line, place)
        if not match:
            where = _("{file}, line {line}").format(file=file, line=number)
            raise InputError(where, line[place:].strip(), _("KEY=VALUE pairs with blanks between them"))
        entries.append(Entry(match[1], match[3] if match[2] is None else match[2], file, number))
        place = match.end()
    return entries


def opener_beside(path: Path) -> Opener:
    """Reads files that ``path`` includes: relative names count from its folder."""
    return lambda name: (path.parent / name).read_text(encoding="utf-8")


def read_text(path: Path, what: str) -> str:
    """The text of a file; one clear sentence if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(str(path), str(error), what) from None


@dataclass(slots=True)
class Keys:
    """The keys of one kind of line: their proper spelling by the lower-case one, older names included."""

    kind: str
    known: Mapping[str, str]
    notices: list[Notice] = field(default_factory=list)

    @classmethod
    def of(cls, kind: str, names: Iterable[str], notices: list[Notice], **older: str) -> Keys:
        known = {name.lower(): name for name in names} | {old.lower(): new for old, new in older.items()}
        return cls(kind, known, notices)

    def spell(self, entry: Entry) -> str | None:
        """The key's proper spelling; an unknown one leaves a notice with the nearest known key."""
        name = self.known.get(entry.key.lower())
        if name is None:
            text = _("{key} is not a key of {kind}; it is left out.").format(key=entry.key, kind=self.kind)
            self.notices.append(Notice(entry.where, f"{text} {suggest(entry.key, set(self.known.values()))}".rstrip()))
        return name

    def record(self, entries: Iterable[Entry]) -> dict[str, Entry]:
        """The known entries of one line by their proper names. A key given twice is an error."""
        found: dict[str, Entry] = {}
        for entry in entries:
            name = self.spell(entry)
            if name in found:
                raise InputError(entry.where, entry.value, _("each key once in a line"))
            if name is not None:
                found[name] = entry
        return found

    def left_out(self, entry: Entry, what: str = "") -> None:
        """Note that a legal key or value has no effect here."""
        self.notices.append(not_modelled(entry, what))


def not_modelled(entry: Entry, what: str = "") -> Notice:
    text = _("{what} is not modelled here; it is left out.").format(what=what or f"{entry.key}={entry.value}")
    return Notice(entry.where, text)
