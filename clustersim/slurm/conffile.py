"""The lines of Slurm's configuration files, as Slurm itself reads them: ``slurm.conf``, ``gres.conf``, ``topology.conf``.

Source: slurm.conf(5), ``src/common/parse_config.c`` and ``parse_value.c``. A ``#`` begins a comment unless a backslash
stands before it, also within quotes; a backslash at the end of a line, blanks and a comment behind it or not, joins the
next one; any other backslash only shields the character behind it; keys count in any case; blanks may stand around ``=``;
a value with blanks is quoted; ``Include FILE`` stands for the lines of that file, in whose name ``%c`` is the cluster's.
"""
from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.slurm.schema import BOUNDLESS, YES_NO, suggest, whole, whole_k

MAX_INCLUDES = 10  # one within the other; more is a file that includes itself
DEFAULT = "DEFAULT"
MAX_NUMBER = 2**32 - 3  # Slurm's largest 32-bit number that is not a special value

Opener = Callable[[str], str]
_PAIR = re.compile(r"""\s*([A-Za-z0-9_.]+)\s*=\s*(?:"([^"]*)"|([^\s"]\S*))(?=\s|$)""", re.ASCII)
_INCLUDE = re.compile(r"\s*include\s+(\S+)\s*", re.IGNORECASE)
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)#.*")
_CONTINUED = re.compile(r"(?<!\\)((?:\\\\)*)\\\s*$", re.ASCII)  # an odd number of backslashes, then blanks
_ESCAPED = re.compile(r"\\(.?)", re.DOTALL)


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
        number = whole_k(self.value) if high >= MAX_NUMBER else whole(self.value)
        if number is None or not low <= number <= high:
            raise self.wrong(_("a whole number from {low} to {high}").format(low=low, high=high))
        return number

    def check(self, bits: int) -> None:
        """Refuse what Slurm's own parser would: a number of so many bits (``UNLIMITED`` is one), with 1 a yes or no."""
        if bits == 1 and self.value.lower() not in YES_NO:
            raise self.wrong("YES, NO")
        number = whole_k(self.value) if bits >= 32 else whole(self.value)
        if bits > 1 and self.value.upper() not in BOUNDLESS and (number is None or number >= 2**bits):
            raise self.wrong(_("a whole number from {low} to {high}, or UNLIMITED").format(low=0, high=2**bits - 1))

    def words(self) -> list[str]:
        """The value's parts between commas, without blanks."""
        return [word.strip() for word in self.value.split(",") if word.strip()]


def lines_of(text: str, file: str, opener: Opener | None = None, depth: int = 0,
             names: dict[str, str] | None = None) -> Iterator[list[Entry]]:
    """The entries of each line that has any; :class:`InputError` names the line of what is no ``key=value``.

    ``depth`` counts the files around this one, and ``names`` holds the name of the cluster once a line gave it.
    """
    names = {} if names is None else names
    for number, line in _joined(text):
        include = _INCLUDE.fullmatch(line)
        if include:
            yield from _included(include[1], Entry("Include", include[1], file, number), opener, depth, names)
        elif line.strip():
            entries = _pairs(line, file, number)
            names.update((entry.key.lower(), entry.value.lower()) for entry in entries if entry.key.lower() == "clustername")
            yield entries


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """(number of the first line, text) with comments gone, continued lines joined and shielded characters bare."""
    parts: list[str] = []
    first = 0
    for number, line in enumerate(text.split("\n"), 1):
        first = first if parts else number
        bare = _COMMENT.sub(r"\1", line.rstrip("\r")) if "#" in line else line.rstrip("\r")
        continued = _CONTINUED.search(bare) if "\\" in bare else None
        parts.append(bare[: continued.end(1)] if continued else bare)
        if not continued:
            yield first, _ESCAPED.sub(r"\1", "".join(parts))
            parts = []
    if parts:
        yield first, _ESCAPED.sub(r"\1", "".join(parts))


def _included(name: str, entry: Entry, opener: Opener | None, depth: int, names: dict[str, str]) -> Iterator[list[Entry]]:
    if depth >= MAX_INCLUDES:
        raise entry.wrong(_("files that do not include themselves"))
    if "%c" in name:
        if "clustername" not in names:
            raise entry.wrong(_("ClusterName in a line above, since %c stands for it"))
        name = name.replace("%c", names["clustername"])
    name = posixpath.join(posixpath.dirname(entry.file) if depth else "", name)
    try:
        if opener is None:
            raise OSError
        text = opener(name)
    except (OSError, ValueError):
        raise entry.wrong(_("a readable file")) from None
    yield from lines_of(text, name, opener, depth + 1, names)


def _pairs(line: str, file: str, number: int) -> list[Entry]:
    entries: list[Entry] = []
    place = 0
    while line[place:].strip():
        match = _PAIR.match(line, place)
        if not match:
            where = _("{file}, line {line}").format(file=file, line=number)
            raise InputError(where, line[place:].strip(), _("KEY=VALUE pairs with blanks between them"),
                             _('A value with blanks stands in quotation marks: KEY="a b".'))
        entries.append(Entry(match[1], match[3] if match[2] is None else match[2], file, number))
        place = match.end()
    return entries


def opener_beside(path: Path) -> Opener:
    """Reads files that ``path`` includes: relative names count from its folder."""
    return lambda name: decode((path.parent / name).read_bytes())


def read_text(path: Path, what: str, mark: bool = False) -> str:
    """The text of a file, an editor's mark in front with it if told so; one clear sentence if it cannot be read."""
    try:
        return decode(path.read_bytes(), mark)
    except (OSError, ValueError) as error:
        raise InputError(str(path), (error.strerror if isinstance(error, OSError) else None) or str(error), what) from None


def decode(data: bytes, mark: bool = False) -> str:
    """Slurm takes any bytes, in comments and reasons often those of an old encoding; an editor's mark in front is no text."""
    return (data if mark else data.removeprefix(b"\xef\xbb\xbf")).decode("utf-8", errors="replace")


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
