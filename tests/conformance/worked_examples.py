"""Solvers for the worked examples, found by what goes in, what comes out, and (where several fit) by the formula."""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from clustersim.reliability import counting as c
from clustersim.reliability import theory as t

Numbers = Mapping[str, Any]
Solver = Callable[[Numbers], dict[str, float]]


def rate(i: Numbers) -> float:
    """Failures of the job a minute."""
    return i["gpus"] / i["gpus_per_node"] * i["r_f_per_node_day"] / 1440


def meta(i: Numbers) -> dict[str, float]:
    mtbf, write = 1 / rate(i), i.get("w_min", 0)
    dt = i["dt_min"] if "dt_min" in i else t.young(write, mtbf)
    return {"dt_min": dt, "ettr": t.ettr_linear(mtbf, dt, write, i["u0_min"])}


def weibull(i: Numbers) -> dict[str, float]:
    mean, shape = i["mean_h"], i["shape_k"]
    return {"eta_h": t.weibull_scale(mean, shape), "survival": t.weibull_survival(i["t_h"], mean, shape),
            "exponential_survival": t.exponential_survival(i["t_h"], i["mean_h"])}


def daly_example(i: Numbers) -> dict[str, float]:
    delta, mtbf = i["delta_min"], i["M_min"]
    young, daly = t.young(delta, mtbf), t.daly37(delta, mtbf)
    return {"young_min": young, "daly_min": daly, "efficiency_at_daly": t.efficiency(daly, delta, mtbf, i["R_min"])}


def efficiency(i: Numbers) -> dict[str, float]:
    fixed = (i["delta_min"], i["M_min"], i["R_min"])
    return {"efficiency": t.efficiency(i["tau_min"], *fixed),
            "efficiency_at_young": t.efficiency(t.young(i["delta_min"], i["M_min"]), *fixed)}


def recovery(i: Numbers) -> dict[str, float]:
    down = i["detect_min"] + i["diagnose_min"] + i["queue_min"] + i["restart_min"]
    return {"linear": t.ettr_linear(i["M_min"], i["dt_min"], 0, down), "renewal": t.ettr_renewal(i["M_min"], i["dt_min"], down)}


def faster(i: Numbers) -> dict[str, float]:
    slow, fast = (t.ettr_linear(i["M_min"], 1, 0, i[k] / 60) for k in ("detect_slow_s", "detect_fast_s"))
    return {"gain": fast - slow}


def repair(i: Numbers) -> dict[str, float]:
    fixed = (i["nodes"], i["r_f_per_node_day"], i["repair_days"])
    return {"mean_in_repair": c.nodes_in_repair(*fixed), "spares": c.spares_for(*fixed, i["q"])}


def quorum(i: Numbers) -> dict[str, float]:
    a = c.availability(i["mtbf_days"], i["mttr_days"])
    return {"a": a, "p": c.k_of_n(i["k"], i["n"], a), "p_no_spares": c.k_of_n(i["k"], i["k"], a)}


def two_tier(i: Numbers) -> dict[str, float]:
    fixed = (i["M_min"], i["f_fast"], i["d1_min"], i["d2_min"])
    fast, slow = t.two_tier_intervals(*fixed)
    return {"tau1_min": fast, "tau2_min": slow, "waste": t.two_tier_waste(*fixed),
            "waste_single_tier_d2": t.one_tier_waste(i["M_min"], i["d2_min"])}


class Elastic(dict[str, float]):
    """``loss``, and ``loss_restart_10min_hot_spare`` for any number of minutes: it stands in the name of the output."""

    def __init__(self, i: Numbers) -> None:
        super().__init__(loss=c.elastic_loss(i["T_repair_h"], i["M_h"], i["D"]))
        self.mtbf = i["M_h"] * 60

    def get(self, name: str, default: Any = None) -> Any:
        minutes = re.fullmatch(r"loss_restart_(\d+)min_hot_spare", name)
        return 1 - t.synchronous_ettr(self.mtbf, int(minutes[1])) if minutes else super().get(name, default)


def straggler(i: Numbers) -> dict[str, float]:
    hit, factor = c.straggler(i["p"], i["nodes"], i["slowdown_s"])
    return {"p_hit": hit, "factor": factor}


def lemons(i: Numbers) -> dict[str, float]:
    return {"hazard_before": c.hazard(i["p_before"]), "hazard_after": c.hazard(i["p_after"]),
            "share_removed": c.lemon_share(i["p_before"], i["p_after"])}


