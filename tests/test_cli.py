"""The command line as a user meets it: real processes, their exit codes, their files."""
from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"
SMALL = GOLDEN / "swf_reference" / "syn-small.swf"


def run(*arguments: object, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clustersim.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **options)


def replay(*more: object) -> subprocess.CompletedProcess[str]:
    return run("replay", "swf", SMALL, "--cores", 64, "--policy", "easy", *more)


def test_metrics_for_people_and_for_programs_agree(tmp_path: Path) -> None:
    text, data = replay().stdout, json.loads(replay("--json").stdout)
    assert f"{data['jobs']} jobs on 64 cores, easy" in text and f"{data['mean_wait']:.3f} s" in text
    golden = json.loads(SMALL.with_suffix(".json").read_text())["policies"]["easy"]
    assert data["mean_wait"] == golden["mean_wait"] and data["sha256_all_starts"] == golden["sha256_all_starts"]


def test_starts_are_written_in_queue_order_to_files_and_pipes(tmp_path: Path) -> None:
    expected = gzip.decompress(SMALL.with_name("syn-small.easy.starts.gz").read_bytes()).decode()
    assert replay("--starts", tmp_path / "s").returncode == 0
    assert (tmp_path / "s").read_text() == expected
    assert replay("--starts", "/dev/stdout").stdout.startswith(expected)


def test_a_saved_trace_can_be_asked_for_a_story(tmp_path: Path) -> None:
    assert replay("--save", tmp_path / "t.json").returncode == 0
    told = run("story", tmp_path / "t.json", "job-3")
    assert told.returncode == 0 and told.stdout.count("\n") == 3
    assert run("story", tmp_path / "t.json", "job-0").returncode == 1


def test_slurm_without_a_place_for_the_outcome_prints_every_run() -> None:
    limits, requeued = (run("replay", "slurm", GOLDEN / f"slurm_golden/{name}.workload.json").stdout.splitlines()
                        for name in ("qos_limits", "preempt_qos_requeue"))
    assert limits[0] == "7 jobs, 6 started" and len(limits) == 2 + 7
    assert limits[1].split() == ["job", "state", "start", "end", "nodes", "or", "reason"]
    assert limits[-1].split() == ["c3", "PENDING", "(QOSMaxWallDurationPerJobLimit)"]
    assert [line.split()[1] for line in requeued if line.startswith("low1")] == ["PREEMPTED", "COMPLETED"]


@pytest.mark.parametrize(("arguments", "code", "words"), [
    (["replay", "swf", "none.swf", "--cores", "8", "--policy", "easy"], 1, "none.swf"),
    (["replay", "swf", str(SMALL), "--cores", "0", "--policy", "easy"], 2, "whole number above 0"),
    (["replay", "swf", str(SMALL), "--cores", "8", "--policy", "sjf"], 2, "sjf"),
    (["replay", "swf", str(SMALL), "--cores", "8", "--policy", "easy", "--starts", "/nowhere/s"], 1, "/nowhere/s"),
    (["replay", "slurm", "none.json", "--outcome", "out.json"], 1, "none.json"),
    (["story", "none.json", "1"], 1, "none.json"),
    (["replay"], 2, "kind"), ([], 2, "command"), (["replay", "swf", str(SMALL)], 2, "--cores"),
])
def test_each_kind_of_mistake_has_one_clear_message(arguments: list[str], code: int, words: str, tmp_path: Path) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == code and words in done.stderr and "Traceback" not in done.stderr
    assert code == 2 or done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_broken_line_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    log, out = tmp_path / "b.swf", tmp_path / "s"
    log.write_text(SMALL.read_text() + "1 2 x\n")
    out.write_text("old")
    done = run("replay", "swf", log, "--cores", 64, "--policy", "easy", "--starts", out)
    assert done.returncode == 1 and f"{log}, line {len(log.read_text().splitlines())}" in done.stderr
    assert out.read_text() == "old" and sorted(p.name for p in tmp_path.iterdir()) == ["b.swf", "s"]


