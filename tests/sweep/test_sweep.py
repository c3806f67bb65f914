"""Sweeps: order, journal, killed in the middle, workers that die, any client, errors that name the run."""
from __future__ import annotations

import csv
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clustersim.errors import ClusterSimError, InputError
from clustersim.sweep import Bar, sweep
from tests.conftest import ROOT

GRID = {"gpus": [512, 2048], "interval_min": [10, 60]}
RUNS = 40


def product(a: int, b: str, seed: int) -> dict[str, object]:
    return {"value": a * seed / 3, "text": b.upper()}


def start(table: Path, run: str = "measured", workers: int = 2, log: Path | None = None,
          sleep: float = 0.0) -> subprocess.Popen[str]:
    environment = {**os.environ, "SWEEP_SLEEP": str(sleep), "PYTHONPATH": str(ROOT)}
    if log is not None:
        environment["SWEEP_LOG"] = str(log)
    command = [sys.executable, "-m", "tests.sweep.jobs", str(table), run, str(workers)]
    return subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The table of a sweep that nothing happened to, made in one process without Dask."""
    table = tmp_path_factory.mktemp("undisturbed") / "table.csv"
    process = start(table, workers=0)
    _out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert f"{RUNS} of {RUNS} runs" in err
    return table.read_bytes()


def test_rows_stand_in_the_order_of_parameters_and_seeds(tmp_path: Path) -> None:
    results = sweep(product, {"a": [2, 1], "b": ["x", "y"]}, seeds=[5, 4], table=tmp_path / "t.csv", workers=0, progress=False)
    assert results.columns == ("a", "b", "seed", "value", "text")
    assert [row[:3] for row in results.rows] == [(a, b, s) for a in (2, 1) for b in "xy" for s in (5, 4)]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text())))
    assert [float(r["value"]) for r in rows] == [r["value"] for r in results.dicts()]


def test_the_same_sweep_again_takes_everything_from_its_journal(tmp_path: Path) -> None:
    calls: list[int] = []

    def counting(seed: int) -> dict[str, object]:
        calls.append(seed)
        return {"v": seed}

    first = sweep(counting, {}, 6, tmp_path / "t.csv", workers=0, progress=False)
    again = sweep(counting, {}, 6, tmp_path / "t.csv", workers=0, progress=False)
    assert calls == list(range(6)) and again.rows == first.rows and (first.resumed, again.resumed) == (0, 6)


def test_a_cut_line_of_the_journal_is_done_again(tmp_path: Path) -> None:
    def run(seed: int) -> dict[str, object]:
        return {"v": seed / 7}

    want = sweep(run, {}, 6, tmp_path / "t.csv", workers=0, progress=False)
    journal = tmp_path / "t.csv.journal"
    journal.write_bytes(journal.read_bytes()[:-4])
    again = sweep(run, {}, 6, tmp_path / "t.csv", workers=0, progress=False)
    assert again.resumed == 5 and again.rows == want.rows


def test_the_journal_of_another_sweep_is_refused(tmp_path: Path) -> None:
    sweep(product, {"a": [1], "b": ["x"]}, 2, tmp_path / "t.csv", workers=0, progress=False)
    with pytest.raises(InputError, match=r"t\.csv\.journal.*Delete it"):
        sweep(product, {"a": [1], "b": ["x"]}, 3, tmp_path / "t.csv", workers=0, progress=False)


@pytest.mark.parametrize("line", ["garbage", "[1]", '{"0": 1}', '["a", {}]'])
def test_a_line_that_no_sweep_has_written_is_named(tmp_path: Path, line: str) -> None:
    sweep(product, {"a": [1], "b": ["x"]}, 2, tmp_path / "t.csv", workers=0, progress=False)
    with (tmp_path / "t.csv.journal").open("a") as journal:
        journal.write(line + "\n")
    with pytest.raises(InputError, match=r"t\.csv\.journal, line 4: found .*Delete it"):
        sweep(product, {"a": [1], "b": ["x"]}, 2, tmp_path / "t.csv", workers=0, progress=False)


def test_a_value_that_a_table_cannot_hold_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Object of type Path|Object of type PosixPath"):
        sweep(lambda seed: {"v": tmp_path}, {}, 2, tmp_path / "t.csv", workers=0, progress=False)


def test_a_place_that_cannot_be_written_to_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InputError, match="file/t.csv.journal: found 'Not a directory|file/t.csv.journal: found 'File exists"):
        sweep(product, {"a": [1], "b": ["x"]}, 2, tmp_path / "file" / "t.csv", workers=0, progress=False)
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(InputError, match="t.csv: found 'Is a directory'"):
        sweep(product, {"a": [1], "b": ["x"]}, 2, tmp_path / "t.csv", workers=0, progress=False)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "t.csv", "t.csv.journal"}


def test_a_full_disk_ends_a_sweep_with_one_error_and_it_goes_on_later(tmp_path: Path) -> None:
    """A limit on the size of a file stands in for the disk."""
    script = ("import resource, sys; from clustersim.sweep import sweep\n"
              "size = int(sys.argv[2]); resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))\n"
              "sweep(lambda seed: {'v': 'x' * 100}, {}, 50, sys.argv[1], workers=0, progress=False)\n")
    table = tmp_path / "t.csv"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for size, code in ((2_000, 1), (100_000, 0)):
        ended = subprocess.run([sys.executable, "-c", script, str(table), str(size)], env=environment, capture_output=True,
                               text=True, check=False)
        assert ended.returncode == code, ended.stderr
        if code:
            assert "t.csv.journal: found 'File too large'" in ended.stderr and "the same call goes on" in ended.stderr
    assert len(table.read_text().splitlines()) == 51


def test_an_error_names_the_run_and_what_was_done_stays(tmp_path: Path) -> None:
    bad = [True]

    def run(seed: int) -> dict[str, object]:
        if seed == 3 and bad:
            raise ValueError("no")
        return {"v": seed}

    with pytest.raises(ValueError, match="no") as caught:
        sweep(run, {}, 5, tmp_path / "t.csv", workers=0, progress=False)
    assert any("seed=3" in note for note in caught.value.__notes__)
    assert not (tmp_path / "t.csv").exists()
    bad.clear()
    assert sweep(run, {}, 5, tmp_path / "t.csv", workers=0, progress=False).resumed == 3


def test_values_need_the_same_names_each_time(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="same names"):
        sweep(lambda seed: {f"v{seed}": 1}, {}, 2, tmp_path / "t.csv", workers=0, progress=False)
    with pytest.raises(InputError, match="at least one run"):
        sweep(product, {"a": []}, 2, tmp_path / "t.csv")


def test_the_bar_says_how_far_it_is() -> None:
    stream = io.StringIO()
    bar = Bar(20, stream=stream)
    for _ in range(20):
        bar.step()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 11 and "10 of 20 runs" in stream.getvalue() and lines[-1].startswith("[" + "#" * 30 + "]")


def test_a_sweep_killed_in_the_middle_and_started_again_gives_the_same_table(tmp_path: Path, undisturbed: bytes) -> None:
    table, log = tmp_path / "table.csv", tmp_path / "log"
    journal = tmp_path / "table.csv.journal"
    process = start(table, log=log, sleep=0.2)
    deadline = time.monotonic() + 60
    while not journal.exists() or journal.read_text().count("\n") < 8:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stderr is not None
    process.stderr.close()
    kept = journal.read_bytes().count(b"\n") - 1
    assert not table.exists() and 0 < kept < RUNS
    wait_until_gone(process.pid)
    again = start(table, log=log)
    _out, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    assert table.read_bytes() == undisturbed
    calls = log.read_text().splitlines()
    assert set(calls) == {f"{g} {i} {s}" for g in GRID["gpus"] for i in GRID["interval_min"] for s in range(10)}
    assert len(calls) < RUNS + (RUNS - kept), "what the journal kept is not done again"


def wait_until_gone(group: int) -> None:
    """The workers of a killed sweep notice it and end: no process of its session is left."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    raise AssertionError("processes of the killed sweep are left")


