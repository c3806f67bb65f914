"""A real ``slurm.conf`` (with its ``gres.conf`` and ``topology.conf``) as the simulator's cluster and settings.

Source: slurm.conf(5). A wrong value is an :class:`~clustersim.errors.InputError` with file, line and key. A key that
Slurm does not know, and one that this simulator does not model, leave a :class:`Notice` and the file is used all the
same. Where a key is missing Slurm's own default holds; ``SelectType`` and ``PriorityType`` have those of 23.11 and
later (``select/cons_tres``, ``priority/multifactor``).
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clustersim import hostlist
from clustersim.cluster import Cluster, Node, Partition, Switch
from clustersim.errors import InputError, UnsupportedError
from clustersim.messages import _
from clustersim.slurm import confkeys, confvalues, settings
from clustersim.slurm.accounts import Accounting
from clustersim.slurm.conffile import DEFAULT, Entry, Keys, Notice, Opener, lines_of, not_modelled, opener_beside, read_text
from clustersim.slurm.gresconf import GresConf, parse_gres_conf
from clustersim.slurm.nodeconf import NodeLines
from clustersim.slurm.requests import JobSpec
from clustersim.slurm.schema import suggest
from clustersim.slurm.settings import SchedulerParameters, Settings, parse_settings
from clustersim.slurm.topologyconf import parse_topology_conf
from clustersim.slurm.workload import PARTITION_KEYS, OperatorAct, SlurmWorkload, in_table_order, partition_value

SLURM_DEFAULTS = Settings(scheduler=SchedulerParameters(), kill_wait=30, return_to_service=0)
_LINES = ("NodeName", "PartitionName", "DownNodes", "NodeSet", "FrontendName")


@dataclass(frozen=True)
class SlurmConf:
    """What the files say. ``acts`` is done to the nodes at the start; ``notices`` is what the reader should know."""

    name: str
    cluster: Cluster
    settings: Settings
    acts: tuple[OperatorAct, ...] = ()
    notices: tuple[Notice, ...] = ()

    def workload(self, jobs: Iterable[JobSpec] = (), events: Iterable[OperatorAct] = (),
                 accounting: Accounting | None = None, until: int | None = None) -> SlurmWorkload:
        """These jobs and events on this cluster."""
        return SlurmWorkload(self.name, self.cluster, self.settings, accounting or Accounting(), tuple(jobs),
                             (*self.acts, *events), until)


def read_slurm_conf(path: str | Path) -> SlurmConf:
    """The slurm.conf at ``path``, what it includes, and gres.conf and topology.conf in the same folder."""
    path = Path(path)
    text = read_text(path, _("a readable slurm.conf"))
    beside = {name: read_text(path.with_name(name), _("a readable file")) for name in ("gres.conf", "topology.conf")
              if path.with_name(name).exists()}
    return parse_slurm_conf(text, path.name, beside.get("gres.conf"), beside.get("topology.conf"), opener_beside(path))


def parse_slurm_conf(text: str, file: str = "slurm.conf", gres: str | None = None, topology: str | None = None,
                     opener: Opener | None = None) -> SlurmConf:
    """``text`` of a slurm.conf, with those of gres.conf and topology.conf; ``opener`` reads what it includes."""
    notices: list[Notice] = []
    values, lines = _sorted_lines(text, file, opener, notices)
    types = tuple(word.lower() for word in values["GresTypes"].words()) if "GresTypes" in values else ()
    nodes = NodeLines(types, notices)
    for kind, add in (("NodeName", nodes.add), ("NodeSet", nodes.node_set), ("DownNodes", nodes.down)):
        for entries in lines[kind]:
            add(entries)
    if not nodes.nodes:
        raise InputError(file, _("no node"), _("at least one NodeName line"))
    if gres is not None:
        conf = parse_gres_conf(gres, {**nodes.nodes, **dict.fromkeys(nodes.future)}, types, notices, opener)
        _apply_gres(nodes, conf, notices)
    partitions = _partitions(lines["PartitionName"], nodes, notices)
    if not partitions:
        raise InputError(file, _("no partition"), _("at least one PartitionName line"))
    if _linear(values, notices):
        partitions = [replace(one, oversubscribe="EXCLUSIVE") for one in partitions]
    tree = _tree(values, topology is not None, notices, file)
    switches: tuple[Switch, ...] = ()
    if tree and topology is not None:
        switches = parse_topology_conf(topology, nodes.nodes, nodes.future, notices, opener)
    cluster = in_table_order(Cluster(tuple(nodes.nodes.values()), tuple(partitions), switches))
    name = values["ClusterName"].value.lower() if "ClusterName" in values else "cluster"
    return SlurmConf(name, cluster, _settings(values, notices), tuple(nodes.acts), tuple(notices))


def _sorted_lines(text: str, file: str, opener: Opener | None,
                  notices: list[Notice]) -> tuple[dict[str, Entry], dict[str, list[list[Entry]]]]:
    """The keys that stand alone (the last one counts, as in Slurm) and the lines of each kind."""
    known = {*settings.MODELLED, *settings.NOT_MODELLED, *confkeys.PASSED_OVER, *confkeys.NOT_MODELLED, *_LINES, "GresTypes"}
    keys = Keys.of("slurm.conf", known, notices)
    values: dict[str, Entry] = {}
    lines: dict[str, list[list[Entry]]] = {kind: [] for kind in _LINES}
    for entries in lines_of(text, file, opener):
        for i, entry in enumerate(entries):
            if entry.key.lower() == "include":
                raise entry.wrong(_("Include FILE, without ="))
            name = keys.spell(entry)
            if i and name is not None:
                raise entry.wrong(_("a line of its own: Slurm takes one key a line here"))
            if name in lines:
                lines[name].append(entries[i:])
                break
            if name is not None:
                _once_more(name, entry, values.get(name), notices)
                values[name] = entry
    if lines["FrontendName"]:
        raise UnsupportedError(lines["FrontendName"][0][0].where, "FrontendName")
    return values, lines


def _once_more(name: str, entry: Entry, before: Entry | None, notices: list[Notice]) -> None:
    """Check a value where it stands. Of a key given twice Slurm takes the last, and logs it (``parse_config.c``)."""
    confvalues.check(name, entry, alone=True)
    if before and name != "SlurmctldHost":
        if name in settings.MODELLED - {"SelectType", "SchedulerParameters"}:
            _modelled(name, before, [])
        text = _("{key} stands again in line {line}, which counts.").format(key=before.key, line=entry.line)
        notices.append(Notice(before.where, text))


# settings


def _settings(values: Mapping[str, Entry], notices: list[Notice]) -> Settings:
    given: dict[str, str] = {}
    for key, entry in values.items():
        if key in {"SelectType", "TopologyPlugin"}:
            continue  # see _linear and _tree
        if key in confkeys.NOT_MODELLED:
            notices.append(not_modelled(entry))
        elif key == "SchedulerParameters":
            given[key] = _options(entry, notices)
        elif key in settings.MODELLED or (key in settings.NOT_MODELLED and key not in confkeys.PASSED_OVER):
            given.update(_modelled(key, entry, notices))

    def where(key: str) -> str:
        return values[key].where

    made = parse_settings(given, where, SLURM_DEFAULTS)
    settings.check_preemption(made, where, values)
    confvalues.check_together(values, made.decay_half_life)
    return made


_LISTS = {"AccountingStorageEnforce", "PriorityFlags", "PriorityWeightTRES", "SelectTypeParameters"}


def _modelled(key: str, entry: Entry, notices: list[Notice]) -> dict[str, str]:
    """The key with its value, or of a list its words, without what is not modelled; that leaves a notice."""
    kept = []
    for word in (entry.words() if key in _LISTS else [entry.value]):
        try:
            parse_settings({key: word}, lambda _key: entry.where)
        except UnsupportedError:
            notices.append(not_modelled(entry, f"{entry.key}={word}"))
        else:
            kept.append(word)
    return {key: ",".join(kept)} if kept else {}


def _options(entry: Entry, notices: list[Notice]) -> str:
    """SchedulerParameters without what is not modelled or unknown: Slurm, too, passes over unknown options."""
    kept = []
    known = {name.lower() for name in SchedulerParameters.__slots__}
    for word in entry.words():
        name = word.partition("=")[0]
        if word.lower() in {"bf_interval=-1", "sched_interval=-1"}:  # no such loop at all
            notices.append(not_modelled(entry, word))
        elif name.lower() in known:
            kept.append(word.replace(name, name.lower(), 1))
        elif name in settings.OPTIONS_NOT_MODELLED:
            notices.append(not_modelled(entry, word))
        else:
            text = _("{key} is not an option of SchedulerParameters; it is left out.").format(key=name)
            hint = suggest(name, known | settings.OPTIONS_NOT_MODELLED)
            notices.append(Notice(entry.where, f"{text} {hint}".rstrip()))
    return ",".join(kept)


def _linear(values: Mapping[str, Entry], notices: list[Notice]) -> bool:
    """``select/linear`` gives out whole nodes, as ``OverSubscribe=EXCLUSIVE`` does; other old plugins are cons_tres here."""
    entry = values.get("SelectType")
    if entry is None or entry.value == "select/cons_tres":
        return False
    options = ("select/cons_tres", "select/cons_res", "select/linear", "select/cray_aries", "select/alps", "select/serial")
    if entry.value not in options:
        raise entry.wrong(_("one of {options}").format(options=", ".join(options)), suggest(entry.value, options))
    if entry.value not in options[:3]:
        notices.append(not_modelled(entry))
    return entry.value == "select/linear"


_OTHER_TREES = ("topology/block", "topology/ring", "topology/torus3d", "topology/3d_torus", "topology/hypercube")


def _tree(values: Mapping[str, Entry], there: bool, notices: list[Notice], file: str) -> bool:
    """Whether topology.conf counts."""
    entry = values.get("TopologyPlugin")
    kind = entry.value if entry else "topology/default"
    options = ("topology/tree", "topology/default", "topology/none", "topology/flat", *_OTHER_TREES)
    if entry and kind not in options:
        raise entry.wrong(_("one of {options}").format(options=", ".join(options)), suggest(kind, options))
    if entry and kind in _OTHER_TREES:
        notices.append(not_modelled(entry))
    if entry and kind == "topology/tree" and not there:
        raise entry.wrong(_("a topology.conf beside it"))
    if there and kind != "topology/tree":
        text = _("topology.conf is passed over: only TopologyPlugin=topology/tree reads it here.")
        notices.append(Notice(entry.where if entry else file, text))
    return kind == "topology/tree"


# partitions


def _partitions(lines: list[list[Entry]], nodes: NodeLines, notices: list[Notice]) -> list[Partition]:
    keys = Keys.of(_("a PartitionName line"), (
        "PartitionName", "Nodes", "Priority", "Exclusive", *PARTITION_KEYS, *confkeys.PARTITION_PASSED_OVER,
        *confkeys.PARTITION_NOT_MODELLED), notices, Shared="OverSubscribe")
    default: dict[str, Any] = {}
    found: dict[str, Partition] = {}
    for entries in lines:
        record = keys.record(entries)
        name = record.pop("PartitionName")
        if not name.value:
            raise name.wrong(_("a name"))
        values = {**default, **_fields(record, nodes, notices)}
        _check_times(name, values, notices)
        if name.value.upper() == DEFAULT:
            default = values
            continue
        if name.value in found:
            raise name.wrong(_("a name that no other partition has"))
        if values.get("default"):
            found = {key: replace(part, default=False) for key, part in found.items()}
        found[name.value] = Partition(name.value, **{"nodes": (), **values})
    return list(found.values())


def _check_times(name: Entry, values: dict[str, Any], notices: list[Notice]) -> None:
    """A DefaultTime beyond MaxTime is no DefaultTime (``_build_single_partitionline_info`` in ``slurmctld/read_config.c``)."""
    usual, most = values.get("default_time"), values.get("max_time")
    if usual is not None and most is not None and usual > most:
        values["default_time"] = None
        text = _("DefaultTime {usual} min is beyond MaxTime {most} min; Slurm and this simulator leave it out.")
        notices.append(Notice(name.where, text.format(usual=usual, most=most)))


def _fields(record: Mapping[str, Entry], nodes: NodeLines, notices: list[Notice]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, entry in sorted(record.items(), key=lambda pair: pair[0] == "Exclusive"):  # which counts behind OverSubscribe
        confvalues.check(key, entry)
        if key == "Nodes":
            listed = replace(entry, value=",".join(entry.value.split()))  # blanks count as commas here
            values["nodes"] = nodes.known(listed) if listed.value else ()
        elif key == "AllocNodes" and entry.value.upper() != "ALL":
            hostlist.expand(entry.value, entry.where)  # any hosts, not only nodes of this file
        elif key == "Priority":  # before 16.05 one key for both
            values.update(priority_tier=entry.number(high=65_533), priority_job_factor=entry.number(high=65_533))
        elif key in PARTITION_KEYS:
            values.update(_field(key, entry, notices))
        elif key == "Exclusive":
            values.update(_exclusive(entry, values, notices))
        elif key in confkeys.PARTITION_NOT_MODELLED and entry.value.upper() != confkeys.PARTITION_HARMLESS.get(key):
            notices.append(not_modelled(entry))
    return values


def _exclusive(entry: Entry, values: Mapping[str, Any], notices: list[Notice]) -> dict[str, Any]:
    """``Exclusive`` of 26.05: NODE is what ``OverSubscribe=EXCLUSIVE`` was, and TOPO implies it."""
    word = entry.value.upper()
    if word in {"USER", "TOPO"}:
        notices.append(not_modelled(entry))
    if word in {"NODE", "TOPO"}:
        return {"oversubscribe": "EXCLUSIVE", "max_share": 1}
    return {"oversubscribe": "NO"} if values.get("oversubscribe") == "EXCLUSIVE" and word in {"NO", "NONE"} else {}


def _field(key: str, entry: Entry, notices: list[Notice]) -> dict[str, Any]:
    try:
        return partition_value(key, entry.value, entry.where)
    except UnsupportedError:
        notices.append(not_modelled(entry))
        return {}


# gres.conf


def _apply_gres(nodes: NodeLines, conf: GresConf, notices: list[Notice]) -> None:
    """A node learns its GPUs' type from gres.conf, and is drained if it finds fewer than slurm.conf promises."""
    short: dict[str, list[str]] = {}
    for node in list(nodes.nodes.values()):
        if not node.gpus or conf.detect:
            continue
        finds = conf.finds(node.name)
        found = sum(count for kind, count in finds.items() if node.gpu_type.lower() in {"", kind.lower()})
        if found < node.gpus:
            reason = f"gres/gpu count reported lower than configured ({found} < {node.gpus})"  # as Slurm writes it
            short.setdefault(reason, []).append(node.name)
        elif not node.gpu_type:
            nodes.nodes[node.name] = _typed(node, finds)
    for reason, names in short.items():
        nodes.acts.append(OperatorAct(0, "drain", nodes=tuple(names), reason=reason))
        text = _("{nodes} will be drained: {reason}").format(nodes=hostlist.compress(names), reason=reason)
        notices.append(Notice("gres.conf", text))


def _typed(node: Node, finds: Mapping[str, int]) -> Node:
    kinds = [kind for kind, count in finds.items() if count]
    return replace(node, gpu_type=kinds[0]) if len(kinds) == 1 and kinds[0] else node

