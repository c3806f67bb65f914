"""Thirteen workloads measured on a real Slurm 22.05.8, beside what the simulator makes of them.

The first figure has a pair of bars for each job. The second shows what one measurement hides: the start of each job in
every valid run of the real Slurm. For ``mix24_backfill`` the real schedule differs from run to run, so that only totals
can be compared (README of ``tests/golden/slurm_golden``).
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from clustersim import hostlist, measured
from clustersim.experiments import beside
from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures_nodes import pairs_spec
from clustersim.messages import N_, _
from clustersim.slurm import compare, parse_workload
from clustersim.slurm import outcome as simulated_outcome
from clustersim.trace import JobRecord, Trace
from clustersim.units import MINUTE, clock_time, human_duration

WORKLOADS = {
    "backfill_same_jobs": N_("five jobs, backfill"),
    "fifo_builtin_blocks": N_("the same five jobs, strict order"),
    "backfill_does_not_delay_top": N_("a limit that is too long"),
    "timeouts": N_("limits that are too short"),
    "mix24_builtin": N_("24 jobs, strict order"),
    "mix24_backfill": N_("24 jobs, backfill"),
    "gpu_pack_default": N_("GPU jobs, best fit"),
    "gpu_spread_lln": N_("the same GPU jobs, CR_LLN"),
    "features_and_weights": N_("features and weights"),
    "topology_tree": N_("three leaf switches"),
    "exclusive_and_shared": N_("whole and shared nodes"),
    "node_drain_resume": N_("a node is drained"),
    "node_down_requeue": N_("nodes go down"),
}
NOT_UNIQUE = frozenset({"mix24_backfill"})  # kept in not_unique/ of the golden data
Starts = Mapping[str, list[int]]


def run(settings: Mapping[str, Value]) -> Outcome:
    name, seed = str(settings["workload"]), int(settings["seed"])
    title = _("Measured and simulated: {what}").format(what=_(WORKLOADS[name]))
    shown = beside.outcome(name, title, seed)
    real, trace, _differences = beside.both(name, seed)
    starts = {job.id: _in_all_runs(name, job.id) for job in real.jobs}
    values = {**shown.values, "starts_in_all_runs_s": starts}
    summary = shown.summary
    if name in NOT_UNIQUE:
        workload = parse_workload(measured.workload(name), name)
        differences = compare(simulated_outcome(trace, workload), measured.outcome(name), unique=False)
        values |= {"differences": differences}
        summary = _no_two_alike(name, trace, starts, differences)
    figures = (*shown.figures, _spread(real, trace, starts))
    return replace(shown, summary=summary, figures=figures, table=_table(real, trace, starts), values=values)


def _in_all_runs(name: str, job: str) -> list[int]:
    """The last start of a job in every valid run of the real Slurm, rising."""
    runs = [run["starts"].get(job) or [] for run in measured.outcome(name)["all_runs"]]
    return sorted(starts[-1] for starts in runs if starts and starts[-1] is not None)


def _waits(name: str) -> list[float]:
    """The mean wait of each valid run in which every job started."""
    submits = {name: job["submit_s"] for name, job in measured.outcome(name)["jobs"].items()}
    runs = [run["starts"] for run in measured.outcome(name)["all_runs"]]
    return [fmean(run[job][0] - at for job, at in submits.items()) for run in runs if all(run.get(job) for job in submits)]


def _no_two_alike(name: str, trace: Trace, starts: Starts, differences: Sequence[str]) -> str:
    jobs = [job for job, times in starts.items() if times[-1] - times[0] > MINUTE]
    waits = sorted(_waits(name))
    mine = fmean(job.wait or 0 for job in trace.jobs)
    text = _("The real Slurm did not make the same schedule each time: {n} of {all} jobs moved by more than a minute between "
             "its runs. Its mean wait lay between {low} and {high}; the simulated one is {mine}.")
    said = text.format(n=len(jobs), all=len(starts), low=human_duration(waits[0]), high=human_duration(waits[-1]),
                       mine=human_duration(mine))
    return said + (" " + _("Outside the measured range: {list}.").format(list="; ".join(differences)) if differences else "")


def _spread(real: Trace, trace: Trace, starts: Starts) -> Figure:
    """Every start less the published one (the median of the quiet runs), in seconds; the bar is the job's tolerance."""
    words = (_("real runs and tolerance"), _("simulated"))
    pairs: list[dict[str, Any]] = []
    ticks: list[dict[str, Any]] = []
    for job in (job for job in real.jobs if job.runs and starts[job.id]):
        zero, slack = job.runs[-1].start, job.extra["tolerance_s"]
        pairs.append({"row": job.id, "series": words[0], "start": -slack, "end": slack})
        ticks += [{"row": job.id, "series": words[0], "time": time - zero} for time in sorted(set(starts[job.id]))]
        if own := trace.job(job.id).runs:
            ticks.append({"row": job.id, "series": words[1], "time": own[-1].start - zero})
    shown = [job for job, times in starts.items() if times]
    widest = max(shown, key=lambda job: starts[job][-1] - starts[job][0])
    alt = _("Starts of each job in {n} runs of the real Slurm, disturbed ones too, and the simulated start. The widest spread "
            "is that of {job}: {spread}.").format(n=max(len(starts[job]) for job in shown), job=widest,
                                                  spread=human_duration(starts[widest][-1] - starts[widest][0]))
    return Figure("spread", _("The start of each job in every run, against the published one"), alt,
                  pairs_spec(_("seconds after the published start"), _("job"), shown, words, 26),
                  {"pairs": pairs, "ticks": ticks})


def _table(real: Trace, trace: Trace, starts: Starts) -> Table:
    columns = (_("job"), _("submitted"), _("limit"), _("start measured (s)"), _("in every run (s)"), _("simulated (s)"),
               _("tolerance (s)"), _("nodes measured"), _("nodes simulated"), _("state"))
    rows = []
    for job in real.jobs:
        other = trace.job(job.id)
        limit = _("none") if job.limit is None else human_duration(job.limit)
        rows.append((job.id, clock_time(job.submit), limit, _starts(job), _range(starts[job.id]), _starts(other),
                     str(job.extra["tolerance_s"]), _nodes(job), _nodes(other), job.state))
    return Table(_("Every start and node list, measured and simulated"), columns, tuple(rows))


def _starts(job: JobRecord) -> str:
    return ", ".join(str(run.start) for run in job.runs) or _("never")


def _range(times: Sequence[int]) -> str:
    if not times:
        return ""
    return str(times[0]) if times[0] == times[-1] else _("{low} to {high}").format(low=times[0], high=times[-1])


def _nodes(job: JobRecord) -> str:
    return hostlist.compress(job.runs[-1].nodes) if job.runs else ""


EXPERIMENT = Experiment(
    id="measured_beside_simulated",
    title=N_("Does a real Slurm do the same?"),
    caption=N_("Each pair of rows is one job: above as measured on Slurm 22.05.8, below as simulated."),
    controls=(
        Choice("workload", N_("Workload"), tuple(WORKLOADS.items()), "backfill_does_not_delay_top"),
        Slider("seed", N_("Seed"), 0, 20, 1, 0,
               help=N_("when the simulated daemon came up, which sets the phase of its loops")),
    ),
    run=run,
    presets=(Preset(N_("24 jobs, not the same twice"), {"workload": "mix24_backfill"}),
             Preset(N_("Features and weights"), {"workload": "features_and_weights"})),
)
