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
