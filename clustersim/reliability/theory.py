"""Closed forms of failure and checkpoint theory: the oracles that the simulator is measured against.

Times are in any one unit, the same for all arguments and the result, unless a name says otherwise. Symbols: ``mtbf`` M,
the mean time between failures of the whole job; ``write`` delta, the time a checkpoint blocks the job; ``interval`` tau,
productive time between checkpoints; ``restart`` R, from a failure to the next productive moment (detection, queue,
restart). Failures are a Poisson process in wall-clock time: they also strike during writes and restarts.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from clustersim.errors import InputError
from clustersim.messages import _

GPUS_PER_NODE = 8  # A100, H100 and B200 servers of every fleet in run_failure_stats.csv


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not value > 0:
            raise InputError(name, value, _("a number above 0"))


def cluster_mttf_h(gpus: float, per_1000_node_days: float, gpus_per_node: int = GPUS_PER_NODE) -> float:
    """Hours between failures of a job whose nodes all have to work (series system): 24000 / (nodes * r_f).

    Source: arXiv 2410.21680 (RSC), where r_f is counted on jobs over 128 GPUs.

    >>> round(cluster_mttf_h(16_384, 6.5), 2)
    1.8
    """
    _positive(gpus=gpus, per_1000_node_days=per_1000_node_days)
    return 24_000 / (gpus / gpus_per_node * per_1000_node_days)


def node_rate(gpus: float, mttf_h: float, gpus_per_node: int = GPUS_PER_NODE) -> float:
    """Failures per 1000 node-days that a job's MTTF implies: the inverse of :func:`cluster_mttf_h`."""
    _positive(gpus=gpus, mttf_h=mttf_h)
    return 24_000 / (gpus / gpus_per_node * mttf_h)


def exponential_survival(t: float, mean: float) -> float:
    """The chance of no failure in ``t``: exp(-t / mean)."""
    return math.exp(-t / mean)


def weibull_scale(mean: float, shape: float) -> float:
    """The scale eta that gives a Weibull law this mean: mean / Gamma(1 + 1/k)."""
    _positive(mean=mean, shape=shape)
    return mean / math.gamma(1 + 1 / shape)


def weibull_survival(t: float, mean: float, shape: float) -> float:
    """exp(-(t / eta)^k); a shape below 1 is infant mortality, 1 the exponential law, above 1 wear."""
    return math.exp(-((t / weibull_scale(mean, shape)) ** shape))


def weibull_first_failure(mean: float, shape: float, nodes: int) -> float:
    """Mean time to the first failure of ``nodes`` fresh nodes: mean * N^(-1/k), not mean / N."""
    return mean / math.pow(nodes, 1 / shape)


# --- checkpoint intervals ---------------------------------------------------------------------------------------

def young(write: float, mtbf: float) -> float:
    """sqrt(2 delta M) (Young 1974); meant for delta far below M and no failure during a write or restart.

    >>> round(young(5, 120), 2)
    34.64
    """
    _positive(mtbf=mtbf)
    return math.sqrt(2 * write * mtbf)


def daly_first_order(write: float, mtbf: float) -> float:
    """sqrt(2 delta M) - delta (Daly 2006), for delta < M/2; never below 0, which it would reach at 2 M."""
    return max(0.0, young(write, mtbf) - write)


def daly37(write: float, mtbf: float) -> float:
    """Daly 2006 (FGCS 22), eq. 37: sqrt(2 delta M) (1 + sqrt(x)/3 + x/9) - delta, x = delta/(2M); M from delta = 2M on.

    It does not depend on the restart time.

    >>> round(daly37(5, 120), 2), daly37(150, 60)
    (31.39, 60)
    """
    _positive(mtbf=mtbf)
    if write >= 2 * mtbf:
        return mtbf
    x = write / (2 * mtbf)
    return math.sqrt(2 * write * mtbf) * (1 + math.sqrt(x) / 3 + x / 9) - write


def best_interval(write: float, mtbf: float) -> float:
    """The exact optimum: eta + exp(-eta) = 1 + delta/M with eta = (tau + delta)/M (Daly 2006), by Newton's method.

    Its left side is convex and rises from 1, so a start on the right, at 1 + delta/M, comes down without overshoot.

    >>> round(best_interval(5, 120), 2)
    31.39
    """
    _positive(mtbf=mtbf)
    share = write / mtbf
    if share <= 0:
        return 0.0
    eta = 1 + share
    for _step in range(60):
        change = (eta + math.expm1(-eta) - share) / -math.expm1(-eta)
        eta -= change
        if abs(change) <= 1e-15 * eta:
            break
    return eta * mtbf - write


def availability_interval(save: float, fail: float, repair: float) -> float:
    """The period, save time inside, with the best availability: Ts + sqrt(2 (Tf + Tr) Ts + Ts^2) (arXiv 2410.18124)."""
    return save + math.sqrt(2 * (fail + repair) * save + save * save)


# --- run time and goodput ---------------------------------------------------------------------------------------

