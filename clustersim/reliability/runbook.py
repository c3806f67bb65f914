"""What to do when a GPU or an NVSwitch speaks: Xid and SXid codes, a ladder of actions, and when to climb it.

An Xid is a message, not a verdict. Class and action of each code are in ``xid.csv`` and ``sxid.csv``; the ladder and its
rule of escalation (one rung when the same node repeats the same class within 24 h) are this book's assumption.
"""
from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.tables import Row, table

LADDER = ("ignore_and_watch", "restart_app", "reset_gpu_at_next_idle", "drain_reset_gpu", "reset_node_fabric",
          "drain_reboot_node", "drain_replace")
# Names of the tables that are a rung under another name.
SAME = {"ignore": "ignore_and_watch", "reset_gpu": "drain_reset_gpu", "reboot_node": "drain_reboot_node",
        "restart_app_then_reset_at_idle": "restart_app"}
# Actions that need something else to be known first.
OPEN = ("follow_other_xid", "follow_label", "decode_then_ignore_or_reset")
# Recovery that Xid 154 may announce, as the driver words it, and the rung that it means.
LABELS = {"none": "ignore_and_watch", "drain p2p": "restart_app", "drain and reset": "drain_reset_gpu",
          "reset": "drain_reset_gpu", "node reboot": "drain_reboot_node"}
TOGETHER_S = 30.0  # 48 with 63 or 64 within about half a minute belong together
REPEAT_S = 86_400.0  # the same class again within a day climbs one rung (assumed)
FOLLOWERS = (45, 137, 171, 172)  # tell more about another code, or come after it


def xid(code: int) -> Row:
    """The row of an Xid; an unknown code raises :class:`InputError`."""
    return table("xid").row(code)


def sxid(code: int) -> Row:
    """The row of an SXid; ranges such as ``24001-24003`` hold every code in them."""
    for row in table("sxid"):
        for part in str(row["sxid_codes"]).split():
            first, _dash, last = part.partition("-")
            if int(first) <= code <= int(last or first):
                return row
    raise InputError(_("SXid"), code, _("a code of sxid.csv"))


def rung(action: str) -> int:
    """The place of an action on the ladder, 0 for the mildest."""
    name = SAME.get(action, action)
    if name not in LADDER:
        raise InputError(_("action"), action, _("one of {known}").format(known=", ".join((*LADDER, *SAME))))
    return LADDER.index(name)


@dataclass(frozen=True, slots=True)
class Decision:
    """``action`` is a rung of the ladder; ``code`` decided, ``why`` says how; ``then`` what comes before the node returns."""

    action: str
    code: int
    cause_class: str
    why: str
    then: tuple[str, ...] = ()


def decide(codes: Iterable[int], label: str = "", sxids: Iterable[int] = (), fatal_bits: bool = True) -> Decision:
    """The action for codes that came together from one node.

    The strongest action wins. 45, 137, 171 and 172 follow what came with them; 154 (with its ``label``) overrides the
    table; 48 with 63 or 64 drains first. NVLink 5 codes need their status bits: ``fatal_bits`` says what those showed.
    """
    seen = list(dict.fromkeys(codes))
    switches = list(dict.fromkeys(sxids))
    if not seen and not switches:
        raise InputError(_("Xid codes"), seen, _("at least one code"))
    if 154 in seen and label:
        action = LABELS.get(label.strip().lower())
        if action is None:
            raise InputError(_("label of Xid 154"), label, _("one of {known}").format(known=", ".join(LABELS)))
        return _decision(action, 154, "advice", _("the driver's own advice overrides the table"))
    paired = rung("drain_reset_gpu") if 48 in seen and {63, 64} & set(seen) else None
    best: tuple[int, int, str] | None = None
    for code in seen:
        found = paired if paired is not None and code in (63, 64) else _rung_of(code, fatal_bits)
        if found is not None and (best is None or found > best[0]):
            best = found, code, str(xid(code)["cause_class"])
    for code in switches:
        found = rung(str(sxid(code)["recommended_cluster_action"]))
        if best is None or found > best[0]:
            best = found, code, "switch"
    if best is None:
        return _decision("restart_app", seen[0], str(xid(seen[0])["cause_class"]), _("nothing came with it: the program"))
    place, code, kind = best
    why = _("from the table")
    if paired == place:
        why = _("48 with 63 or 64: drain, then reset so that the row remap takes effect")
    elif len(seen) + len(switches) > 1:
        why = _("the strongest of those that came together")
    return _decision(LADDER[place], code, kind, why)


def _rung_of(code: int, fatal_bits: bool) -> int | None:
    action = str(xid(code)["recommended_cluster_action"])
    if action == "decode_then_ignore_or_reset":
        return rung("drain_reset_gpu" if fatal_bits else "ignore_and_watch")
    return None if action in OPEN else rung(action)


def _decision(action: str, code: int, kind: str, why: str) -> Decision:
    then: tuple[str, ...] = ()
    if code == 94:
        then = (_("reset the GPU when it is idle"),)
    elif rung(action) >= rung("drain_reset_gpu"):
        then = (_("dcgmi diag level 2 at once"), _("dcgmi diag level 3 before it returns to service"))
    return Decision(action, code, kind, why, then)


@dataclass
class Runbook:
    """Decisions with a memory: the same class again on the same node within a day climbs one rung."""

    repeat_s: float = REPEAT_S
    _last: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)

    def handle(self, node: str, time_s: float, codes: Iterable[int], label: str = "", sxids: Iterable[int] = (),
               fatal_bits: bool = True) -> Decision:
        """The decision for what ``node`` reported at ``time_s``, remembered for the next one."""
        first = decide(codes, label, sxids, fatal_bits)
        place = rung(first.action)
        before = self._last.get((node, first.cause_class))
        if before is not None and time_s - before[0] <= self.repeat_s and place > 0:
            climbed = min(max(place, before[1]) + 1, len(LADDER) - 1)
            if climbed > place:
                again = _("the same class on the same node within a day: one rung up")
                first = _decision(LADDER[climbed], first.code, first.cause_class, again)
                place = climbed
        self._last[node, first.cause_class] = time_s, place
        return first


def range_codes(text: str) -> list[int]:
    """The codes of a cell such as ``12020 22003 23001-23017``, spelled out."""
    found: list[int] = []
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", text):
        found += range(int(first), int(last or first) + 1)
    return found
