"""Checkpoints survive what a kill or a disk can do to them."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labs.torchrun import checkpoint
from tests.conftest import ROOT


def path(folder: Path, step: int) -> Path:
    return folder / f"checkpoint-{step:08d}"


def test_the_newest_is_found_and_only_two_are_kept(tmp_path: Path) -> None:
    assert checkpoint.newest(tmp_path) is None
    for step in (20, 40, 100):
        checkpoint.save(tmp_path, step, b"state of step %d" % step)
    assert checkpoint.newest(tmp_path) == (100, b"state of step 100")
    assert checkpoint.steps(tmp_path) == [100, 40]


def torn(raw: bytes) -> list[bytes]:
    """Cut off anywhere, empty, a flipped bit, zeros at the end as after a power cut, something else."""
    flipped = bytearray(raw)
    flipped[-3] ^= 1
    cuts = [raw[:n] for n in range(0, len(raw), 7)]
    return [*cuts, raw[:-1], bytes(flipped), raw[:-10] + bytes(10), raw + b"\0", b"something else"]


def test_any_torn_file_is_passed_over_for_the_one_before(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 20, b"whole")
    checkpoint.save(tmp_path, 40, bytes(range(100)))
    damages = torn(path(tmp_path, 40).read_bytes())
    assert len(damages) > 20
    for damage in damages:
        path(tmp_path, 40).write_bytes(damage)
        assert checkpoint.newest(tmp_path) == (20, b"whole")


def test_an_unfinished_write_is_not_seen_and_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".checkpoint-00000060").write_bytes(b"half a")
    assert checkpoint.newest(tmp_path) is None
    checkpoint.save(tmp_path, 60, b"whole")
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint-00000060"]


WRITER = """
import sys
from pathlib import Path
from labs.torchrun import checkpoint
folder, step = Path(sys.argv[1]), int(sys.argv[2])
while True:
    step += 1
    checkpoint.save(folder, step, step.to_bytes(8, "big") * 100_000)
"""


@pytest.mark.slow
def test_a_process_killed_while_it_saves_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    """It does nothing but save, so every kill hits a save. What is found must be what was written for that step."""
    step, unfinished = 0, 0
    for round_ in range(25):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(step)], cwd=ROOT)
        try:
            until = time.monotonic() + 30
            while not any(found > step for found in checkpoint.steps(tmp_path)) and time.monotonic() < until:
                time.sleep(0.002)
            time.sleep(0.0007 * round_)
        finally:
            os.kill(writer.pid, signal.SIGKILL)
            writer.wait()
        found = checkpoint.newest(tmp_path)
        assert found is not None
        assert found[0] > step
        assert found[1] == found[0].to_bytes(8, "big") * 100_000
        step = found[0]
        unfinished += any(tmp_path.glob(".checkpoint-*"))
    assert unfinished > 0  # some kills did come in the middle of a write