def run_time(work: float, interval: float, write: float, mtbf: float, restart: float = 0.0) -> float:
    """Expected wall time of ``work``: M exp(R/M) (exp((tau+delta)/M) - 1) work / tau (Daly 2006, exact for Poisson).

    Infinite where a stretch is so long against M that it never ends.
    """
    _positive(interval=interval, mtbf=mtbf)
    try:
        return mtbf * math.exp(restart / mtbf) * math.expm1((interval + write) / mtbf) * work / interval
    except OverflowError:
        return math.inf


def efficiency(interval: float, write: float, mtbf: float, restart: float = 0.0) -> float:
    """Share of wall time that is new work: the inverse of :func:`run_time` for one unit of work.

    >>> round(efficiency(31.3879, 5, 120, 5), 4)
    0.7083
    """
    return 1 / run_time(1.0, interval, write, mtbf, restart)


def ettr_linear(mtbf: float, interval: float, write: float = 0.0, restart: float = 0.0) -> float:
    """(1 - (R + tau/2) / M) / (1 + delta/tau): Meta's first-order ETTR (arXiv 2410.21680).

    Too low below about 0.8; negative where the losses a failure brings exceed M.
    """
    return (1 - (restart + interval / 2) / mtbf) / (1 + write / interval)


def ettr_renewal(mtbf: float, interval: float, recovery: float) -> float:
    """(M - tau/2) / (M + recovery): M counts running time only, and nothing fails during recovery."""
    return (mtbf - interval / 2) / (mtbf + recovery)


def lost_in_interval(mtbf: float, length: float) -> float:
    """Mean time lost in the interval of this ``length`` in which a failure falls: M - L / (exp(L/M) - 1), under L/2.

    >>> round(lost_in_interval(120, 35), 4), lost_in_interval(1.0, 2000.0)
    (16.6505, 1.0)
    """
    return mtbf - length * math.exp(-length / mtbf) / -math.expm1(-length / mtbf)


def synchronous_ettr(mttf: float, recovery: float) -> float:
    """1 - recovery / MTTF (arXiv 2602.00277): every failure stops everything for ``recovery``."""
    return 1 - recovery / mttf


def interruption_budget(duration: float, interruptions: float, target: float) -> float:
    """The largest mean loss an interruption may cost, in the unit of ``duration``, to keep ``target`` of the time."""
    return duration * (1 - target) / interruptions


FORMULAS: dict[str, Callable[[float, float], float]] = {
    "young": young, "first_order": daly_first_order, "daly37": daly37, "best": best_interval,
}


def worst_excess(formula: str, delta_over_m: Iterable[float]) -> float:
    """The largest T(tau)/T(best tau) - 1 over ratios delta/M, restart 0: what an interval formula costs at its worst."""
    if formula not in FORMULAS:
        raise InputError(_("interval formula"), formula, _("one of {known}").format(known=", ".join(FORMULAS)))
    worst = 0.0
    for delta in delta_over_m:
        tau = FORMULAS[formula](delta, 1.0)
        if tau <= 0:
            return math.inf
        worst = max(worst, run_time(1.0, tau, delta, 1.0) / run_time(1.0, best_interval(delta, 1.0), delta, 1.0) - 1)
    return worst


# --- two tiers of checkpoints -----------------------------------------------------------------------------------

def two_tier_intervals(mtbf: float, fast_share: float, fast_write: float, slow_write: float) -> tuple[float, float]:
    """The two Young intervals: sqrt(2 d1 M/f) and sqrt(2 d2 M/(1-f)); f is the share of failures the fast tier survives."""
    return young(fast_write, mtbf / fast_share), young(slow_write, mtbf / (1 - fast_share))


def two_tier_waste(mtbf: float, fast_share: float, fast_write: float, slow_write: float,
                   intervals: tuple[float, float] | None = None) -> float:
    """First-order share of time lost to writes and repeated work with two tiers; best intervals unless given."""
    fast, slow = intervals or two_tier_intervals(mtbf, fast_share, fast_write, slow_write)
    return (fast_write / fast + fast_share * fast / (2 * mtbf)
            + slow_write / slow + (1 - fast_share) * slow / (2 * mtbf))


def one_tier_waste(mtbf: float, write: float) -> float:
    """First-order share lost with one tier at Young's interval: sqrt(2 delta / M)."""
    tau = young(write, mtbf)
    return write / tau + tau / (2 * mtbf)


def peer_copy_survival(nodes: int) -> float:
    """The chance that pairs of in-memory copies survive the loss of two nodes: 1 - 1/(N - 1) (GEMINI, from memory)."""
    return 1 - 1 / (nodes - 1)


def checkpoints_to_keep(latency: float, interval: float) -> int:
    """Checkpoints needed to reach back past a corruption noticed ``latency`` later: ceil(latency / interval) + 1.

    >>> checkpoints_to_keep(72, 3), checkpoints_to_keep(2.1, 0.3)
    (25, 8)
    """
    return math.ceil(round(latency / interval, 9)) + 1  # 2.1 / 0.3 is a little above 7 in doubles


def checkpoint_overhead(days: float, interval_h: float, save_s: float, checkpoint_tb: float) -> dict[str, float]:
    """What a fixed rhythm costs: number of saves, hours, share of the time and TB a day."""
    saves = days * 24 / interval_h
    hours = saves * save_s / 3600
    return {"saves": saves, "hours": hours, "share": hours / (days * 24), "tb_per_day": checkpoint_tb * 24 / interval_h}
