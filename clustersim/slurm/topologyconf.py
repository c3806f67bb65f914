"""``topology.conf`` for ``topology/tree``: switches over nodes, switches over switches.

Source: topology.conf(5). The lines may stand in any order; the switches come back with the lower ones first.
"""
from __future__ import annotations

from collections.abc import Collection, Mapping

from clustersim import hostlist
from clustersim.cluster import Switch
from clustersim.errors import InputError, UnsupportedError
from clustersim.messages import _, ngettext
from clustersim.slurm.conffile import Entry, Keys, Notice, Opener, lines_of
from clustersim.slurm.confkeys import TOPOLOGY_KEYS
from clustersim.slurm.schema import suggest


def parse_topology_conf(text: str, known: Mapping[str, object], future: Collection[str], notices: list[Notice],
                        opener: Opener | None = None, file: str = "topology.conf") -> tuple[Switch, ...]:
    """The switches of ``text`` over the nodes ``known``; it may also name nodes that are not there yet, ``future``.

    :class:`InputError` names file, line and key.
    """
    keys = Keys.of("topology.conf", TOPOLOGY_KEYS, notices)
    switches: dict[str, Switch] = {}
    below: dict[str, Entry] = {}
    for entries in lines_of(text, file, opener):
        if entries[0].key.lower() == "blockname":
            raise UnsupportedError(entries[0].where, "topology/block")
        record = keys.record(entries)
        if "SwitchName" not in record:
            if record:
                raise InputError(entries[0].where, entries[0].value, _("SwitchName in the line"))
            continue
        for switch in _switches(record, known, future):
            if switch.name in switches:
                raise InputError(record["SwitchName"].where, switch.name, _("a name that no other switch has"))
            switches[switch.name] = switch
            if "Switches" in record:
                below[switch.name] = record["Switches"]
    ordered = _upwards(switches, below)
    _check_reach(ordered, known, notices, file)
    return ordered


def _switches(record: Mapping[str, Entry], known: Mapping[str, object], future: Collection[str]) -> list[Switch]:
    nodes, under = record.get("Nodes"), record.get("Switches")
    if (nodes is None) == (under is None):
        raise record["SwitchName"].wrong(_("either Nodes or Switches in the line"))
    if "LinkSpeed" in record:
        record["LinkSpeed"].check(32)
    hosts: list[str] = []
    if nodes:
        hosts = list(known) if nodes.value == "ALL" else hostlist.expand(nodes.value, nodes.where)
        for name in hosts:
            if name not in known and name not in future:
                raise InputError(nodes.where, name, _("a node of slurm.conf"), suggest(name, known))
        order = {name: i for i, name in enumerate(known)}
        hosts = sorted(order.keys() & set(hosts), key=order.__getitem__)
    children = tuple(dict.fromkeys(hostlist.expand(under.value, under.where))) if under else ()
    names = hostlist.expand(record["SwitchName"].value, record["SwitchName"].where)
    return [Switch(name, tuple(hosts), children) for name in names]


def _upwards(switches: Mapping[str, Switch], below: Mapping[str, Entry]) -> tuple[Switch, ...]:
    """The switches, lower ones first. One that is missing, has two parents or stands under itself is an error."""
    parent: dict[str, str] = {}
    for name, entry in below.items():
        for child in switches[name].switches:
            if child not in switches:
                raise InputError(entry.where, child, _("a switch of this file"), suggest(child, switches))
            if child in parent:
                raise InputError(entry.where, child, _("a switch under no other than {name}").format(name=parent[child]))
            parent[child] = name
    height: dict[str, int] = {name: 0 for name in switches if name not in below}
    while len(height) < len(switches):
        ready = [name for name in below if name not in height and all(c in height for c in switches[name].switches)]
        if not ready:
            entry = next(entry for name, entry in below.items() if name not in height)
            raise InputError(entry.where, entry.value, _("switches that do not stand under themselves"))
        height.update((name, 1 + max(height[c] for c in switches[name].switches)) for name in ready)
    return tuple(sorted(switches.values(), key=lambda switch: height[switch.name]))


def _check_reach(switches: tuple[Switch, ...], known: Mapping[str, object], notices: list[Notice], file: str) -> None:
    """What Slurm also warns of: nodes below no leaf switch or below two, and a tree with several tops."""
    count: dict[str, int] = dict.fromkeys(known, 0)
    for switch in switches:
        for name in switch.nodes:
            count[name] += 1
    missing = [name for name, n in count.items() if not n]
    double = [name for name, n in count.items() if n > 1]
    tops = {switch.name for switch in switches} - {child for switch in switches for child in switch.switches}
    if switches and missing:
        text = ngettext("{n} node is below no switch: {nodes}", "{n} nodes are below no switch: {nodes}", len(missing))
        notices.append(Notice(file, text.format(n=len(missing), nodes=hostlist.compress(missing))))
    if double:
        text = ngettext("{n} node is below several leaf switches: {nodes}",
                        "{n} nodes are below several leaf switches: {nodes}", len(double))
        notices.append(Notice(file, text.format(n=len(double), nodes=hostlist.compress(double))))
    if len(tops) > 1:
        text = _("no switch reaches all nodes; no job will span {switches}")
        notices.append(Notice(file, text.format(switches=hostlist.compress(tops))))