def test_a_full_disk_is_said_and_nothing_is_left() -> None:
    done = replay("--starts", "/dev/full")
    assert done.returncode == 1 and "/dev/full: found 'No space left on device'" in done.stderr


@pytest.mark.parametrize("kind", ["swf", "slurm", "story"])
def test_words_that_cannot_be_printed_are_one_message(kind: str, tmp_path: Path) -> None:
    trace, measured = tmp_path / "t.json", GOLDEN / "slurm_golden" / "preempt_qos_requeue.workload.json"
    assert run("replay", "slurm", measured, "--save", trace).returncode == 0
    rest = {"swf": ("replay", "swf", SMALL, "--cores", 64, "--policy", "easy"), "slurm": ("replay", "slurm", measured),
            "story": ("story", trace, "low1")}[kind]
    command = [sys.executable, "-m", "clustersim.cli", *map(str, rest)]
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    expected = "clustersim: standard output: found 'No space left on device', expected a place that can be written\n"
    assert (result.returncode, result.stderr) == (1, expected)
    closed = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *command], stderr=subprocess.PIPE, text=True)
    assert (closed.returncode, closed.stderr) == (0, "")


UNREADABLE = {
    "missing": None, "empty": b"", "binary": bytes(range(256)), "UTF-16": '{"a": 1}'.encode("utf-16"),
    "deep": b"[" * 100_000, "cut off": b'{"name": "x", "jobs": [', "many digits": b'{"until_s": ' + b"9" * 5_000 + b"}",
    "twice": b'{"name": 1, "name": 2}', "half a character": b'{"name": "\\ud800"}', "no number": b'{"until_s": NaN}',
}


@pytest.mark.parametrize("what", [*UNREADABLE, "a folder", "a loop of links"])
@pytest.mark.parametrize("command", [("replay", "slurm"), ("story",)], ids=["replay", "story"])
def test_a_file_that_cannot_be_read_is_named_in_one_line(what: str, command: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "given.json"
    if what == "a folder":
        path.mkdir()
    elif what == "a loop of links":
        path.symlink_to(path.name)
    elif (data := UNREADABLE[what]) is not None:
        path.write_bytes(data)
    result = run(*command, path, *(["a"] if command == ("story",) else []))
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.startswith("clustersim: ") and result.stderr.count("\n") == 1 and "given.json" in result.stderr
    assert "expected" in result.stderr


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    command = f"{sys.executable} -m clustersim.cli replay swf {SMALL} --cores 64 --policy easy --starts /dev/stdout | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr


def hear_ctrl_c() -> None:
    """In the new process: tests that a shell runs in the background ignore Ctrl-C, and so would what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_stops_with_130_and_leaves_nothing(tmp_path: Path) -> None:
    fifo = tmp_path / "log.swf"
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "clustersim.cli", "replay", "swf", str(fifo), "--cores", "64", "--policy", "easy",
               "--starts", str(tmp_path / "s")]
    # Opening the pipe returns when the command has opened its end, so it is reading.
    with (subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=hear_ctrl_c) as process,
          fifo.open("w") as stream):
        stream.write("; waiting\n")
        stream.flush()
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _out, err = process.communicate(timeout=20)
    assert process.returncode == 130 and "stopped" in err and "Traceback" not in err
    assert [p.name for p in tmp_path.iterdir()] == ["log.swf"]


INTERRUPTED = """
import os, signal, sys
import clustersim.cli
class Finder:
    def find_spec(name, path=None, target=None):
        if name == sys.argv[1]:
            sys.meta_path.remove(Finder)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder)
sys.exit(clustersim.cli.main(sys.argv[2:]))
"""


@pytest.mark.parametrize("module", ["clustersim.commands", "argparse", "clustersim.errors", "clustersim.messages",
                                    "clustersim.slurm", "clustersim.slurm.workload"])
def test_ctrl_c_while_the_program_is_loaded_is_one_line(module: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", INTERRUPTED, module, "replay", "slurm", str(tmp_path / "none.json")]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=hear_ctrl_c)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "clustersim: stopped; nothing was written\n")
