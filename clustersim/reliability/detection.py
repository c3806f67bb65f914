"""Who notices a fault, and when: the delay from a fault to the moment the job's owner (or its agent) knows.

A time-out is the last line: PyTorch waits 600 s for a collective (``detection_timeouts.csv``). What looks sooner: the
process's own log, agents that inspect a machine (``byterobust_detection.csv``), health checks every few minutes, the
scheduler's heartbeat. A NCCL time-out is a symptom: it says that someone did not come, never why.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from clustersim.messages import _
from clustersim.reliability.causes import Cause
from clustersim.reliability.counting import nccl_ib_error_s
from clustersim.reliability.dcgm import xid_health
from clustersim.reliability.defaults import number, span
from clustersim.reliability.laws import Law, LogUniform, as_law
from clustersim.tables import table

WATCHDOG_S = number("detection_s.hang_without_inspection")  # torch.distributed since 2.2; 1800 s before
NCCL_HEARTBEAT_S = 480.0  # TORCH_NCCL_HEARTBEAT_TIMEOUT_SEC, the watchdog of the watchdog: detection_timeouts.csv
LOG_S = number("detection_s.crash_visible_in_log")  # an explicit failure shows in the log
HEALTH_POLL_S = number("detection_s.periodic_health_check_interval")  # RSC's health checks
NODE_SILENCE_S = {"slurm": 300.0, "kubernetes": 50.0}  # SlurmdTimeout; node-monitor-grace-period: detection_timeouts.csv
SLOW_S = (60.0, 1800.0)  # assumed: from a good speed monitor to a search by hand (over 30 min: Minder, NSDI 2025)
SILENT = LogUniform(600.0, 259_200.0)  # assumed: nothing published; from 10 min to the 72 h of worked example T30
EXPLICIT_SEARCH_S = span("localisation_s.explicit")
HANG_SEARCH_S = number("localisation_s.hang_manual")
SILENT_SEARCH_S = number("localisation_s.silent_corruption")


@dataclass(frozen=True, slots=True)
class Watcher:
    """Sees a fault ``fixed_s`` after it at the earliest, and up to ``period_s`` later, as its round comes."""

    name: str
    fixed_s: float
    period_s: float = 0.0

    @property
    def latest_s(self) -> float:
        return self.fixed_s + self.period_s


@dataclass(frozen=True)
class Detection:
    """Which watchers there are. ``None`` takes one away; ``delay_s`` replaces them all by one fixed delay.

    The watchdog cannot be taken away, as a hang would never end; it can be made slower or faster. ``dcgm_s``: somebody
    asks ``dcgmi health`` (watches ``dcgm_flags``) this often; it sees a fault whose Xid its watches count.
    """

    inspection: bool = True
    watchdog_s: float = WATCHDOG_S
    log_s: float | None = LOG_S
    poll_s: float | None = HEALTH_POLL_S
    node_silence_s: float | None = NODE_SILENCE_S["slurm"]
    dcgm_s: float | None = None
    dcgm_flags: str = "pm"
    slow: Law | float | tuple[float, float] = SLOW_S
    silent: Law | float | tuple[float, float] = SILENT
    delay_s: float | None = None
    _cache: dict[str, tuple[Watcher, ...]] = field(default_factory=dict, repr=False, compare=False, hash=False)

    def watchers(self, cause: Cause) -> tuple[Watcher, ...]:
        """Everyone who can see this cause, the earliest possible first; empty for a silent corruption."""
        if cause.name not in self._cache:
            found = [Watcher(_("fixed delay"), self.delay_s)] if self.delay_s is not None else self._watchers(cause)
            self._cache[cause.name] = tuple(sorted(found, key=lambda w: (w.latest_s, w.fixed_s, w.name)))
        return self._cache[cause.name]

    def _watchers(self, cause: Cause) -> list[Watcher]:
        if cause.symptom == "silent":
            return []
        if cause.symptom == "flap":
            return [Watcher(_("NCCL InfiniBand retries"), nccl_ib_error_s())]
        found: list[Watcher] = []
        if cause.symptom in ("crash", "hang"):
            found.append(Watcher(_("NCCL watchdog"), self.watchdog_s))
        if cause.symptom == "crash" and self.log_s is not None:
            found.append(Watcher(_("process log"), self.log_s))
        if cause.detection_row == "Driver hang":
            found.append(Watcher(_("NCCL heartbeat monitor"), NCCL_HEARTBEAT_S))
        if cause.detection_row == "OS kernel fault" and self.node_silence_s is not None:
            found.append(Watcher(_("scheduler heartbeat"), self.node_silence_s))
        if cause.detection_row and self.poll_s is not None and cause.symptom != "slow":
            found.append(Watcher(_("health check"), 0.0, self.poll_s))
        if cause.xid is not None and self.dcgm_s is not None and xid_health(cause.xid, self.dcgm_flags) != "PASS":
            found.append(Watcher(_("DCGM health watch"), 0.0, self.dcgm_s))
        if cause.detection_row and self.inspection:
            seen = table("byterobust_detection").row(cause.detection_row, "root_cause")["detect_with_inspection_s"]
            found.append(Watcher(_("inspection"), float(seen or 0)))
        return found

    def notice(self, cause: Cause, rng: Random) -> tuple[float, str]:
        """Seconds from the fault until someone sees it, and who; draws only where a watcher makes rounds."""
        best, who = -1.0, ""
        for watcher in self._cache.get(cause.name) or self.watchers(cause):
            if 0 <= best <= watcher.fixed_s:
                continue  # it cannot be earlier, so its round is not drawn
            delay = watcher.fixed_s + (watcher.period_s * rng.random() if watcher.period_s else 0.0)
            if best < 0 or delay < best:
                best, who = delay, watcher.name
        if self.delay_s is None and cause.symptom in ("slow", "silent"):
            alarm = as_law(self.slow if cause.symptom == "slow" else self.silent).draw(rng)
            if best < 0 or alarm < best:
                best, who = alarm, _("speed monitor") if cause.symptom == "slow" else _("loss and gradient alarm")
        return best, who


@dataclass(frozen=True)
class Diagnosis:
    """How long it takes to find the place of a fault that was noticed, in seconds, by kind of search."""

    explicit: Law | float | tuple[float, float] = EXPLICIT_SEARCH_S
    hang: Law | float | tuple[float, float] = HANG_SEARCH_S
    silent: Law | float | tuple[float, float] = SILENT_SEARCH_S

    def law(self, cause: Cause) -> Law:
        return as_law({"hang": self.hang, "silent": self.silent}.get(cause.localisation, self.explicit))


NO_DIAGNOSIS = Diagnosis(0.0, 0.0, 0.0)
