"""A faithful model of Slurm's controller: ``simulate_slurm(workload) -> Trace``."""
from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clustersim.clock import Clock
from clustersim.slurm.compare import compare
from clustersim.slurm.controller import MEASURED, Controller, Overheads
from clustersim.slurm.outcome import outcome
from clustersim.slurm.record import make_trace
from clustersim.slurm.workload import SlurmWorkload, parse_workload, read_workload
from clustersim.trace import Trace

if TYPE_CHECKING:  # a plain run does not need it and all that it imports
    from clustersim.slurm.session import Session



def simulate_slurm(workload: SlurmWorkload, seed: int = 0, until: int | None = None,
                   overheads: Overheads | None = None) -> Trace:
    """Run the workload and return what happened.

    ``until`` (seconds) overrides the workload's own end; without either the run goes on until nothing is left to do.
    ``seed`` chooses the phases of the periodic loops. ``overheads`` are what a real cluster adds to every run: by
    default those measured, at the speed of the workload's clock; ``Overheads(0, 0)`` gives the bare arithmetic.
    """
    system = Controller(workload, seed, overheads)
    stop = workload.until if until is None else until
    clock = Clock(system)
    clock.run(stop)
    return make_trace(system, workload.settings.scheduler_type, clock.now if stop is None else stop, seed)


def replay(path: str | Path) -> tuple[Trace, dict[str, Any]]:
    """Read a workload file, run it and return (trace, outcome in the form of the measured ones)."""
    workload = read_workload(path)
    trace = simulate_slurm(workload).validate()
    return trace, outcome(trace, workload)


__all__ = ["MEASURED", "Controller", "Overheads", "Session", "SlurmWorkload", "compare", "outcome", "parse_workload",
           "read_workload", "replay", "simulate_slurm"]


def __getattr__(name: str) -> object:
    if name == "Session":
        return import_module("clustersim.slurm.session").Session
    raise AttributeError(f"module 'clustersim.slurm' has no name {name!r}")
