"""What the tests of the sweep run, in processes of their own."""
from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path


def measured(gpus: int, interval_min: int, seed: int) -> dict[str, float]:
    """A month of training, with a trace of the call in a log and a little time so that a kill can hit."""
    from clustersim.training import Checkpoints, Plan, report, simulate

    note(f"{gpus} {interval_min} {seed}")
    time.sleep(float(os.environ.get("SWEEP_SLEEP", "0")))
    result = report(simulate(Plan(gpus=gpus, wall_days=10, checkpoints=Checkpoints.blocking(interval_min * 60, 30)), seed))
    return {"goodput": result.goodput, "faults": result.faults}


def deadly(gpus: int, interval_min: int, seed: int) -> dict[str, float]:
    """The same, but the worker that gets one of the runs first is killed."""
    victim = Path(os.environ["SWEEP_LOG"] + ".victim")
    if seed == 3:
        try:
            victim.touch(exist_ok=False)
        except FileExistsError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
    return measured(gpus, interval_min, seed)


def note(text: str) -> None:
    if "SWEEP_LOG" in os.environ:
        with open(os.environ["SWEEP_LOG"], "a", encoding="utf-8") as log:
            log.write(text + "\n")


def main(table: str, run: str, workers: str) -> None:
    from clustersim.sweep import sweep

    sweep({"measured": measured, "deadly": deadly}[run], {"gpus": [512, 2048], "interval_min": [10, 60]}, seeds=10,
          table=table, workers=int(workers), batch=2)


if __name__ == "__main__":
    main(*sys.argv[1:])
