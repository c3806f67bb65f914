"""The conformance run itself can fail: each kind of damage to a golden folder is noticed."""
from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from tests.conformance import suites

GOLDEN = Path(__file__).resolve().parent.parent / "golden"


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    """A small golden folder: one log, and one Slurm workload."""
    folder = tmp_path / "golden"
    for suite, pattern in (("swf_reference", "syn-small*"), ("slurm_golden", "timeouts.*")):
        (folder / suite).mkdir(parents=True)
        for path in (GOLDEN / suite).glob(pattern):
            shutil.copy(path, folder / suite)
    return folder


def failures(golden: Path, scratch: Path) -> dict[str, list[str]]:
    scratch.mkdir(exist_ok=True)
    return {case.id: found for case in suites.cases(golden) if (found := case.run(scratch))}


def edit(path: Path, change) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def test_an_untouched_folder_has_one_case_a_policy_and_workload_and_all_hold(golden: Path, tmp_path: Path) -> None:
    assert {case.id for case in suites.cases(golden)} == {
        "swf_reference-syn-small-fcfs", "swf_reference-syn-small-easy", "slurm_golden-timeouts"}
    assert failures(golden, tmp_path / "out") == {}


def test_one_wrong_start_is_found_and_named(golden: Path, tmp_path: Path) -> None:
    starts = golden / "swf_reference" / "syn-small.easy.starts.gz"
    lines = gzip.decompress(starts.read_bytes()).decode().splitlines()
    job, time = lines[500].split()
    lines[500] = f"{job} {int(time) + 1}"
    starts.write_bytes(gzip.compress("\n".join(lines).encode()))
    found = failures(golden, tmp_path / "out")
    assert list(found) == ["swf_reference-syn-small-easy"]
    assert lines[500] in found["swf_reference-syn-small-easy"][0]


@pytest.mark.parametrize("key", ["mean_wait", "utilisation", "sha256_all_starts", "mean_bounded_slowdown_tau10"])
def test_a_wrong_metric_is_found(golden: Path, tmp_path: Path, key: str) -> None:
    edit(golden / "swf_reference" / "syn-small.json", lambda data: data["policies"]["fcfs"].update({key: 0}))
    found = failures(golden, tmp_path / "out")
    assert list(found) == ["swf_reference-syn-small-fcfs"] and key in found["swf_reference-syn-small-fcfs"][0]


def test_a_wrong_slurm_outcome_is_found(golden: Path, tmp_path: Path) -> None:
    edit(golden / "slurm_golden" / "timeouts.outcome.json", lambda data: data["jobs"]["over"].update(state="COMPLETED"))
    found = failures(golden, tmp_path / "out")
    assert list(found) == ["slurm_golden-timeouts"] and "over" in found["slurm_golden-timeouts"][0]


def test_what_nobody_knows_fails(golden: Path, tmp_path: Path) -> None:
    (golden / "new_suite").mkdir()
    (golden / "other.yaml").write_text("a: 1")
    (golden / "swf_reference" / "lonely.swf").write_text("; nothing")
    found = failures(golden, tmp_path / "out")
    assert set(found) == {"new_suite", "other.yaml", "swf_reference-lonely.swf"}


def test_an_empty_folder_fails(tmp_path: Path) -> None:
    (tmp_path / "golden" / "swf_reference").mkdir(parents=True)
    assert failures(tmp_path / "golden", tmp_path / "out") == {"swf_reference": ["swf_reference holds no case"]}
    shutil.rmtree(tmp_path / "golden" / "swf_reference")
    assert list(failures(tmp_path / "golden", tmp_path / "out")) == ["golden"]


def test_what_is_not_built_is_not_also_built() -> None:
    assert not set(suites.SUITES) & set(suites.NOT_BUILT)
    assert all(reason for reason in suites.NOT_BUILT.values())


# --- the YAML suites -----------------------------------------------------------------------------------------------

def reliability(folder: Path, name: str, text: str) -> dict[str, list[str]]:
    (folder / "golden").mkdir(exist_ok=True)
    (folder / "golden" / name).write_text(text)
    for table in GOLDEN.glob("*.csv"):
        shutil.copy(table, folder / "golden")
    return failures(folder / "golden", folder / "out")


