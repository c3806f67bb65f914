"""Closed forms that count: spares, quorums, stragglers, lemons, time-outs. Every function says its source."""
from __future__ import annotations

import math

from clustersim.errors import InputError
from clustersim.messages import _


def _share(**values: float) -> None:
    for name, value in values.items():
        if not 0 <= value < 1:
            raise InputError(name, value, _("a number from 0 to below 1"))


# A sum of terms that are rounded may fall this short of a quantile that it reaches exactly: 0.25 + 0.5 of 0.75.
ROUNDING = 1e-12


def poisson_cdf(k: int, mean: float) -> float:
    """The chance of at most ``k`` events where ``mean`` are expected; 0 for a negative ``k``."""
    if k < 0:
        return 0.0
    if mean == 0:
        return 1.0
    return math.fsum(math.exp(i * math.log(mean) - mean - math.lgamma(i + 1)) for i in range(k + 1))


def poisson_at_least(k: int, mean: float) -> float:
    """The chance of ``k`` or more events; above the mean its own terms are added, so that small chances keep their digits.

    >>> round(poisson_at_least(1, 0.001), 7), f"{poisson_at_least(30, 2.0):.4e}"
    (0.0009995, '5.8553e-25')
    """
    if k <= max(0.0, mean) or mean == 0:
        return 1 - poisson_cdf(k - 1, mean)
    total, term, i = 0.0, math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)), k
    while term > 1e-17 * total:
        total += term
        i += 1
        term *= mean / i
    return total


def poisson_quantile(mean: float, quantile: float) -> int:
    """The smallest count whose Poisson CDF reaches ``quantile``."""
    _share(quantile=quantile)
    k, total, log_mean = 0, math.exp(-mean), math.log(mean) if mean else 0.0
    while total < quantile - ROUNDING:
        k += 1
        if k > 10 * mean + 1_000:
            return k  # the sum of doubles has stopped short of a quantile this near to 1
        total += math.exp(k * log_mean - mean - math.lgamma(k + 1))
    return k


def _binomial_term(k: int, n: int, p: float) -> float:
    if p in (0.0, 1.0):
        return float(k == n * p)
    log = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log1p(-p)
    return math.exp(log)


def binomial_quantile(n: int, p: float, quantile: float) -> int:
    """The smallest s with P(at most s of n fail) >= quantile: warm standbys (arXiv 2509.16293, section 8.2.1).

    >>> binomial_quantile(600, 0.002, 0.99), binomial_quantile(2, 0.5, 0.75)
    (4, 1)
    """
    _share(quantile=quantile)
    total, s = _binomial_term(0, n, p), 0
    while total < quantile - ROUNDING and s < n:
        s += 1
        total += _binomial_term(s, n, p)
    return s


def k_of_n(k: int, n: int, availability: float) -> float:
    """The chance that at least ``k`` of ``n`` nodes are up, each with this ``availability``, independent."""
    return math.fsum(_binomial_term(i, n, availability) for i in range(k, n + 1))


def availability(mtbf: float, mttr: float) -> float:
    """MTBF / (MTBF + MTTR)."""
    return mtbf / (mtbf + mttr)


def nodes_in_repair(nodes: int, per_node_day: float, repair_days: float) -> float:
    """Mean number of nodes in repair (M/G/infinity: the law of the repair time does not matter, only its mean)."""
    return nodes * per_node_day * repair_days


def spares_for(nodes: int, per_node_day: float, repair_days: float, quantile: float) -> int:
    """Spares that are enough at this share of instants: quantile of a Poisson count of nodes in repair.

    >>> spares_for(512, 0.0065, 2, 0.99)
    13
    """
    return poisson_quantile(nodes_in_repair(nodes, per_node_day, repair_days), quantile)


def elastic_loss(repair: float, mtbf: float, replicas: int) -> float:
    """Share of throughput lost when one of ``replicas`` drops out for each repair: (T_repair / M) / D."""
    return repair / mtbf / replicas


def straggler(p: float, nodes: int, slowdown: float) -> tuple[float, float]:
    """The chance that a step meets a slow node, 1 - (1-p)^N, and the mean step time against an undisturbed one."""
    _share(p=p)
    hit = -math.expm1(nodes * math.log1p(-p))
    return hit, 1 + slowdown * hit


def hazard(p: float) -> float:
    """-ln(1 - p): the hazard behind a chance of failure."""
    _share(p=p)
    return -math.log1p(-p)


def lemon_share(p_before: float, p_after: float) -> float:
    """Share of the hazard that went with the removed nodes: 1 - ln(1-p_after)/ln(1-p_before).

    >>> round(lemon_share(0.14, 0.04), 2)
    0.73
    """
    return 1 - hazard(p_after) / hazard(p_before)


def lemon_multiplier(fraction: float, share: float) -> float:
    """How many times the rate of a good node a lemon must have so that ``fraction`` of the nodes hold ``share`` of the hazard.

    RSC (arXiv 2410.21680): 1.2 % of the nodes and 73 % of the hazard of large jobs give about 222 times.
    """
    _share(fraction=fraction, share=share)
    return share / (1 - share) * (1 - fraction) / fraction


def nccl_ib_timeout_s(timeout: int = 20) -> float:
    """InfiniBand's local ACK time-out, 4.096 us * 2^timeout (NCCL_IB_TIMEOUT, default 20 in detection_timeouts.csv)."""
    return 4.096e-6 * 2.0**timeout


def nccl_ib_error_s(timeout: int = 20, retries: int = 7) -> float:
    """Seconds until a dead link becomes an error, if each of the retries waits one time-out; a shorter flap is survived.

    >>> round(nccl_ib_error_s(), 1)
    30.1
    """
    return nccl_ib_timeout_s(timeout) * retries


def pcie_replay_budget(gt_per_s: float, lanes: int) -> int:
    """PCIe replays a minute that DCGM's health watch allows: ceil(GT/s * 60/1000 * lanes) (DCGM 4.6.0).

    >>> pcie_replay_budget(16, 16), pcie_replay_budget(32, 16)
    (16, 31)
    """
    return math.ceil(round(gt_per_s * 60 / 1000 * lanes, 9))


def mean_ratio(a: list[float], b: list[float]) -> float:
    """The mean of a_i / b_i (not the ratio of the means)."""
    if not a or len(a) != len(b):
        raise InputError(_("lists"), f"{len(a)}, {len(b)}", _("two lists of one length, not empty"))
    return math.fsum(x / y for x, y in zip(a, b, strict=True)) / len(a)
