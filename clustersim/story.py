"""Events as sentences: the words of ``Trace.story``."""
from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from clustersim import hostlist
from clustersim.messages import _, ngettext
from clustersim.units import human_duration, slurm_time

Detail = Mapping[str, Any]


def sentence(kind: str, subject: str, detail: Detail) -> str:
    """What happened, in one sentence; an unknown kind is shown as plain data."""
    make = _SENTENCES.get(kind)
    return make(subject, detail) if make else f"{kind} {json.dumps(dict(detail), ensure_ascii=False)}"


def _submit(job: str, d: Detail) -> str:
    asked = []
    if d.get("gpus"):
        asked.append(ngettext("{n} GPU", "{n} GPUs", d["gpus"]).format(n=d["gpus"]))
    if d.get("nodes", 0) > 1:
        asked.append(ngettext("{n} node", "{n} nodes", d["nodes"]).format(n=d["nodes"]))
    if not asked:
        asked.append(ngettext("{n} core", "{n} cores", d.get("cores", 1)).format(n=d.get("cores", 1)))
    limit = _("time limit {limit}").format(limit=slurm_time(d.get("limit")))
    words = {"job": job, "asked": ", ".join(asked), "limit": limit}
    if d.get("user"):
        return _("{job} is submitted by {user}: {asked}, {limit}.").format(user=d["user"], **words)
    return _("{job} is submitted: {asked}, {limit}.").format(**words)


def _start(job: str, d: Detail) -> str:
    if d.get("attempt", 1) > 1:
        return _("{job} runs again, attempt {n}.").format(job=job, n=d["attempt"])
    waited = _(" after waiting {time}").format(time=human_duration(d["wait"])) if d.get("wait") else _(" at once")
    places = d.get("places") or []
    where = ""
    if places:
        where = _(" on {nodes}").format(nodes=hostlist.compress(p[0] for p in places))
        gpus = [str(g) for p in places for g in p[2]]
        if gpus and len(places) == 1:
            where += " (" + ngettext("GPU {list}", "GPUs {list}", len(gpus)).format(list=", ".join(gpus)) + ")"
    by = _(", moved forward by backfill") if d.get("scheduler") == "backfill" else ""
    return _("{job} starts{where}{waited}{by}.").format(job=job, where=where, waited=waited, by=by)


def _signal(job: str, d: Detail) -> str:
    return _("{job} gets {signal}: {why}.").format(job=job, signal=d["signal"], why=d.get("why", ""))


def _end(job: str, d: Detail) -> str:
    return _("{job} ends, {state}.").format(job=job, state=d["state"])


def _reason(job: str, d: Detail) -> str:
    return _("{job} waits: {reason}.").format(job=job, reason=d.get("reason", "None"))


def _release(job: str, _d: Detail) -> str:
    return _("the resources of {job} are free again.").format(job=job)


def _requeue(job: str, d: Detail) -> str:
    return _("{job} goes back to the queue: {why}.").format(job=job, why=d.get("why", ""))


def _reject(job: str, d: Detail) -> str:
    return _("{job} is refused: {why}.").format(job=job, why=d.get("why", ""))


def _node(node: str, d: Detail) -> str:
    return _("{node} is {state}.").format(node=node, state=d["state"])


def _fault(job: str, d: Detail) -> str:
    words = {"job": job, "node": d["node"], "cause": d["cause"]}
    if d.get("symptom") == "silent":
        return _("{node} of {job} begins to compute wrongly, and nobody sees it: {cause}.").format(**words)
    if d.get("nodes", 1) > 1:
        return _("{node} and {n} nodes beside it fail under {job}: {cause}.").format(n=d["nodes"] - 1, **words)
    return _("{node} fails under {job}: {cause}.").format(**words)


def _notice(job: str, d: Detail) -> str:
    words = {"job": job, "cause": d["cause"], "who": d["by"] or _("someone")}
    if d.get("lost_ms"):
        lost = human_duration(d["lost_ms"] / 1000)
        return _("{who} notices ({cause}); {lost} of the work of {job} are lost.").format(lost=lost, **words)
    return _("{who} notices ({cause}); {job} loses no work.").format(**words)


def _stall(job: str, d: Detail) -> str:
    return _("{job} stands still for {time} and goes on: {cause} at {node}.").format(
        job=job, time=human_duration(d["seconds"]), cause=d["cause"], node=d["node"])


def _slow(job: str, d: Detail) -> str:
    return _("{node} makes every step of {job} {factor} times as long: {cause}.").format(
        job=job, node=d["node"], factor=f"{d['factor']:g}", cause=d["cause"])


def _planned(job: str, d: Detail) -> str:
    return _("{job} saves and stops as planned, for {time}.").format(job=job, time=human_duration(d["seconds"]))


_SENTENCES: dict[str, Callable[[str, Detail], str]] = {
    "submit": _submit, "start": _start, "reason": _reason, "signal": _signal, "end": _end, "release": _release,
    "requeue": _requeue, "reject": _reject, "node": _node,
    "fault": _fault, "notice": _notice, "stall": _stall, "slow": _slow, "planned": _planned,
}
