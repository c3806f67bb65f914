"""Which node will it be: features, counts, GPUs, weights and what is free, one after the other.

The five nodes are those of the measured workload ``features_and_weights`` (``tests/golden/slurm_golden``); the jobs A, B
and C hold what its first three jobs held. One more job, X, asks, and for each node the figure says why it was taken or
not. Where X goes is the simulated Slurm's answer; the verdicts follow from the request and from what is free.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Toggle, Value
from clustersim.figures_nodes import shares_spec
from clustersim.messages import N_, _, ngettext
from clustersim.slurm import Overheads, parse_workload, simulate_slurm
from clustersim.slurm.features import parse_constraint
from clustersim.trace import JobRecord, Trace
from clustersim.units import HOUR, MINUTE, human_duration

# name, cores, weight, features, GPUs: as measured; the weight of g1 is a control here.
KINDS = (("c1", 8, 10, ("cpu", "old"), 0), ("c2", 8, 10, ("cpu", "old"), 0), ("d1", 16, 20, ("cpu", "new"), 0),
         ("d2", 16, 20, ("cpu", "new"), 0), ("g1", 16, 100, ("gpu", "new"), 4))
HELD = {"A": ("c1", 4), "B": ("c2", 8), "C": ("d1", 4)}  # job -> node and cores
AT = MINUTE
CONSTRAINTS = ("none", "old", "new", "cpu&new", "gpu|old", "gpu*1")


def simulate(settings: Mapping[str, Value]) -> Trace:
    """Three jobs that hold what they held in the measured run, then X."""
    busy = [{"id": name, "at": 0, "user": "alice", "run_s": HOUR, "time_limit_min": 61, "nodes": 1, "ntasks": cores,
             "nodelist": node} for name, (node, cores) in HELD.items()]
    job: dict[str, Any] = {"id": "X", "at": AT, "user": "bob", "run_s": MINUTE, "time_limit_min": 2,
                           "ntasks": int(settings["tasks"]), "gpus_per_node": int(settings["gpus"])}
    if settings["constraint"] != "none":
        job["constraint"] = settings["constraint"]
    if settings["nodes"] != "open":
        job["nodes"] = int(settings["nodes"])
    nodes = [{"name": name, "cpus": cores, "weight": weight_of(name, settings), "features": list(features), "gpus": gpus,
              "gpu_type": "a100" if gpus else ""} for name, cores, _weight, features, gpus in KINDS]
    return simulate_slurm(parse_workload({
        "name": "which_node", "cluster": {"nodes": nodes, "partitions": [{"name": "main", "Default": "YES"}]},
        "config": {"PriorityType": "priority/basic"}, "jobs": [*(busy if settings["busy"] else []), job],
    }, "which_node"), overheads=Overheads(0, 0))


def weight_of(node: str, settings: Mapping[str, Value]) -> int:
    return int(settings["weight"]) if node == "g1" else next(kind[2] for kind in KINDS if kind[0] == node)


def taken(job: JobRecord) -> dict[str, int]:
    """Cores of each node that X got at once; empty if it waits or was refused."""
    return {place.node: place.cpus for place in job.runs[0].places} if job.start == AT else {}


def run(settings: Mapping[str, Value]) -> Outcome:
    job = simulate(settings).job("X")
    got = taken(job)
    used = dict(HELD.values()) if settings["busy"] else {}
    verdicts = {kind[0]: _verdict(kind, used.get(kind[0], 0), got, settings) for kind in KINDS}
    nodes = list(job.runs[0].nodes) if job.runs else []
    return Outcome(_summary(job, settings), (_figure(used, got, verdicts, job),), _table(used, verdicts, settings), {
        "nodes": nodes, "cores": got, "start_s": job.start, "state": job.state, "verdicts": verdicts,
    })


def _verdict(kind: tuple[str, int, int, tuple[str, ...], int], used: int, got: Mapping[str, int],
             settings: Mapping[str, Value]) -> str:
    name, cores, _weight, features, gpus = kind
    if name in got:
        return ngettext("taken, {n} core", "taken, {n} cores", got[name]).format(n=got[name])
    wanted, free = str(settings["constraint"]), cores - used
    fitting = parse_constraint("" if wanted == "none" else wanted)
    if fitting.any_of and not any(group <= set(features) for group in fitting.any_of):
        return _("lacks the feature")
    if gpus < int(settings["gpus"]):
        return _("too few GPUs")
    if not free:
        return _("no core is free")
    if settings["nodes"] == "1" and free < int(settings["tasks"]):
        return _("too few free cores")
    return _("usable, weight {n}").format(n=weight_of(name, settings))


def _request(settings: Mapping[str, Value]) -> str:
    """The request as it is typed."""
    parts = [f"--ntasks={settings['tasks']}"]
    if settings["nodes"] != "open":
        parts.append(f"--nodes={settings['nodes']}")
    if settings["gpus"]:
        parts.append(f"--gres=gpu:{settings['gpus']}")
    if settings["constraint"] != "none":
        parts.append(f"--constraint={settings['constraint']}")
    return " ".join(parts)


def _summary(job: JobRecord, settings: Mapping[str, Value]) -> str:
    request = _request(settings)
    if not job.runs:
        return _("{request} is refused: no node, or too few of them, could ever serve it.").format(request=request)
    where = ", ".join(job.runs[0].nodes)
    if job.wait:
        return _("{request} waits {time}, until enough is given back, and then starts on {nodes}.").format(
            request=request, time=human_duration(job.wait), nodes=where)
    return _("{request} starts at once on {nodes}.").format(request=request, nodes=where)


def _row(kind: tuple[str, int, int, tuple[str, ...], int]) -> str:
    return f"{kind[0]} ({', '.join(kind[3])})"


def _figure(used: Mapping[str, int], got: Mapping[str, int], verdicts: Mapping[str, str], job: JobRecord) -> Figure:
    names = (_("other jobs"), _("X"), _("free"))
    shares: list[dict[str, Any]] = []
    for kind in KINDS:
        low = 0
        for share, cores in zip(names, (used.get(kind[0], 0), got.get(kind[0], 0), kind[1]), strict=True):
            high = kind[1] if share == names[2] else low + cores
            if high > low:
                shares.append({"row": _row(kind), "share": share, "low": low, "high": high})
            low = high
    texts = [{"row": _row(kind), "x": kind[1], "text": verdicts[kind[0]]} for kind in KINDS]
    alt = "; ".join(f"{node}: {verdict}" for node, verdict in verdicts.items())
    where = ", ".join(job.runs[0].nodes) if got else _("none of them now")
    return Figure("nodes", _("X goes to: {nodes}").format(nodes=where),
                  _("Cores of each node, and what became of it: {alt}.").format(alt=alt),
                  shares_spec(_("cores"), [_row(kind) for kind in KINDS], names, 24), {"shares": shares, "verdicts": texts})


def _table(used: Mapping[str, int], verdicts: Mapping[str, str], settings: Mapping[str, Value]) -> Table:
    rows = tuple((name, str(weight_of(name, settings)), ", ".join(features), str(cores - used.get(name, 0)), str(gpus),
                  verdicts[name]) for name, cores, _weight, features, gpus in KINDS)
    columns = (_("node"), _("weight"), _("features"), _("free cores"), _("free GPUs"), _("verdict"))
    return Table(_("The five nodes when {request} arrives").format(request=_request(settings)), columns, rows)


EXPERIMENT = Experiment(
    id="which_node",
    title=N_("Which node will it be?"),
    caption=N_("Five nodes of three kinds. X asks; what it does not ask for, the weights decide."),
    controls=(
        Choice("constraint", N_("--constraint"), (
            ("none", N_("none")), ("old", "old"), ("new", "new"), ("cpu&new", "cpu&new"), ("gpu|old", "gpu|old"),
            ("gpu*1", N_("gpu*1: one node at least with gpu"))), "none"),
        Slider("tasks", N_("--ntasks, one core each"), 1, 24, 1, 12),
        Choice("nodes", N_("--nodes"), (("open", N_("not given")), ("1", "1"), ("2", "2")), "open"),
        Slider("gpus", N_("--gres=gpu: (on each node)"), 0, 4, 1, 0),
        Slider("weight", N_("Weight of g1"), 1, 200, 1, 100),
        Toggle("busy", N_("The jobs A, B and C are running"), True),
    ),
    run=run,
    presets=(Preset(N_("Two GPUs on each node"), {"gpus": 2}),
             Preset(N_("An empty cluster"), {"busy": False})),
)
