"""Who notices a fault, and when: every watcher that can see one cause, on one time axis.

Times: tables ``byterobust_detection`` and ``detection_timeouts``; the assignment of causes to rows is ours
(``fault_causes``). Speed and loss alarms are assumed ranges (``clustersim.reliability.detection``).
"""
from __future__ import annotations

from collections.abc import Mapping
from random import Random

from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Toggle, Value
from clustersim.figures_failures import spans_spec
from clustersim.messages import N_, _
from clustersim.reliability.causes import Cause, cause
from clustersim.reliability.detection import HEALTH_POLL_S, LOG_S, SILENT, SLOW_S, WATCHDOG_S, Detection
from clustersim.units import human_duration

CAUSES = ("Network switch/cable", "Faulty GPU", "GPU HBM3 memory", "GPU system processor", "NIC", "Host maintenance",
          "Software bug", "NCCL watchdog timeouts", "GPU thermal interface and sensor", "Silent data corruption", "link flap")
TICKS = (0, 1, 10, 60, 600, 3_600, 86_400, 259_200)
DRAWS = 200


def detection(settings: Mapping[str, Value]) -> Detection:
    flags = str(settings["dcgm"])
    return Detection(
        inspection=bool(settings["inspection"]), watchdog_s=float(settings["watchdog"]),
        log_s=LOG_S if settings["log"] else None, poll_s=HEALTH_POLL_S if settings["poll"] else None,
        dcgm_s=None if flags == "off" else 60.0, dcgm_flags="pm" if flags == "off" else flags)


def watchers(what: Cause, found: Detection) -> list[tuple[str, float, float]]:
    """(name, earliest, latest) in seconds, the alarms of slow and silent faults included, by the latest time."""
    rows = [(w.name, w.fixed_s, w.latest_s) for w in found.watchers(what)]
    if what.symptom == "slow":
        rows.append((_("speed monitor"), *SLOW_S))
    if what.symptom == "silent":
        rows.append((_("loss and gradient alarm"), SILENT.low, SILENT.high))
    return sorted(rows, key=lambda row: (row[2], row[1], row[0]))


def mean_notice(what: Cause, found: Detection) -> float:
    """The mean time until somebody knows, over 200 draws."""
    rng = Random("notice")
    return sum(found.notice(what, rng)[0] for _draw in range(DRAWS)) / DRAWS


def run(settings: Mapping[str, Value]) -> Outcome:
    what, found = cause(str(settings["cause"])), detection(settings)
    rows = watchers(what, found)
    mean = mean_notice(what, found)
    summary = _("{cause} shows as a {symptom}. Somebody knows after {mean} on average; the first who must have seen it is: "
                "{who}, after {latest} at the latest.").format(
        cause=_(what.name), symptom=_words()[what.symptom], mean=human_duration(mean), who=rows[0][0],
        latest=human_duration(rows[0][2]))
    return Outcome(summary, (_figure(what, rows),), _table(rows), {
        "mean_s": mean, "first": rows[0][0], "latest_s": rows[0][2], "watchers": [row[0] for row in rows],
        "symptom": what.symptom})


def _words() -> dict[str, str]:
    return {"crash": _("crash"), "hang": _("hang"), "slow": _("slowdown"), "silent": _("silent corruption"),
            "flap": _("link flap")}


def _reach(low: float, high: float) -> str:
    return human_duration(high) if low == high else _("{low} to {high}").format(
        low=human_duration(low), high=human_duration(high))


def _figure(what: Cause, rows: list[tuple[str, float, float]]) -> Figure:
    data = [{"name": name, "rank": rank, "low": round(low, 2), "value": round(high, 2), "high": round(high, 2),
             "kind": "first" if rank == 0 else "other", "text": _reach(low, high)}
            for rank, (name, low, high) in enumerate(rows)]
    title = _("{cause}: who can notice it, and by when").format(cause=_(what.name))
    alt = "; ".join(f"{row['name']}: {row['text']}" for row in data) + "."
    spec = spans_spec(len(data), _("seconds after the fault"), TICKS, log=True)
    return Figure("watchers", title, alt, spec, {"spans": data})


def _table(rows: list[tuple[str, float, float]]) -> Table:
    cells = tuple((name, human_duration(low), human_duration(high)) for name, low, high in rows)
    return Table(_("Who can notice it"), (_("watcher"), _("earliest"), _("latest")), cells)


EXPERIMENT = Experiment(
    id="who_notices",
    title=N_("Who notices it first?"),
    caption=N_("A bar reaches from the earliest to the latest time at which this watcher sees the fault; the diamond is "
               "the one that must have seen it first. The axis is logarithmic above one second."),
    controls=(
        Choice("cause", N_("What breaks"), tuple((name, name) for name in CAUSES), "Network switch/cable"),
        Slider("watchdog", N_("Time-out of NCCL collectives"), 60, 1_800, 60, WATCHDOG_S, N_("s")),
        Toggle("inspection", N_("Agents inspect every machine (ByteRobust)"), True),
        Toggle("log", N_("Somebody reads the processes' logs"), True),
        Toggle("poll", N_("Health checks every 5 min (RSC)"), True),
        Choice("dcgm", N_("dcgmi health, asked once a minute"),
               (("off", N_("off")), ("pm", N_("watches pm (the default)")), ("a", N_("all watches"))), "off"),
    ),
    run=run,
    presets=(Preset(N_("Silent data corruption"), {"cause": "Silent data corruption"}),
             Preset(N_("Nobody inspects the machines"), {"inspection": False})),
)