# Names of the inputs; what the formula says where several solvers have the same ones; the solver.
SOLVERS: tuple[tuple[str, str, Solver], ...] = (
    ("gpus gpus_per_node r_f_per_node_day", "", lambda i: {
        "mttf_h": t.cluster_mttf_h(i["gpus"], 1000 * i["r_f_per_node_day"], i["gpus_per_node"])}),
    ("mttf_h t_h", "", lambda i: {"p_no_failure": t.exponential_survival(i["t_h"], i["mttf_h"])}),
    ("mttf_h t_h k", "", lambda i: {
        "mean": i["t_h"] / i["mttf_h"], "p_at_least_k": c.poisson_at_least(i["k"], i["t_h"] / i["mttf_h"])}),
    ("shape_k mean_h t_h", "", weibull),
    ("shape_k mean_h nodes", "", lambda i: {
        "mean_first_failure_h": t.weibull_first_failure(i["mean_h"], i["shape_k"], i["nodes"]),
        "exponential_mean_h": i["mean_h"] / i["nodes"]}),
    ("delta_min M_min", r"tau ?= ?M|sqrt\(x\)", lambda i: {"tau_min": t.daly37(i["delta_min"], i["M_min"])}),
    ("delta_min M_min", r"sqrt\(2\*delta\*M\) *- *delta", lambda i: {
        "tau_min": t.daly_first_order(i["delta_min"], i["M_min"])}),
    ("delta_min M_min", r"sqrt\(2\*delta\*M\)$", lambda i: {"tau_min": t.young(i["delta_min"], i["M_min"])}),
    ("delta_min M_min R_min tau_min", "", efficiency),
    ("delta_min M_min R_min", "", daly_example),
    ("Ts_min Tf_min Tr_min", "", lambda i: {
        "Tc_min": t.availability_interval(i["Ts_min"], i["Tf_min"], i["Tr_min"]),
        "lost_time_optimal_min": t.young(i["Ts_min"], i["Tf_min"])}),
    ("gpus gpus_per_node r_f_per_node_day u0_min dt_min", "", meta),
    ("gpus gpus_per_node r_f_per_node_day u0_min dt_min w_min", "", meta),
    ("gpus gpus_per_node r_f_per_node_day u0_min w_min", "", meta),
    ("M_min dt_min detect_min diagnose_min queue_min restart_min", "", recovery),
    ("M_min detect_slow_s detect_fast_s", "", faster),
    ("M_min L_min", "", lambda i: {
        "lost_min": t.lost_in_interval(i["M_min"], i["L_min"]), "half_interval_min": i["L_min"] / 2}),
    ("nodes r_f_per_node_day repair_days q", "", repair),
    ("n k mtbf_days mttr_days", "", quorum),
    ("n p q", "", lambda i: {"standbys": c.binomial_quantile(i["n"], i["p"], i["q"])}),
    ("nodes", "", lambda i: {"p": t.peer_copy_survival(i["nodes"])}),
    ("M_min f_fast d1_min d2_min", "", two_tier),
    ("M_h T_repair_h D", "", Elastic),
    ("p nodes slowdown_s", "", straggler),
    ("p_before p_after", "", lemons),
    ("timeout retries", "", lambda i: {
        "one_timeout_s": c.nccl_ib_timeout_s(i["timeout"]), "to_error_s": c.nccl_ib_error_s(i["timeout"], i["retries"])}),
    ("gen5_gtps gen4_gtps lanes", "", lambda i: {
        gen: c.pcie_replay_budget(i[f"{gen}_gtps"], i["lanes"]) for gen in ("gen4", "gen5")}),
    ("detection_latency_h interval_h", "", lambda i: {
        "keep": t.checkpoints_to_keep(i["detection_latency_h"], i["interval_h"])}),
    ("mttf_min recovery_min", "", lambda i: {"ettr": t.synchronous_ettr(i["mttf_min"], i["recovery_min"])}),
)


def resolved(formula: str, formulas: Mapping[str, str]) -> str:
    """A formula that only says "as T08" stands for that of the example with this id, whatever ids look like."""
    seen: set[str] = set()
    while (match := re.match(r"(?:the )?(?:same )?as ([\w-]+)", formula)) and match[1] in formulas and match[1] not in seen:
        seen.add(match[1])
        formula = formulas[match[1]]
    return formula


def solve(example: Numbers, formulas: Mapping[str, str]) -> dict[str, float] | str:
    """The outputs, or why there is no solver for this example."""
    names = set(example["inputs"])
    formula = resolved(example["formula"], formulas).strip()
    fitting = [(pattern, solver) for wanted, pattern, solver in SOLVERS if set(wanted.split()) == names]
    for pattern, solver in fitting:
        if not pattern or re.search(pattern, formula):
            return solver(example["inputs"])
    why = f"formula {formula!r} fits none of {len(fitting)}" if fitting else "no solver has these"
    return f"inputs {', '.join(sorted(names))}: {why}"
