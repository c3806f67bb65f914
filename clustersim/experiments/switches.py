"""Leaf switches: which one a job gets, and what it is worth to wait for a single one (``--switches``).

Twelve whole nodes on three leaf switches below one top, as in the measured workload ``topology_tree``
(``tests/golden/slurm_golden``). Three jobs hold six of them, so that no leaf has four idle nodes; the one on s3 ends after
three minutes. X asks. How much longer a job takes across switches is a control and an assumption: it depends on the job
and on the network. ``--switches`` waits at most ``max_switch_wait``, 300 s unless the administrator changes it.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures import gantt_spec, letters, node_bars
from clustersim.messages import N_, _, ngettext
from clustersim.slurm import Overheads, parse_workload, simulate_slurm
from clustersim.trace import JobRecord, Trace
from clustersim.units import MINUTE, clock_time, human_duration

LEAVES, PER_LEAF = 3, 4
# name, first and last node held, minutes it runs: no leaf is empty at first; s3 is once C has ended, then s2 with B.
HOLDERS = (("A", 1, 3, 40), ("B", 7, 8, 12), ("C", 9, 9, 3))
AT = MINUTE
NODES = [f"n{i + 1}" for i in range(LEAVES * PER_LEAF)]


def leaf(node: str) -> str:
    """The leaf switch of a node.

    >>> leaf("n5")
    's2'
    """
    return f"s{(int(node[1:]) - 1) // PER_LEAF + 1}"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to ask: the job's record, how many leaves it got, and when it is done with the price of crossing them."""

    job: JobRecord
    leaves: int
    trace: Trace

    @property
    def start(self) -> int:
        assert self.job.start is not None
        return self.job.start

    @property
    def end(self) -> int:
        assert self.job.end is not None
        return self.job.end


def simulate(nodes: int, work: int, slower: float, switches: str, tree: bool) -> Way:
    """X on ``nodes`` nodes for ``work`` seconds, ``slower`` percent longer where it spans leaves."""
    way = _once(nodes, work, switches, tree)
    return way if way.leaves == 1 else _once(nodes, round(work * (1 + slower / 100)), switches, tree)


def _once(nodes: int, work: int, switches: str, tree: bool) -> Way:
    rows: list[dict[str, Any]] = [
        {"id": name, "at": 0, "user": "alice", "run_s": minutes * MINUTE, "time_limit_min": minutes,
         "nodes": last - first + 1, "nodelist": f"n[{first}-{last}]"} for name, first, last, minutes in HOLDERS]
    job: dict[str, Any] = {"id": "X", "at": AT, "user": "bob", "run_s": work, "time_limit_min": 240, "nodes": nodes}
    if switches:
        job["switches"] = switches
    cluster: dict[str, Any] = {
        "nodes": [{"name": f"n[1-{len(NODES)}]", "cpus": 4}],
        "partitions": [{"name": "main", "Default": "YES", "MaxTime": "INFINITE", "OverSubscribe": "EXCLUSIVE"}]}
    if tree:
        leaves = [{"name": f"s{i + 1}", "nodes": f"n[{i * PER_LEAF + 1}-{(i + 1) * PER_LEAF}]"} for i in range(LEAVES)]
        cluster["switches"] = [*leaves, {"name": "top", "switches": f"s[1-{LEAVES}]"}]
    trace = simulate_slurm(parse_workload({
        "name": "switches", "cluster": cluster, "config": {"PriorityType": "priority/basic"}, "jobs": [*rows, job],
    }, "switches"), overheads=Overheads(0, 0))
    record = trace.job("X")
    return Way(record, len({leaf(node) for node in record.runs[0].nodes}), trace)


def run(settings: Mapping[str, Value]) -> Outcome:
    nodes, work, slower = int(settings["nodes"]), int(settings["work"]) * MINUTE, float(settings["slower"])
    limit = int(settings["wait"])
    ways = {
        "plain": simulate(nodes, work, slower, "", tree=False),
        "tree": simulate(nodes, work, slower, "", tree=True),
        "one": simulate(nodes, work, slower, f"1@{limit}:00", tree=True),
    }
    shown = str(settings["shown"])
    return Outcome(_summary(ways, shown, limit), (_figure(ways[shown], shown, limit),), _table(ways, limit), {
        "start_s": {name: way.start for name, way in ways.items()}, "end_s": {name: way.end for name, way in ways.items()},
        "leaves": {name: way.leaves for name, way in ways.items()},
        "nodes": {name: list(way.job.runs[0].nodes) for name, way in ways.items()},
    })


