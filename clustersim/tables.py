"""The published tables that the book uses, behind one door: ``table("xid")``.

``data/tables.toml`` is the index: one entry a table with its source, licence and the types of its columns; a known
misprint of a source stands there beside the right value. The numbers lie in ``data/NAME.csv``.
"""
from __future__ import annotations

import csv
import difflib
import functools
import io
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from clustersim.errors import InputError
from clustersim.messages import _

FOLDER = Path(__file__).with_name("data")
INDEX = FOLDER / "tables.toml"

Cell = int | float | str | bool | None
Row = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Misprint:
    """``printed`` stands in the source where ``correct`` should; ``row`` is what the first column says there."""

    column: str
    row: str
    printed: Cell
    correct: Cell
    why: str


@dataclass(frozen=True)
class Table:
    """A table with typed cells; an empty cell is ``None``. ``licence`` "facts" means collected numbers, see the index."""

    name: str
    title: str
    source: str
    url: str
    licence: str
    read: date
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    misprints: tuple[Misprint, ...] = ()
    changes: str = ""

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def column(self, name: str) -> tuple[Cell, ...]:
        """All cells of one column; :class:`InputError` lists the columns there are."""
        if name not in self.columns:
            raise InputError(f"{self.name}.csv", name, _("one of {known}").format(known=", ".join(self.columns)))
        return tuple(row[name] for row in self.rows)

    def row(self, key: Cell, column: str = "") -> Row:
        """The first row whose ``column`` (the first one if empty) holds ``key``; :class:`InputError` if there is none."""
        column = column or self.columns[0]
        for row, cell in zip(self.rows, self.column(column), strict=True):
            if cell == key:
                return row
        near = difflib.get_close_matches(str(key), [str(c) for c in self.column(column)], 3, 0.4)
        known = near or [str(c) for c in self.column(column)[:6]]
        raise InputError(f"{self.name}.csv, {column}", key, _("one of {known}").format(known=", ".join(known)))

    def where(self, **cells: Cell) -> tuple[Row, ...]:
        """The rows that hold all of ``cells``."""
        return tuple(row for row in self.rows if all(row[name] == value for name, value in cells.items()))


@functools.cache
def names() -> tuple[str, ...]:
    """Every table, in the order of the index."""
    return tuple(_index())


@functools.cache
def table(name: str) -> Table:
    """The table called ``name`` (``xid`` or ``xid.csv``); an unknown name raises :class:`InputError` with the nearest ones.

    >>> table("llama3_interruptions").row("Faulty GPU")["count"]
    148
    """
    key = name.removesuffix(".csv")
    if key not in _index():
        near = difflib.get_close_matches(key, names(), 3, 0.4) or names()
        raise InputError(_("table"), name, _("one of {known}").format(known=", ".join(near)))
    return read(FOLDER / f"{key}.csv", _index()[key])


def read(path: Path, entry: Mapping[str, Any]) -> Table:
    """A table from a file and its entry of the index; a cell that its column cannot hold raises :class:`InputError`."""
    reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
    columns = tuple(reader.fieldnames or ())
    types, words = entry.get("columns", {}), entry.get("words", {})
    for name in types:
        if name not in columns:
            raise InputError(f"{path.name}, first line", ", ".join(columns), _("a column {name}").format(name=name))
    rows = tuple(_row(path.name, number, row, types, words) for number, row in enumerate(reader, 2))
    return Table(
        name=path.stem, title=entry.get("title", path.stem), source=entry.get("source", ""), url=entry.get("url", ""),
        licence=entry.get("licence", ""), read=entry.get("read", date.min), columns=columns, rows=rows,
        misprints=tuple(Misprint(**m) for m in entry.get("misprints", ())), changes=entry.get("changes", ""))


def read_untyped(path: Path) -> Table:
    """A table without an entry in the index: a column is a number if all its cells that are not empty are."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    types = {}
    for name in rows[0] if rows else ():
        cells = [row[name] for row in rows if row[name]]
        for kind in ("int", "float"):
            if cells and all(_fits(kind, cell) for cell in cells):
                types[name] = kind
                break
    return read(path, {"columns": types})


@functools.cache
def _index() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(INDEX.read_text(encoding="utf-8"))


def _flag(text: str) -> bool:
    return {"0": False, "1": True}[text]


def _yes(text: str) -> bool:
    return {"no": False, "yes": True}[text]


_KINDS: dict[str, tuple[Callable[[str], Cell], str]] = {
    "int": (int, "a whole number"), "float": (float, "a number"), "flag": (_flag, "0 or 1"), "yes": (_yes, "yes or no"),
}


def _fits(kind: str, text: str) -> bool:
    try:
        _KINDS[kind][0](text)
    except (ValueError, KeyError):
        return False
    return True


def _row(file: str, line: int, row: Mapping[str, str], types: Mapping[str, str], words: Mapping[str, str]) -> Row:
    cells: dict[str, Cell] = {}
    for name, text in row.items():
        kind = types.get(name)
        if kind is None:
            cells[name] = text
        elif text == "" or text in words:
            cells[name] = None
        elif not _fits(kind, text):
            raise InputError(f"{file}, line {line}, {name}", text, _KINDS[kind][1])
        else:
            cells[name] = _KINDS[kind][0](text)
    return cells


def slug(text: object) -> str:
    """A text as a name: small letters, digits and ``_``.

    >>> slug("GPU HBM3 memory"), slug("Network switch/cable")
    ('gpu_hbm3_memory', 'network_switch_cable')
    """
    return re.sub(r"[^a-z0-9]+", "_", str(text).lower()).strip("_")
