"""Statistics of a table by name, as the kind ``table`` asks for them: the name says which.

Names with a meaning of their own (``faults``, ``nodes_hit``, ``interarrival_cv``, ...) belong to one table. Any other name
is read as ``[operation_][value_][column][_operation]``, words joined by ``_``: the value restricts to rows that hold it in a
text column (``gpu_share``: the share of the class GPU; ``median_repair_days``; ``count_sum``; ``explicit_count``). A column
may be called by some of its words if no other one has them all: ``percent_before_sum``.
"""
from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from clustersim.reliability.fieldtrace import trace_statistics, variation
from clustersim.tables import Row, Table, slug

OPERATIONS: dict[str, Callable[[list[float]], float]] = {
    "sum": math.fsum, "total": math.fsum, "mean": statistics.fmean, "median": statistics.median, "min": min, "max": max,
    "cv": variation, "rows": len,
}
SHARES = {"share": 1.0, "percent": 100.0, "fraction": 1.0}


class Statistics(Mapping[str, Any]):
    """Looks a statistic up by its name; one that the grammar cannot read is missing."""

    def __init__(self, table: Table, needs: Mapping[str, Any]) -> None:
        self.table, self.needs = table, needs
        self.numbers = {slug(c): c for c in table.columns if any(isinstance(r[c], int | float) for r in table)}
        self.texts = [c for c in table.columns if c not in self.numbers.values() and c not in ("source", "confidence")]
        self.special: Mapping[str, float] = {}
        if {"start_day", "repair_days", "node", "class"} <= set(table.columns):
            self.special = trace_statistics(table, **{k: needs[k] for k in ("servers", "days") if k in needs})

    def __iter__(self) -> Iterator[str]:
        return iter(self.special)

    def __len__(self) -> int:
        return len(self.special)

    def __getitem__(self, name: str) -> float:
        if name in self.special:
            return self.special[name]
        value = self._read(name.split("_"))
        if value is None:
            raise KeyError(name)
        return value

    def _read(self, words: list[str]) -> float | None:
        if words in (["rows"], ["count"]):
            return len(self.table)
        if words[-1] == "printed" and "percent" in words:  # gpu_percent_printed: the sum of the percentages as printed
            rows = self._rows("_".join(words[: words.index("percent")]))
            column = self._column(["percent", "as", "printed"])
            return self._apply("sum", column, rows) if rows and column else None
        by_count = words[-2:] == ["by", "count"]
        words = words[:-2] if by_count else words
        for operation, rest in self._splits(words):
            for cut in range(len(rest), -1, -1):
                rows = self._rows("_".join(rest[:cut])) if cut else list(self.table)
                column = self._column(rest[cut:])
                if operation in SHARES and rows and cut == len(rest):
                    return SHARES[operation] * self._weight(rows) / self._weight(list(self.table))
                counted = rest[cut:] == ["count"]  # without such a column the rows are what is counted
                if rows and (column or cut == len(rest) or counted):
                    return self._apply(operation, column or self._column(["count"]), rows)
        return None

    @staticmethod
    def _splits(words: list[str]) -> Iterator[tuple[str, list[str]]]:
        known = {*OPERATIONS, *SHARES}
        if words[-1] in known:
            yield words[-1], words[:-1]
        if words[0] in known:
            yield words[0], words[1:]
        yield "sum", words

    def _column(self, words: list[str]) -> str | None:
        if not words or "_".join(words) in self.numbers:
            return self.numbers.get("_".join(words))
        fitting = [column for name, column in self.numbers.items() if set(words) <= set(name.split("_"))]
        return fitting[0] if len(fitting) == 1 else None

    def _rows(self, value: str) -> list[Row]:
        for column in self.texts:
            rows = [row for row in self.table if slug(row[column]) == value]
            if rows:
                return rows
        return []

    def _weight(self, rows: list[Row]) -> float:
        column = self.numbers.get("count")
        return math.fsum(float(row[column] or 0) for row in rows) if column else len(rows)

    def _apply(self, operation: str, column: str | None, rows: list[Row]) -> float:
        if column is None or operation == "rows":
            return len(rows)
        values = [float(row[column]) for row in rows if row[column] is not None]  # type: ignore[arg-type]
        return float(OPERATIONS[operation](values))
