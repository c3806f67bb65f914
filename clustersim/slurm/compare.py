"""Is a simulated outcome the measured one? By the rules of the conformance data's README, section "How exact"."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from clustersim.messages import _

STANDING = 10  # seconds: a reason that stood this long in the measured run must appear


def compare(simulated: Mapping[str, Any], golden: Mapping[str, Any], unique: bool = True) -> list[str]:
    """The differences, one sentence each; an empty list means that the simulated outcome holds.

    With ``unique=False`` (a workload whose schedule varies from run to run) only totals are compared: see
    :func:`totals`.
    """
    if not unique:
        return list(totals(simulated, golden))
    found: list[str] = []
    for name, expected in golden["jobs"].items():
        actual = simulated["jobs"].get(name)
        if actual is None:
            found.append(_("{job}: missing, measured {state}").format(job=name, state=expected["state"]))
        else:
            found += (f"{name}: {text}" for text in _job(actual, expected, golden, name in golden.get("nodes_vary", ())))
    waiting = {row["job"] for row in golden["job_transitions"]}
    found += [_("{job}: not in the measured run").format(job=name) for name in simulated["jobs"]
              if name not in golden["jobs"] and name not in waiting]
    found += _order(simulated, golden)
    found += _reasons(simulated, golden)
    return found


def _job(actual: Mapping[str, Any], expected: Mapping[str, Any], golden: Mapping[str, Any], vary: bool) -> Iterator[str]:
    if actual["state"] != expected["state"]:
        yield _differs("state", actual["state"], expected["state"])
        return
    if expected["state"] == "REJECTED":
        for key in ("rc", "stderr"):
            if actual[key] != expected[key]:
                yield _differs(key, actual[key], expected[key])
        return
    runs, measured = actual["runs"], expected["runs"]
    if len(runs) != len(measured):
        yield _differs("runs", len(runs), len(measured))
        return
    if expected.get("reason", "None") != actual.get("reason", "None"):
        yield _differs("reason", actual.get("reason"), expected.get("reason"))
    if expected["exit_code"] != actual["exit_code"]:
        yield _differs("exit code", actual["exit_code"], expected["exit_code"])
    tolerance = expected.get("tolerance_s", golden["time_tolerance_s"])
    for i, (run, wanted) in enumerate(zip(runs, measured, strict=True)):
        yield from _run(i, run, wanted, tolerance, [] if vary else [wanted["nodes"], *expected.get("nodes_seen", ())])


def _run(i: int, run: Mapping[str, Any], wanted: Mapping[str, Any], tolerance: int, nodes: list[list[str]]) -> Iterator[str]:
    if run["state"] != wanted["state"]:
        yield _differs(f"run {i} state", run["state"], wanted["state"])
    if nodes and run["nodes"] not in nodes:
        yield _differs(f"run {i} nodes", ",".join(run["nodes"]), ",".join(wanted["nodes"]))
    for key in ("start_s", "end_s"):
        if (run[key] is None) != (wanted[key] is None):
            yield _differs(f"run {i} {key}", run[key], wanted[key])
        elif run[key] is not None and abs(run[key] - wanted[key]) > tolerance:
            expected = _("{time} within {tolerance} s").format(time=wanted[key], tolerance=tolerance)
            yield _differs(f"run {i} {key}", run[key], expected)


def _differs(what: str, actual: object, expected: object) -> str:
    return _("{what} is {actual}, measured {expected}").format(what=what, actual=actual, expected=expected)


def _order(simulated: Mapping[str, Any], golden: Mapping[str, Any]) -> Iterator[str]:
    """No job of a later measured group may start before one of an earlier group."""
    starts = {name: min((run["start_s"] for run in job["runs"] if run["start_s"] is not None), default=None)
              for name, job in simulated["jobs"].items() if job.get("runs")}
    latest: tuple[int, str] | None = None
    for group in golden["start_order"]:
        known = [(start, name) for name in group if (start := starts.get(name)) is not None]
        for start, name in known:
            if latest and start < latest[0]:
                yield _("{job} starts at {start}, before {other} at {time}; measured the other way round").format(
                    job=name, start=start, other=latest[1], time=latest[0])
        latest = max([*known, *([latest] if latest else [])], default=None)


def _reasons(simulated: Mapping[str, Any], golden: Mapping[str, Any]) -> Iterator[str]:
    seen = {(row["job"], row["reason"]) for row in simulated["job_transitions"] if row["state"] == "PENDING"}
    for name, reason, stood in standing_reasons(golden["job_transitions"]):
        if (name, reason) not in seen:
            text = _("{job}: the reason {reason} never appears; it was seen for {time} s")
            yield text.format(job=name, reason=reason, time=stood)


def standing_reasons(rows: list[Mapping[str, Any]]) -> Iterator[tuple[str, str, float]]:
    """(job, reason, seconds) of every reason of a waiting job that was seen for ``STANDING`` seconds or longer."""
    by_job: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_job.setdefault(row["job"], []).append(row)
    for name, own in by_job.items():
        for row, following in zip(own, own[1:], strict=False):
            stood = following["t"] - row["t"]
            if row["state"] == "PENDING" and stood >= STANDING:
                yield name, row["reason"], round(stood, 1)


def totals(simulated: Mapping[str, Any], golden: Mapping[str, Any]) -> Iterator[str]:
    """Mean wait and makespan (as the last start) against the file's own runs.

    Accepted is what lies between the smallest and the largest value of all runs, widened on both sides by what they
    spread, or by the file's tolerance for a single time if that is more.
    """
    submits = {name: job["submit_s"] for name, job in golden["jobs"].items()}
    runs = [{name: starts[0] for name, starts in run["starts"].items() if starts} for run in golden["all_runs"]]
    mine = {name: job["runs"][0]["start_s"] for name, job in simulated["jobs"].items() if job.get("runs")}
    for name in submits:
        if mine.get(name) is None:
            yield _("{job}: never started").format(job=name)
            return
    def mean_wait(starts: Mapping[str, int]) -> float:
        return sum([starts[name] - int(submits[name]) for name in submits]) / len(submits)

    def last_start(starts: Mapping[str, int]) -> float:
        return max(starts[name] for name in submits)

    for what, measure in (("mean wait", mean_wait), ("last start", last_start)):
        values = [measure(run) for run in runs]
        slack = max(max(values) - min(values), golden["time_tolerance_s"])
        actual = measure(mine)
        if not min(values) - slack <= actual <= max(values) + slack:
            yield _differs(what, round(actual, 1), _("{low} to {high}").format(
                low=round(min(values) - slack, 1), high=round(max(values) + slack, 1)))
