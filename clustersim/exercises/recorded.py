"""Runs of a real Slurm for exercises that read a record instead of a simulation: see :mod:`clustersim.measured`."""
from __future__ import annotations

from clustersim.measured import NAMES, outcome, recorded, workload

__all__ = ["NAMES", "outcome", "recorded", "workload"]
