"""What a subject did at every instant, as spans; a long run keeps causes and spells its spans out when somebody looks."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar, overload


class Span(NamedTuple):
    """What a subject did from ``start`` to ``end``: ``kind`` (work, replay, checkpoint, detect, ...), and due to what.

    ``work`` is how much new work was done in it, in ticks of undisturbed work: all of a span of work at full speed, less
    of one that was slow, nothing of any other kind.
    """

    start: int
    end: int
    kind: str
    subject: str
    cause: str = ""
    work: int = 0


Totals = Mapping[tuple[str, str], tuple[int, int]]  # (kind, cause): ticks, and new work in them
T = TypeVar("T")


class Deferred(Sequence[T]):
    """A sequence that is spelled out when somebody looks: a long run records causes and derives the rest from them."""

    def __init__(self, make: Callable[[], Iterable[T]]) -> None:
        self._make = make
        self._items: tuple[T, ...] | None = None

    @property
    def items(self) -> tuple[T, ...]:
        if self._items is None:
            self._items = tuple(self._make())
        return self._items

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self.items[index]

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __eq__(self, other: object) -> bool:
        return self.items == tuple(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


class DeferredSpans(Deferred[Span]):
    """Spans whose sums are known without spelling them out; ``make_totals`` must agree with ``make``, to the tick."""

    def __init__(self, make: Callable[[], Iterable[Span]], make_totals: Callable[[], Totals]) -> None:
        super().__init__(make)
        self.totals = make_totals


def totals(spans: Sequence[Span]) -> Totals:
    """Ticks and new work of all spans, by kind and cause."""
    if isinstance(spans, DeferredSpans):
        return spans.totals()
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for start, end, kind, _subject, cause, done in spans:
        time, work = found.get((kind, cause), (0, 0))
        found[kind, cause] = time + end - start, work + done
    return found
