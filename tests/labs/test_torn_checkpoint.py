"""A training whose newest checkpoint is torn goes on from the one before, and ends as if nothing had happened."""
from __future__ import annotations

from pathlib import Path

import pytest

from labs.torchrun import checkpoint
from labs.torchrun.account import Run
from labs.torchrun.run import Signals, run
from labs.torchrun.schedule import Strike
from labs.torchrun.settings import Training


class TearAtTheKill:
    """Watches a run; as soon as a process was killed, cuts the newest checkpoint in half."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.torn, self.back_from = folder, 0, -1

    def step(self, at_s: float, step: int) -> None:
        pass

    def killed(self, at_s: float, rank: int, step: int) -> None:
        self.torn = checkpoint.steps(self.folder)[0]
        path = self.folder / f"checkpoint-{self.torn:08d}"
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    def back(self, at_s: float, after_s: float, step: int) -> None:
        self.back_from = step


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_checkpoint_before_is_used_and_the_result_is_the_same(tmp_path: Path) -> None:
    training = Training(processes=2, steps=30, checkpoint_every=5, step_s=0.05)

    def train(name: str, *strikes: Strike) -> tuple[Run, TearAtTheKill]:
        watcher = TearAtTheKill(tmp_path / name)
        with Signals() as signals:
            return run(training, tmp_path / name, strikes, watcher, signals), watcher

    whole, _watcher = train("whole")
    torn, watcher = train("torn", Strike(at_s=0.9, rank=1))
    assert len(torn.kills) == 1
    assert watcher.torn >= 10
    assert watcher.back_from == watcher.torn - training.checkpoint_every
    assert f"{torn.loss:.6f}" == f"{whole.loss:.6f}"
