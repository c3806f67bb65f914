"""A measured run and the simulated one side by side: what the figures of the chapters on Slurm share."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from clustersim import measured
from clustersim.experiments.base import Figure, Outcome, Table
from clustersim.figures import gantt_spec, letters
from clustersim.figures_queue import pieces
from clustersim.messages import _, ngettext
from clustersim.slurm import compare, parse_workload, simulate_slurm
from clustersim.slurm import outcome as simulated_outcome
from clustersim.trace import JobRecord, Trace
from clustersim.units import MINUTE, clock_time


@lru_cache(maxsize=8)
def both(name: str, seed: int = 0) -> tuple[Trace, Trace, list[str]]:
    """(measured, simulated, differences) of a recorded workload; differences by the rules of the conformance suite.

    ``seed`` sets the phases of the controller's periodic loops, which are chance on a real cluster too.
    """
    workload = parse_workload(measured.workload(name), name)
    trace = simulate_slurm(workload, seed)
    return measured.recorded(name), trace, compare(simulated_outcome(trace, workload), measured.outcome(name))


def outcome(name: str, title: str, seed: int = 0) -> Outcome:
    """Figure, summary and table of a recorded workload; ``title`` is translated already."""
    real, trace, differences = both(name, seed)
    gaps = {job.id: _gap(job, trace) for job in real.jobs}
    return Outcome(_summary(real, gaps, differences), (_figure(real, trace, title),), _table(name, real, trace), {
        "differences": differences, "largest_gap_s": max(gaps.values()),
        "measured_starts_s": {job.id: [run.start for run in job.runs] for job in real.jobs},
        "simulated_starts_s": {job.id: [run.start for run in job.runs] for job in trace.jobs},
    })


def _gap(job: JobRecord, simulated: Trace) -> int:
    """The largest difference of a start of the job, in seconds; 0 if it never ran."""
    other = simulated.job(job.id)
    return max((abs(a.start - b.start) for a, b in zip(job.runs, other.runs, strict=False)), default=0)


def _summary(real: Trace, gaps: dict[str, int], differences: list[str]) -> str:
    if differences:
        text = ngettext("In {n} point the simulated run is outside what was measured: {list}",
                        "In {n} points the simulated run is outside what was measured: {list}", len(differences))
        return text.format(n=len(differences), list="; ".join(differences)) + "."
    text = _("States, order, nodes and reasons of all {n} jobs are those of the real Slurm; no start differs by more than "
             "{gap} s.")
    return text.format(n=len(real.jobs), gap=max(gaps.values()))


def _figure(real: Trace, trace: Trace, title: str) -> Figure:
    numbers = letters(job.id for job in real.jobs)
    words = ((_("{job}, measured"), real), (_("{job}, simulated"), trace))
    order = [word.format(job=job.id) for job in real.jobs for word, _trace in words]
    until = max(real.until, *(run.end or 0 for job in trace.jobs for run in job.runs))
    bars = [bar for word, one in words for job in one.jobs
            for bar in _bars(job, word.format(job=job.id), numbers[job.id], until)]
    lines = [_("{job} measured {real}, simulated {model}").format(
        job=job.id, real=_spans(job), model=_spans(trace.job(job.id))) for job in real.jobs]
    return Figure("beside", title, "; ".join(lines) + ".", gantt_spec(_("job"), order, 19, "min"),
                  {"bars": bars, "deaths": [], "marks": []})


def _bars(job: JobRecord, row: str, number: int, until: int) -> Iterator[dict[str, Any]]:
    for i, run in enumerate(job.runs):
        for begin, end in pieces(run.start, until if run.end is None else run.end, job.extra.get("suspended", ())):
            label = str(i + 1) if len(job.runs) > 1 else ""
            yield {"row": row, "job": job.id, "n": number, "start": round(begin / MINUTE, 3), "end": round(end / MINUTE, 3),
                   "middle": round((begin + end) / 2 / MINUTE, 3), "label": label}


def _spans(job: JobRecord) -> str:
    """``00:05 to 00:07, 00:09 to 00:11``, or why the job never ran."""
    if not job.runs:
        return _("never ({reason})").format(reason=job.reason)
    return ", ".join(_("{start} to {end}").format(
        start=clock_time(run.start), end="" if run.end is None else clock_time(run.end)) for run in job.runs)


def _table(name: str, real: Trace, trace: Trace) -> Table:
    runs = measured.outcome(name)["all_runs"]
    columns = (_("job"), _("submitted"), _("measured start (s)"), _("in all runs (s)"), _("simulated start (s)"),
               _("tolerance (s)"), _("last state"))
    rows = []
    for job in real.jobs:
        other = trace.job(job.id)
        last = job.state if job.state != "PENDING" else f"{job.state} ({job.reason})"
        rows.append((job.id, clock_time(job.submit), _starts(job), _spread(job.id, runs), _starts(other),
                     str(job.extra["tolerance_s"]), last))
    return Table(_("Every start, measured and simulated"), columns, tuple(rows))


def _starts(job: JobRecord) -> str:
    return ", ".join(str(run.start) for run in job.runs) or _("never")


def _spread(job: str, runs: Sequence[dict[str, Any]]) -> str:
    """The last start in all valid runs, as ``low to high``."""
    starts = [run["starts"][job][-1] for run in runs if run["starts"].get(job) and run["starts"][job][-1] is not None]
    if not starts:
        return ""
    return _("{low} to {high}").format(low=min(starts), high=max(starts)) if min(starts) < max(starts) else str(starts[0])
