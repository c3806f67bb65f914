"""``dcgmi diag`` as it is in DCGM 4.6.0: levels, tests, durations, what they find, exit codes; and the health watches.

Membership, durations with a default, exit codes and severities are read from the source (``dcgm_*.csv``). How often a test
finds a defect is published once (EUD: 70 % of silent corruptions, ByteDance); all else in ``dcgm_coverage.csv`` is assumed
and carries a range. A passed diagnostic is not a proof of health.
"""
from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random

from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.tables import table

COLUMNS = {1: "level1_short", 2: "level2_medium", 3: "level3_long", 4: "level4_xlong"}
PASS, FAILED, ISOLATE = 0, 226, 205  # shell exit codes: DCGM_ST_OK, DCGM_ST_NVVS_ERROR, DCGM_ST_NVVS_ISOLATE_ERROR
EUD_RECALL = "silent_corruption", "eud"


@dataclass(frozen=True)
class Host:
    """What the node allows: tests that need root, a package or a path run only with it (the condition of dcgm_levels.csv)."""

    root: bool = True
    eud_package: bool = False
    grace: bool = False
    nccl_tests: bool = False
    rist: bool = False
    nvbandwidth: bool = True

    def runs(self, test: str) -> bool:
        return {"eud": self.root and self.eud_package, "cpu_eud": self.root and self.eud_package and self.grace,
                "nccl_tests": self.nccl_tests, "rist": self.rist, "nvbandwidth": self.nvbandwidth}.get(test, True)


@dataclass(frozen=True, slots=True)
class Result:
    """What ``dcgmi diag`` answers: ``failed`` maps a test to its error code; ``seconds`` is how long it took."""

    level: int
    exit_code: int
    failed: Mapping[str, str]
    seconds: float

    @property
    def meaning(self) -> str:
        return str(table("dcgm_exit_codes").row(self.exit_code)["meaning"])


def level_of(name: str | int) -> int:
    """The level of a name that ``-r`` takes: 1 to 4, short, quick, medium, long, xlong, production_testing.

    >>> level_of("quick"), level_of("production_testing"), level_of(4)
    (1, 3, 4)
    """
    wanted = str(name).strip().lower()
    for row in table("dcgm_suites"):
        aliases = str(row["aliases"]).replace("(", ",").replace(")", ",").split(",")
        if wanted in {str(row["cli_value"]), *(alias.strip() for alias in aliases)}:
            return int(row["test_set_level"] or 0)
    raise InputError(_("diagnostic level"), name, _("1 to 4, short, medium, long, xlong or production_testing"))


def tests_of(level: str | int, host: Host | None = None) -> tuple[str, ...]:
    """The tests of a level, in the order of the source; with a host only those that run there."""
    column = COLUMNS[level_of(level)]
    return tuple(str(row["test"]) for row in table("dcgm_levels")
                 if row[column] and (host is None or host.runs(str(row["test"]))))


@dataclass(frozen=True, slots=True)
class Seconds:
    """Least, default and most."""

    low: float
    default: float
    high: float


def duration(level: str | int, host: Host | None = None) -> Seconds:
    """Seconds of a level on one node: the sum over its tests; GPUs of a node are tested together.

    What the help text prints (``printed``) is rounder, and longer at level 4: more than an hour was seen on 8 GPUs.
    """
    rows = [table("dcgm_timing").row(test) for test in tests_of(level, host or Host())]
    return Seconds(*(math.fsum(float(row[c] or 0) for row in rows) for c in ("low_s", "default_s", "high_s")))


def printed(level: str | int) -> str:
    """How long the level takes in words of the sources."""
    return str(table("dcgm_suites").row(str(level_of(level)))["typical_duration"])


def defects() -> tuple[str, ...]:
    """The kinds of defect that the coverage table knows."""
    return tuple(dict.fromkeys(str(row["defect"]) for row in table("dcgm_coverage")))


@functools.cache
def _chances(defect: str, column: str) -> Mapping[str, float]:
    return {str(row["test"]): float(row[column] or 0) for row in table("dcgm_coverage").where(defect=defect)}


def coverage(level: str | int, defect: str, host: Host | None = None, column: str = "default") -> float:
    """The chance that one run of the level finds the defect; ``column`` low or high gives the ends of the range.

    Tests are taken as independent, which flatters: two tests that miss the same corner count twice.
    """
    if defect not in defects():
        raise InputError(_("defect"), defect, _("one of {known}").format(known=", ".join(defects())))
    found = _chances(defect, column)
    return 1 - math.prod(1 - found.get(test, 0.0) for test in tests_of(level, host or Host()))


def exit_code(errors: Iterable[str]) -> int:
    """The shell's exit code for these error codes: 205 if one has isolate severity, 226 for any other, 0 for none.

    >>> exit_code([]), exit_code(["DCGM_FR_STRESS_LEVEL"]), exit_code(["DCGM_FR_STRESS_LEVEL", "DCGM_FR_FAULTY_MEMORY"])
    (0, 226, 205)
    """
    severities = {severity(error) for error in errors}
    return ISOLATE if "isolate" in severities else FAILED if severities else PASS


def severity(error: str) -> str:
    """none, monitor, isolate, unknown, triage, config or reset (dcgm_error_severity.csv)."""
    return str(table("dcgm_error_severity").row(error, "name")["severity"])


def diagnose(level: str | int, faulty: Iterable[str], rng: Random, host: Host | None = None,
             fail_early: bool = False) -> Result:
    """One run on a node with these defects. ``fail_early`` stops after the first test that fails.

    Option ``--fail-early`` looks every 5 s (``--check-interval``); here the failing test still runs to its end.
    """
    host = host or Host()
    present = tuple(faulty)
    failed: dict[str, str] = {}
    seconds = 0.0
    for test in tests_of(level, host):
        seconds += float(table("dcgm_timing").row(test)["default_s"] or 0)
        for row in table("dcgm_coverage").where(test=test):
            if row["defect"] in present and rng.random() < float(row["default"] or 0):
                failed[test] = str(row["error"])
        if failed and fail_early:
            break
    return Result(level_of(level), exit_code(failed.values()), failed, seconds)


# --- the background health watches ---------------------------------------------------------------------------------

WARM_UP_S = 60.0  # pcie, mem, nvlink, thermal and connectx need a minute of data
HEALTH = {"PASS": 0, "WARN": 10, "FAIL": 20}  # results of dcgmi health


def watches(flags: str = "pm") -> tuple[str, ...]:
    """The watches that ``dcgmi health -s FLAGS`` sets; ``pm`` is the default, ``a`` means all that dcgmi has wired."""
    rows = [row for row in table("dcgm_health_watches") if row["dcgmi_flag"] != "-"]
    if "a" in flags:
        return tuple(str(row["watch"]) for row in rows)
    known = {str(row["dcgmi_flag"]) for row in rows}
    for flag in flags:
        if flag not in known:
            raise InputError(_("health watch"), flag, _("one of {known}").format(known=", ".join(sorted(known) + ["a"])))
    return tuple(str(row["watch"]) for row in rows if str(row["dcgmi_flag"]) in flags)


def xid_health(xid: int, flags: str = "pm") -> str:
    """PASS, WARN or FAIL of the health watches for one Xid: some count always, others only if their watch is set."""
    try:
        text = str(table("xid").row(xid)["dcgm_health_result"] or "")
    except InputError:
        return "PASS"
    result, _space, watch = text.partition(" ")
    return result if watch.split(" ")[0] in {"always", *watches(flags)} and result else "PASS"
