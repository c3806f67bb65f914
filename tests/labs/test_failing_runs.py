"""A training that fails or hangs ends the lab with a reason, and even processes that resist are gone."""
from __future__ import annotations

import io
from pathlib import Path

import pytest

from labs.torchrun import processes, run
from labs.torchrun.report import Story
from labs.torchrun.settings import Training
from tests.labs.running import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
TRAINING = Training(processes=2, steps=20, checkpoint_every=10)
DEAF = """
import signal, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(600)
"""


def train_with(module: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The complaint of a run whose processes run another module, and the marker that they carried."""
    command, environment, markers = processes.command, processes.environment, []

    def marked(folder: Path, run: str) -> dict[str, str]:
        markers.append(run)
        return environment(folder, run)

    monkeypatch.setattr(processes, "command", lambda *given: [
        module if word == "labs.torchrun.worker" else word for word in command(*given)])
    monkeypatch.setattr(processes, "environment", marked)
    with run.Signals() as signals, pytest.raises(run.RunError) as error:
        run.run(TRAINING, folder, (), Story(io.StringIO()), signals)
    return str(error.value), markers[0]


def test_a_training_that_keeps_failing_is_reported_with_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said, marker = train_with("labs.no_such_module", tmp_path / "run", monkeypatch)
    assert "labs.no_such_module" in said
    assert "exit code" in said or "nobody killed it" in said
    assert wait_for(lambda: processes.marked(marker) == set(), 10)


def test_a_training_that_hangs_is_given_up_and_ended_though_it_resists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deaf.py").write_text(DEAF)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(run, "STALL_S", 20.0)  # on a busy machine torchrun takes longer than a few seconds to begin
    monkeypatch.setattr(run, "FULL", 10**18)  # whatever this disk has left counts as full
    monkeypatch.setattr(processes, "GRACE_S", 1.0)
    said, marker = train_with("deaf", tmp_path / "run", monkeypatch)
    assert "nothing was heard" in said and f"the disk of {tmp_path / 'run'} is full" in said
    assert "deaf" in said
    assert processes.marked(marker) == set()
