"""A live figure of 300 jobs under the simulated Slurm, as the page's Python answers it; run by ``slurm_page.mjs`` and beside.

Not in the wheel: the text of this file is handed to the page's Python. The jobs are those of ``benchmarks/slurm.py``.
"""
import json
import time

from clustersim.experiments import Figure, Outcome, Table
from clustersim.figures import gantt_spec, letters, node_bars, waits_spec
from clustersim.page import outcome_data
from clustersim.slurm import parse_workload, simulate_slurm
from clustersim.units import HOUR, clock_time, human_duration


def answer(text: str) -> str:
    """The answer to the question ``text`` (a workload file) as the page gets it, with the milliseconds of each part."""
    took, last = {}, time.perf_counter()

    def lap(name: str) -> None:
        nonlocal last
        now = time.perf_counter()
        took[name], last = 1000 * (now - last), now

    workload = parse_workload(json.loads(text), "figure")
    lap("read")
    trace = simulate_slurm(workload)
    lap("simulate")
    events = len(list(trace.events()))
    lap("spell out")
    outcome = _outcome(trace)
    lap("figures")
    data = json.dumps({"ok": True, "settings": {}, **outcome_data(outcome)}, ensure_ascii=False, separators=(",", ":"))
    lap("json")
    return json.dumps({"took": took, "events": events, "answer": data})


def _outcome(trace):
    """Who has which node when, how long each job waits, and a table of all jobs: more than any figure of the book draws."""
    jobs, numbers = list(trace.jobs), letters(job.id for job in trace.jobs)
    bars = [{**bar, "label": ""} for bar in node_bars(trace, numbers)]
    waits = [{"submit": round(job.submit / HOUR, 3), "wait": round((job.wait or 0) / HOUR, 3), "policy": "Slurm"}
             for job in jobs]
    rows = tuple((job.id, clock_time(job.submit), clock_time(job.start), human_duration(job.wait or 0)) for job in jobs)
    nodes = [node.name for node in trace.nodes]
    return Outcome(f"{len(jobs)} jobs", (
        Figure("nodes", "nodes", "", gantt_spec("node", nodes, 14), {"bars": bars, "deaths": [], "marks": []}),
        Figure("waits", "waits", "", waits_spec(), {"waits": waits}),
    ), Table("jobs", ("job", "submitted", "started", "waited"), rows), {})
