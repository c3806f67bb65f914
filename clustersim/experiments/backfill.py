"""A queue with and without backfill: textbook FCFS against EASY on the same seeded jobs."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clustersim.batch import replay_pool
from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures import pool_rectangles, schedule_spec, waits_spec
from clustersim.messages import N_, _
from clustersim.metrics import Metrics, metrics
from clustersim.trace import Trace
from clustersim.units import HOUR, human_duration
from clustersim.workload import generate

CORES = 64


def run(settings: Mapping[str, Value]) -> Outcome:
    """Replay one workload under both policies; the schedule shown is the chosen one's."""
    over_ask = float(settings["over_ask"])
    table = generate(int(settings["jobs"]), CORES, float(settings["load"]), over_ask, int(settings["seed"]))
    traces = {policy: replay_pool(table, CORES, policy) for policy in ("fcfs", "easy")}
    results = {policy: metrics(trace) for policy, trace in traces.items()}
    traces = {policy: replace(trace, jobs=tuple(trace.jobs)) for policy, trace in traces.items()}  # each record made once
    shown = str(settings["policy"])
    ahead = sum(1 for job in traces["easy"].jobs if job.extra.get("backfilled"))
    summary = _summary(results, ahead)
    figures = (_schedule(traces[shown], shown, results[shown].makespan), _waits(traces))
    return Outcome(summary, figures, _table(results, ahead), {
        "mean_wait_s": {p: m.mean_wait for p, m in results.items()},
        "bounded_slowdown": {p: m.mean_bounded_slowdown_tau10 for p, m in results.items()},
        "utilisation": {p: m.utilisation for p, m in results.items()},
        "makespan_s": {p: m.makespan for p, m in results.items()},
        "backfilled": ahead,
        "later_than_fcfs": _later(traces),
    })


def _later(traces: Mapping[str, Trace]) -> int:
    pairs = zip(traces["fcfs"].jobs, traces["easy"].jobs, strict=True)
    return sum(1 for a, b in pairs if (b.start or 0) > (a.start or 0))


def _summary(results: Mapping[str, Metrics], ahead: int) -> str:
    return _("EASY starts {ahead} of {n} jobs ahead of their turn; the mean wait is {easy} instead of {fcfs}, and over the "
             "whole run {easy_use:.0%} of the cores are busy instead of {fcfs_use:.0%}.").format(
        ahead=ahead, n=results["easy"].jobs,
        easy=human_duration(results["easy"].mean_wait), fcfs=human_duration(results["fcfs"].mean_wait),
        easy_use=results["easy"].utilisation, fcfs_use=results["fcfs"].utilisation,
    )


def _schedule(trace: Trace, policy: str, makespan: int) -> Figure:
    labels = {"in order": _("in order"), "ahead": _("ahead of its turn")}
    rows: list[dict[str, Any]] = [{**row, "label": labels[row["kind"]]} for row in pool_rectangles(trace)]
    name = _("EASY backfill") if policy == "easy" else _("FCFS")
    alt = _("Schedule under {policy}: {cores} cores over {time}, one rectangle a job; {n} jobs start ahead of their turn.")
    ahead = sum(1 for job in trace.jobs if job.extra.get("backfilled"))
    return Figure(
        "schedule", _("Who holds which cores when, under {policy}").format(policy=name),
        alt.format(policy=name, cores=trace.cores, time=human_duration(makespan), n=ahead),
        schedule_spec(), {"rectangles": rows},
    )


def _waits(traces: Mapping[str, Trace]) -> Figure:
    names = {"fcfs": _("FCFS"), "easy": _("EASY")}
    rows: list[dict[str, Any]] = [
        {"submit": round(job.submit / HOUR, 3), "wait": round((job.wait or 0) / HOUR, 3), "policy": names[policy]}
        for policy, trace in traces.items() for job in trace.jobs
    ]
    longest = {p: human_duration(max(job.wait or 0 for job in t.jobs)) for p, t in traces.items()}
    alt = _("Wait of each job against its submission. The longest wait is {fcfs} under FCFS and {easy} under EASY.")
    title = _("How long each job waits under both policies")
    return Figure("waits", title, alt.format(**longest), waits_spec(), {"waits": rows})


def _table(results: Mapping[str, Metrics], ahead: int) -> Table:
    def row(label: str, text: Any) -> tuple[str, ...]:
        return (label, text(results["fcfs"]), text(results["easy"]))

    return Table(_("The same jobs under both policies"), (_("figure of merit"), _("FCFS"), _("EASY")), (
        row(_("mean wait"), lambda m: human_duration(m.mean_wait)),
        row(_("longest wait"), lambda m: human_duration(m.max_wait)),
        row(_("mean bounded slowdown"), lambda m: f"{m.mean_bounded_slowdown_tau10:.1f}"),
        row(_("utilisation"), lambda m: f"{m.utilisation:.1%}"),
        row(_("time until the last job ends"), lambda m: human_duration(m.makespan)),
        (_("jobs started ahead of their turn"), "0", str(ahead)),
    ))


EXPERIMENT = Experiment(
    id="backfill",
    title=N_("Let short jobs pass"),
    caption=N_("A seeded queue on 64 cores, replayed first come, first served and with EASY backfill."),
    controls=(
        Choice("policy", N_("Schedule shown"), (("easy", N_("EASY backfill")), ("fcfs", N_("FCFS"))), "easy"),
        Slider("jobs", N_("Jobs"), 20, 1000, 10, 200),
        Slider("load", N_("Offered load"), 0.50, 0.95, 0.05, 0.85,
               help=N_("work submitted, as a share of what the cores can do")),
        Slider("over_ask", N_("Users ask for"), 1, 10, 0.5, 3, N_("times the true run time"),
               help=N_("on average; nobody asks for less than the job takes")),
        Slider("seed", N_("Seed"), 1, 50, 1, 1),
    ),
    run=run,
    presets=(Preset(N_("The same queue in strict order"), {"policy": "fcfs"}),
             Preset(N_("Everybody asks for ten times as much"), {"over_ask": 10})),
)
