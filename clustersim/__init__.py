"""A simulated training cluster: Slurm, and the textbook schedulers it is measured against.

The package is pure Python (SimPy and the standard library), so the wheel that a notebook installs also runs in a
reader's browser. The names below are the public surface; they are imported on first use so that the command line
starts quickly.
"""
from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

_PUBLIC = {
    "Trace": "clustersim.trace",
    "fact": "clustersim.facts",
    "replay_pool": "clustersim.batch",
    "read_swf": "clustersim.workload",
    "simulate_slurm": "clustersim.slurm",
    "experiment": "clustersim.experiments",
    "check": "clustersim.checks",
    "ClusterSimError": "clustersim.errors",
}

__all__ = [*_PUBLIC, "__version__"]


def __getattr__(name: str) -> object:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'clustersim' has no name {name!r}; it has {', '.join(__all__)}")
