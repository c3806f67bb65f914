"""What a run came to: goodput, losses by kind and by cause, GPU hours and money; from its Trace alone."""
from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from clustersim.errors import InputError
from clustersim.facts import fact
from clustersim.messages import _
from clustersim.spans import totals
from clustersim.trace import Trace

HOUR = 3600


@dataclass(frozen=True)
class Report:
    """Times in ticks of the trace (1000 a second). ``wall`` = ``work`` + the sum of ``lost``, to the tick.

    ``lost`` maps a kind (replay, checkpoint, detect, diagnose, repair, queue, swap, restart, stall, slow, ...) to its
    time; ``by_cause`` a cause to the time that it cost; checkpoints that the rhythm asks for, and slow work,
    have the cause "".
    """

    wall: int
    work: int
    lost: Mapping[str, int]
    by_cause: Mapping[str, int]
    faults: int
    attempts: int
    gpus: int
    paid_gpus: int
    ticks: int

    @property
    def goodput(self) -> float:
        """New work per wall time, 0 to 1."""
        return self.work / self.wall if self.wall else 0.0

    @property
    def ettr(self) -> float:
        """Effective training time ratio: time that made progress, slow time included, over wall time.

        As Llama 3 and RSC count it: a job that makes slow progress is training. Never below :attr:`goodput`.
        """
        return (self.work + self.lost.get("slow", 0)) / self.wall if self.wall else 0.0

    @property
    def wall_days(self) -> float:
        return self.wall / self.ticks / 86_400

    @property
    def gpu_hours(self) -> float:
        """What is paid: every GPU of the job and its spares, all the time."""
        return self.paid_gpus * self.wall / self.ticks / HOUR

    @property
    def lost_gpu_hours(self) -> float:
        """GPU hours of the job that made no new work."""
        return self.gpus * (self.wall - self.work) / self.ticks / HOUR

    def cost_usd(self, usd_per_gpu_hour: float | None = None) -> float:
        """Money for :attr:`gpu_hours`; the price is the fact ``price.h100_gpu_hour`` unless given."""
        return self.gpu_hours * (gpu_hour_usd() if usd_per_gpu_hour is None else usd_per_gpu_hour)


def gpu_hour_usd() -> float:
    """The price of one GPU hour, in USD, from the fact ledger, where its date and source stand."""
    return float(fact("price.h100_gpu_hour").value)


def report(trace: Trace) -> Report:
    """The losses of the one job of a training trace. :class:`InputError` if its spans are not on record."""
    found = totals(trace.spans)
    if not found or len(trace.jobs) != 1:
        raise InputError(_("trace"), trace.policy, _("a training run with its spans"))
    work, lost, by_cause = 0, Counter[str](), Counter[str]()
    for (kind, cause), (time, done) in found.items():
        work += done
        if time > done:
            lost["slow" if kind == "work" else kind] += time - done
            by_cause[cause] += time - done
    job = trace.jobs[0]
    facts = job.extra
    return Report(
        wall=trace.until, work=work, lost=lost, by_cause=by_cause, faults=int(facts.get("faults", 0)),
        attempts=len(job.runs), gpus=job.gpus, ticks=trace.ticks,
        paid_gpus=job.gpus + int(facts.get("spares", 0)) * int(facts.get("gpus_per_node", 8)))