def test_a_worker_that_dies_costs_only_time(tmp_path: Path, undisturbed: bytes) -> None:
    table, log = tmp_path / "table.csv", tmp_path / "log"
    process = start(table, run="deadly", log=log)
    _out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert Path(f"{log}.victim").exists(), "a worker was killed"
    assert table.read_bytes() == undisturbed


CLIENT = """
import sys
from distributed import Client, LocalCluster
from clustersim.sweep import sweep
from tests.sweep.jobs import measured
if __name__ == "__main__":
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        sweep(measured, {"gpus": [512, 2048], "interval_min": [10, 60]}, 10, sys.argv[1], client=client, progress=False)
        assert client.submit(int, "7").result() == 7, "the caller's client stays open"
"""


def test_the_same_call_takes_any_client(tmp_path: Path, undisturbed: bytes) -> None:
    script = tmp_path / "own_client.py"
    script.write_text(CLIENT)
    done = subprocess.run([sys.executable, str(script), str(tmp_path / "t.csv")], cwd=ROOT, text=True, capture_output=True,
                          timeout=120, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "t.csv").read_bytes() == undisturbed


def test_without_dask_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterSimError, match=r"-m pip install dask distributed.*workers=0"):
        sweep(product, {"a": [1], "b": ["x"]}, 2, tmp_path / "t.csv", progress=False)
