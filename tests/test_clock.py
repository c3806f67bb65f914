"""One process, one pass per instant, stop and go on."""
from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustersim.clock import CONTROLLERS, ENDS, INPUTS, Agenda, Clock


class Recorder:
    """Notes each instant; at 5 it asks for the same instant again, once."""

    def __init__(self, times: list[int]) -> None:
        self.agenda, self.seen = Agenda(), []
        for time in times:
            self.agenda.put(time, INPUTS, time)

    def next_time(self) -> int | None:
        return self.agenda.next_time()

    def instant(self, now: int) -> None:
        items = []
        while (item := self.agenda.pop(now)) is not None:
            items.append(item)
        self.seen.append((now, items))
        if now == 5 and items != ["again"]:
            self.agenda.put(5, ENDS, "again")


def test_all_items_of_an_instant_come_together_and_an_instant_can_come_again() -> None:
    system = Recorder([5, 2, 5, 9])
    assert Clock(system).run() == 9
    assert system.seen == [(2, [2]), (5, [5, 5]), (5, ["again"]), (9, [9])]


def test_a_run_stops_at_until_and_goes_on_from_there() -> None:
    system = Recorder([2, 5, 9])
    clock = Clock(system)
    assert clock.run(until=6) == 6
    assert [now for now, _ in system.seen] == [2, 5, 5]
    assert clock.run() == 9
    assert [now for now, _ in system.seen] == [2, 5, 5, 9]


def test_a_run_may_begin_before_zero() -> None:
    assert Clock(Recorder([-7, 3]), start=-7).run() == 3


def test_an_instant_in_the_past_is_a_bug_and_raises() -> None:
    with pytest.raises(ValueError, match="delay"):
        Clock(Recorder([1]), start=4).run()


def test_agenda_orders_by_time_then_phase_then_entry() -> None:
    agenda = Agenda()
    for phase, name in ((CONTROLLERS, "c"), (INPUTS, "i1"), (ENDS, "e"), (INPUTS, "i2")):
        agenda.put(3, phase, name)
    assert agenda.pop(2) is None
    assert [agenda.pop(3) for _ in range(4)] == ["e", "i1", "i2", "c"]
    assert agenda.next_time() is None


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=30), st.lists(st.tuples(
    st.integers(0, 9), st.integers(0, 3)), max_size=30), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=30))
def test_agenda_gives_what_sorting_gives(
    before: list[tuple[int, int]], known: list[tuple[int, int]], later: list[tuple[int, int]]
) -> None:
    """Entries (time, phase): put in, known beforehand, and put in one after the other while others are taken out."""
    agenda, names, waiting = Agenda(), itertools.count(), []
    for time, phase in before:
        waiting.append((time, phase, next(names)))
        agenda.put(*waiting[-1])
    made = [(time, phase, next(names)) for time, phase in known]
    agenda.fill(made)
    waiting += made
    for time, phase in later:
        assert agenda.next_time() == min((entry[0] for entry in waiting), default=None)
        if waiting:
            entry = min(waiting)
            waiting.remove(entry)
            assert agenda.pop(entry[0] - 1) is None and agenda.pop(entry[0]) == entry[2]
        waiting.append((time, phase, next(names)))
        agenda.put(*waiting[-1])
    assert [agenda.pop(9) for _entry in waiting] == [entry[2] for entry in sorted(waiting)]
    assert agenda.next_time() is None and agenda.pop(9) is None


def test_what_is_known_beforehand_keeps_its_place_among_what_is_put_in_later() -> None:
    agenda = Agenda()
    agenda.put(5, ENDS, "before")
    agenda.fill([(5, INPUTS, "second"), (1, INPUTS, "first"), (5, INPUTS, "third")])
    agenda.put(5, INPUTS, "later")
    agenda.put(5, ENDS, "an end")
    assert agenda.next_time() == 1 and agenda.pop(0) is None
    assert [agenda.pop(5) for _ in range(7)] == ["first", "before", "an end", "second", "third", "later", None]
    assert agenda.next_time() is None
