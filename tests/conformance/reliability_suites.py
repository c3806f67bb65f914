"""The suites of published numbers, worked examples and simulator defaults: YAML files beside the tables they name.

``published_reliability.yaml``: items of a closed list of kinds (the README beside the data has it). Each number under
``expect`` must come out within ``rel_tolerance``, each under ``published`` within ``published_abs_tolerance``; with
``simulate`` the discrete-event simulator must agree with the exact form.
``worked_examples.yaml``: examples, found by the names of their inputs and outputs and by their formula.
``simulator_defaults.yaml``: parameters whose tables exist and whose ranges hold their defaults.
"""
from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from clustersim.reliability import counting, theory
from clustersim.reliability.detection import NO_DIAGNOSIS, Detection
from clustersim.tables import Table, read_untyped
from clustersim.training import Checkpoints, Faults, Plan, Recovery, report, simulate
from tests.conformance import table_statistics
from tests.conformance.worked_examples import solve

Numbers = Mapping[str, Any]
MINUTES_A_DAY = 1440


def load(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def compare(got: Numbers, want: Numbers, relative: float = 0.0, absolute: float = 0.0) -> list[str]:
    """The numbers of ``want`` that ``got`` lacks or misses; lists are compared place by place."""
    wrong = []
    for name, value in want.items():
        have = got.get(name)
        pairs = list(zip(have, value, strict=False)) if isinstance(value, list) and isinstance(have, list) else [(have, value)]
        if have is None or isinstance(value, list) != isinstance(have, list) or (
                isinstance(value, list) and len(have) != len(value)):
            wrong.append(f"{name}: {have!r} instead of {value!r}")
        elif any(abs(a - b) > relative * abs(b) + absolute for a, b in pairs):
            wrong.append(f"{name}: {have} instead of {value}")
    return wrong


# --- published numbers ---------------------------------------------------------------------------------------------

def grid(start: float, stop: float, step: float) -> list[float]:
    return [start + i * step for i in range(round((stop - start) / step) + 1)]


def job(inputs: Numbers) -> dict[str, float]:
    """MTBF, interval, write and restart in minutes, from either kind of input."""
    mtbf = inputs["mtbf_min"] if "mtbf_min" in inputs else 60 * theory.cluster_mttf_h(
        inputs["gpus"], inputs["r_f_per_1000_node_days"])
    restart = inputs.get("restart_min", 0) + inputs.get("u0_min", 0) + inputs.get("queue_min", 0)
    return {"mtbf": mtbf, "interval": inputs["dt_min"], "write": inputs.get("w_min", 0), "restart": restart}


def ettr(inputs: Numbers, _folder: Path) -> Numbers:
    setting = job(inputs)
    return {"closed_form": theory.ettr_linear(**setting), "exact": theory.efficiency(**setting)}


def ettr_at_young(inputs: Numbers, _folder: Path) -> Numbers:
    mtbf = 60 * theory.cluster_mttf_h(inputs["gpus"], inputs["r_f_per_1000_node_days"])
    dt = theory.young(inputs["w_min"], mtbf)
    restart = inputs["u0_min"] + inputs.get("queue_min", 0)
    return {"dt_min": dt, "closed_form": theory.ettr_linear(mtbf, dt, inputs["w_min"], restart),
            "exact": theory.efficiency(dt, inputs["w_min"], mtbf, restart)}


def node_rate(inputs: Numbers, _folder: Path) -> Numbers:
    rate = theory.node_rate(inputs["gpus"], inputs["mttf_h"])
    return {"r_f_per_1000_node_days": rate, "node_mtbf_days": 1000 / rate, "gpu_hours": inputs["gpus"] * inputs["mttf_h"]}


def memory_errors(inputs: Numbers, _folder: Path) -> Numbers:
    per_gb = {side: inputs[f"{side}_mtbe_h"] * inputs[f"{side}_gb"] for side in "ab"}
    return {"ratio": inputs["a_mtbe_h"] / inputs["b_mtbe_h"], "a_per_gb_h": per_gb["a"], "b_per_gb_h": per_gb["b"],
            "drop": 1 - per_gb["b"] / per_gb["a"]}


def statistics_of_table(inputs: Numbers, folder: Path) -> Numbers:
    table: Table = read_untyped(folder / inputs["table"])
    return table_statistics.Statistics(table, {k: v for k, v in inputs.items() if k != "table"})


KINDS: dict[str, Callable[[Numbers, Path], Numbers]] = {
    "mttf": lambda i, _f: {"mttf_h": theory.cluster_mttf_h(i["gpus"], i["r_f_per_1000_node_days"])},
    "ettr": ettr,
    "ettr_of_mtbf": ettr,
    "ettr_at_young_interval": ettr_at_young,
    "interruption_budget": lambda i, _f: {
        "budget_min": theory.interruption_budget(i["days"] * MINUTES_A_DAY, i["interruptions"], i["target"])},
    "mean_interval": lambda i, _f: {"hours": i["days"] * 24 / i["events"]},
    "gpu_days_between": lambda i, _f: {"gpu_days": i["gpus"] * i["days"] / i["events"]},
    "node_rate": node_rate,
    "interval_formula_worst_excess": lambda i, _f: {"max_excess": theory.worst_excess(
        i["formula"], grid(i["delta_over_M_from"], i["delta_over_M_to"], i["step"]))},
    "warm_standbys": lambda i, _f: {"standbys": [counting.binomial_quantile(n, i["p"], i["quantile"]) for n in i["machines"]]},
    "mean_ratio": lambda i, _f: {"ratio": counting.mean_ratio(i["a"], i["b"])},
    "checkpoint_overhead": lambda i, _f: theory.checkpoint_overhead(**i),
    "mtbe_per_gb": memory_errors,
    "synchronous_recovery": lambda i, _f: {"ettr": theory.synchronous_ettr(i["mttf_min"], i["recovery_min"])},
    "table": statistics_of_table,
}
FEWEST, MOST = 4, 64  # runs of half the failures asked for


def simulated(setting: Mapping[str, float], failures: int, relative: float) -> float:
    """Goodput of the discrete-event simulator: the mean of so many runs that chance is a quarter of the tolerance at most.

    A job that is seldom at work, with a restart as long as the time between failures, needs many more than an ordinary one.
    """
    shares = [one_run(setting, -(-failures // 2), seed) for seed in range(FEWEST)]
    while len(shares) < MOST and statistics.stdev(shares) / math.sqrt(len(shares)) > relative / 4 * statistics.fmean(shares):
        shares.append(one_run(setting, -(-failures // 2), len(shares)))
    return statistics.fmean(shares)


def one_run(setting: Mapping[str, float], failures: int, seed: int) -> float:
    """Goodput of one run in the job model of the file's ``common``."""
    plan = Plan(
        gpus=8, max_faults=failures, diagnosis=NO_DIAGNOSIS, detection=Detection(delay_s=0.0),
        checkpoints=Checkpoints.blocking(setting["interval"] * 60, setting["write"] * 60),
        faults=Faults(per_1000_node_days=1000 * MINUTES_A_DAY / setting["mtbf"]),
        recovery=Recovery(restart=float(setting["restart"] * 60)))
    result = report(simulate(plan, seed))
    assert result.faults == failures
    return result.goodput


def published_case(item: Mapping[str, Any], folder: Path) -> list[str]:
    kind = KINDS.get(item["kind"])
    if kind is None:
        return [f"kind {item['kind']} is none of {', '.join(KINDS)}"]
    got = kind(item["inputs"], folder)
    wrong = compare(got, item["expect"], relative=item["rel_tolerance"])
    wrong += [f"published {text}" for text in compare(
        got, item.get("published", {}), absolute=item.get("published_abs_tolerance", 0.0))]
    want = item.get("simulate")
    if want is not None:
        share = simulated(job(item["inputs"]), want["min_failures"], want["rel_tolerance"])
        wrong += compare({want["against"]: share}, {want["against"]: got[want["against"]]}, relative=want["rel_tolerance"])
    return wrong


def published_cases(path: Path) -> Iterator[tuple[str, Callable[[], list[str]]]]:
    for item in load(path)["items"]:
        yield item["id"], lambda item=item: published_case(item, path.parent)


# --- worked examples and defaults ------------------------------------------------------------------------------------

def worked_cases(path: Path) -> Iterator[tuple[str, Callable[[], list[str]]]]:
    examples = load(path)
    formulas = {example["id"]: example["formula"] for example in examples}
    for example in examples:
        yield example["id"], lambda e=example: worked_case(e, formulas)


def worked_case(example: Mapping[str, Any], formulas: Mapping[str, str]) -> list[str]:
    got = solve(example, formulas)
    if isinstance(got, str):
        return [got]
    return compare(got, example["outputs"], relative=1e-4)


def default_cases(path: Path) -> Iterator[tuple[str, Callable[[], list[str]]]]:
    for name, entry in load(path).items():
        yield name, lambda n=name, e=entry: list(check_defaults(n, e, path.parent))


def check_defaults(where: str, entry: Any, folder: Path) -> Iterator[str]:
    """Every table and column named exists, every default lies in its range, shares do not add to more than 1."""
    if not isinstance(entry, Mapping):
        return
    if "table" in entry:
        from clustersim.tables import names, table

        name = entry["table"].removesuffix(".csv")
        if (folder / entry["table"]).exists():
            columns = read_untyped(folder / entry["table"]).columns
        elif name in names():
            columns = table(name).columns
        else:
            yield f"{where}: table {entry['table']} is neither beside the file nor one of ours"
            return
        if "column" in entry and entry["column"] not in columns:
            yield f"{where}: {entry['table']} has no column {entry['column']}"
    low, default, high = (entry.get(key) for key in ("low", "default", "high"))
    known = [value for value in (low, default, high) if value is not None]
    if known != sorted(known):
        yield f"{where}: low {low}, default {default}, high {high} are out of order"
    if where == "job_mix_rsc1" and math.fsum(v for v in entry.values() if isinstance(v, float)) > 1:
        yield f"{where}: the shares add to more than 1"
    for key, value in entry.items():
        yield from check_defaults(f"{where}.{key}", value, folder)