@pytest.mark.parametrize("name", ["published_reliability.yaml", "worked_examples.yaml"])
def test_every_expected_number_of_the_yaml_suites_is_compared(tmp_path: Path, name: str) -> None:
    """Each number under expect or outputs, changed by 3 %, makes its case fail and no other."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe")
    data = yaml.load((GOLDEN / name).read_text())
    items, key = (data["items"], "expect") if isinstance(data, dict) else (data, "outputs")
    for item in items:
        item.pop("simulate", None)
        for field, value in item[key].items():
            item[key][field] = [v + 1 for v in value] if isinstance(value, list) else value * 1.03 + (value == 0)
    with (tmp_path / "changed.yaml").open("w") as stream:
        yaml.dump(data, stream)
    found = reliability(tmp_path, name, (tmp_path / "changed.yaml").read_text())
    missed = {f"{Path(name).stem}-{item['id']}": set(item[key]) for item in items}
    for case, fields in missed.items():
        assert fields == {text.split(":")[0] for text in found.get(case, [])}, case


@pytest.mark.parametrize("text, says", [
    ("items: [{id: X1, kind: dance, inputs: {}, expect: {}, rel_tolerance: 0.1}]", "kind dance is none of mttf"),
    ("items: [{id: X1, kind: mean_interval, inputs: {days: 1, events: 1}, expect: {minutes: 1}, rel_tolerance: 0.1}]",
     "minutes: None instead of 1"),
    ("items: [{id: X1, kind: mean_interval, inputs: {days: 1, events: 1}, expect: {}, rel_tolerance: 0.1, "
     "published: {hours: 20}, published_abs_tolerance: 1}]", "published hours: 24.0 instead of 20"),
    ("items: [{id: X1, kind: table, inputs: {table: llama3_interruptions.csv}, expect: {dancing: 1}, rel_tolerance: 0.1}]",
     "dancing: None instead of 1"),
])
def test_a_published_item_that_does_not_hold_says_why(tmp_path: Path, text: str, says: str) -> None:
    found = reliability(tmp_path, "published_reliability.yaml", text)
    assert says in found["published_reliability-X1"][0]


def test_a_simulation_that_disagrees_is_found(tmp_path: Path) -> None:
    """The exact value stays, the simulator gets another rate: its input is what the item says."""
    from tests.conformance import reliability_suites

    setting = {"mtbf": 180.0, "interval": 20.0, "write": 1.0, "restart": 10.0}
    share = reliability_suites.simulated({**setting, "mtbf": 150.0}, 20_000, relative=0.01)
    exact = reliability_suites.theory.efficiency(20, 1, 180, 10)
    assert reliability_suites.compare({"exact": share}, {"exact": exact}, relative=0.01)


@pytest.mark.parametrize("name, value", [
    ("count_sum", 419), ("rows", 18), ("gpu_count", 268), ("gpu_share", 268 / 419), ("host_count_sum", 21),
    ("gpu_percent_printed", 58.7), ("gpu_percent_by_count", 63.96), ("percent_as_printed_sum", 94.9),
    ("count_max", 148), ("gpu_hbm3_memory", 72), ("median_count", 6.5), ("count_mean", 419 / 18),
])
def test_statistics_of_a_table_are_found_by_their_names(name: str, value: float) -> None:
    from clustersim.tables import read_untyped
    from tests.conformance.table_statistics import Statistics

    assert Statistics(read_untyped(GOLDEN / "llama3_interruptions.csv"), {})[name] == pytest.approx(value, rel=2e-4)


def test_a_column_may_be_called_by_some_of_its_words_unless_two_have_them(tmp_path: Path) -> None:
    from clustersim.tables import read_untyped
    from tests.conformance.table_statistics import Statistics

    path = tmp_path / "table.csv"
    path.write_text("phase,percent_before,percent_after\ndetection,3.4,0.1\nrework,7.5,0.2\n", encoding="utf-8")
    found = Statistics(read_untyped(path), {})
    assert (found["before_sum"], found["max_after"], found["detection_count"]) == (pytest.approx(10.9), 0.2, 1)
    with pytest.raises(KeyError):
        found["percent_sum"]


def test_the_minutes_of_a_restart_stand_in_the_name_of_the_output(tmp_path: Path) -> None:
    example = ("{{id: T{0}, formula: any, inputs: {{M_h: 5, T_repair_h: 2, D: 8}}, "
               "outputs: {{loss: 0.05, loss_restart_{0}min_hot_spare: {1}}}}}\n")
    found = reliability(tmp_path, "worked_examples.yaml", "".join(
        "- " + example.format(minutes, loss) for minutes, loss in ((6, 0.02), (15, 0.05), (30, 0.05))))
    assert set(found) == {"worked_examples-T30"}


def test_defaults_with_a_missing_table_or_a_range_out_of_order_are_found(tmp_path: Path) -> None:
    found = reliability(tmp_path, "simulator_defaults.yaml", (
        "a: {mix: {table: no_such.csv}}\nb: {x: {low: 3, default: 2, high: 4}}\nc: {mix: {table: xid.csv, column: nope}}\n"
        "d: {mix: {table: xid.csv, column: xid}}\n"))
    assert {case.removeprefix("simulator_defaults-") for case in found} == {"a", "b", "c"}


def test_worked_examples_are_told_apart_by_their_formula(tmp_path: Path) -> None:
    found = reliability(tmp_path, "worked_examples.yaml", (
        "- {id: T1, formula: tau = sqrt(2*delta*M), inputs: {delta_min: 8, M_min: 100}, outputs: {tau_min: 40}}\n"
        "- {id: T2, formula: as T1, inputs: {delta_min: 2, M_min: 100}, outputs: {tau_min: 20}}\n"
        "- {id: T3, formula: tau = 2*M, inputs: {delta_min: 8, M_min: 100}, outputs: {tau_min: 40}}\n"
        "- {id: T4, formula: any, inputs: {moons: 8}, outputs: {tau_min: 40}}\n"))
    assert set(found) == {"worked_examples-T3", "worked_examples-T4"}
