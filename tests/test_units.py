"""Durations in and out. Source of the forms: sbatch(1), squeue(1)."""
from __future__ import annotations

import pytest

from clustersim import units
from clustersim.errors import InputError


@pytest.mark.parametrize(("text", "minutes"), [
    ("5", 5), ("0", 0), ("10:00", 10), ("10:01", 11), ("1:30:00", 90), ("1-0", 1_440), ("2-12:30", 3_630),
    ("1-01:01:01", 1_502), ("UNLIMITED", None), ("infinite", None), (" 7 ", 7),
])
def test_slurm_limits_are_whole_minutes_with_seconds_rounded_up(text: str, minutes: int | None) -> None:
    assert units.parse_slurm_minutes(text) == minutes


@pytest.mark.parametrize("text", ["", "abc", "1:2:3:4", "-5", "1-", "1-2:3:4:5", "1.5", "5m", "1d"])
def test_a_bad_limit_names_its_place_and_the_forms(text: str) -> None:
    with pytest.raises(InputError, match=r"jobs\[3\]\.time_limit: found .*expected minutes, M:SS"):
        units.parse_slurm_minutes(text, "jobs[3].time_limit")


@pytest.mark.parametrize(("seconds", "text"), [
    (0, "0:00"), (59, "0:59"), (600, "10:00"), (3_600, "1:00:00"), (86_400, "1-00:00:00"), (None, "UNLIMITED"),
])
def test_durations_print_as_squeue_prints_them(seconds: int | None, text: str) -> None:
    assert units.slurm_time(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [
    (0, "0 s"), (61, "1 min 1 s"), (3_600, "1 h"), (3_601, "1 h"), (90_000, "1 d 1 h"), (-120, "-2 min"), (59.6, "1 min"),
])
def test_durations_for_people_have_at_most_two_units(seconds: float, text: str) -> None:
    assert units.human_duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "00:00"), (10_800, "03:00"), (61, "00:01:01"), (86_400, "1 d 00:00"),
                                               (-60, "-00:01")])
def test_clock_times_count_from_midnight(seconds: int, text: str) -> None:
    assert units.clock_time(seconds) == text