def _name(way: str, limit: int) -> str:
    return {"plain": _("no topology plugin"), "tree": _("topology/tree"),
            "one": _("topology/tree and --switches=1@{limit}").format(limit=limit)}[way]


def _on(leaves: int) -> str:
    return ngettext("{n} leaf switch", "{n} leaf switches", leaves).format(n=leaves)


def _summary(ways: Mapping[str, Way], shown: str, limit: int) -> str:
    way, tree, one = ways[shown], ways["tree"], ways["one"]
    said = _("With {way} X starts at {start} on {leaves} and ends at {end}.").format(
        way=_name(shown, limit), start=clock_time(way.start), leaves=_on(way.leaves), end=clock_time(way.end))
    gain = tree.end - one.end
    if tree.leaves == 1:
        return said + " " + _("One leaf has room for it at once, so there is nothing to wait for.")
    text = _("Asking for one switch makes no difference to its end.")
    if gain > 0:
        text = _("Asking for one switch gets it done {time} earlier than not asking.")
    elif gain < 0:
        text = _("Asking for one switch gets it done {time} later than not asking.")
    return said + " " + text.format(time=human_duration(abs(gain)))


def _figure(way: Way, shown: str, limit: int) -> Figure:
    numbers = letters(job.id for job in way.trace.jobs)
    bars = [{**bar, "row": f"{leaf(bar['row'])} {bar['row']}"} for bar in node_bars(way.trace, numbers, MINUTE)]
    rows = [f"{leaf(node)} {node}" for node in NODES]
    marks = [{"time": round(AT / MINUTE, 2), "label": _("X asks")}]
    alt = _("One row a node, by leaf switch. X holds {nodes} from {start} to {end}, on {leaves}.").format(
        nodes=", ".join(way.job.runs[0].nodes), start=clock_time(way.start), end=clock_time(way.end), leaves=_on(way.leaves))
    spec = gantt_spec(_("switch and node"), rows, row_height=21, unit="min")
    return Figure("gantt", _("Nodes by leaf switch, {way}").format(way=_name(shown, limit)), alt, spec,
                  {"bars": bars, "deaths": [], "marks": marks})


def _table(ways: Mapping[str, Way], limit: int) -> Table:
    rows = tuple((_name(name, limit), ", ".join(way.job.runs[0].nodes), str(way.leaves), clock_time(way.start),
                  human_duration(way.start - AT), clock_time(way.end)) for name, way in ways.items())
    columns = (_("X asks"), _("nodes"), _("leaf switches"), _("start"), _("wait"), _("end"))
    return Table(_("The same job asked for in three ways"), columns, rows)


EXPERIMENT = Experiment(
    id="switches",
    title=N_("Wait for one switch?"),
    caption=N_("Twelve whole nodes on three leaf switches. X would start at once across two of them, or wait for one."),
    controls=(
        Choice("shown", N_("Schedule shown"), (
            ("tree", "topology/tree"), ("one", "topology/tree, --switches=1"), ("plain", N_("no topology plugin"))), "tree"),
        Slider("nodes", N_("X asks for"), 1, 4, 1, 4, N_("nodes")),
        Slider("wait", N_("--switches=1@ waits at most"), 1, 5, 1, 5, N_("min")),
        Slider("work", N_("X runs on one switch for"), 5, 120, 5, 60, N_("min")),
        Slider("slower", N_("Across switches it takes longer by"), 0, 50, 1, 10, "%",
               help=N_("an assumption, not a measurement")),
    ),
    run=run,
    presets=(Preset(N_("Without the plugin"), {"shown": "plain"}),
             Preset(N_("Crossing costs half as much again"), {"slower": 50})),
)
