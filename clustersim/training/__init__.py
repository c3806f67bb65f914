"""A training run that breaks: ``simulate(plan, seed)`` gives a Trace, ``report(trace)`` its goodput and losses."""
from __future__ import annotations

from clustersim.training.engine import Simulation, simulate
from clustersim.training.plan import Checkpoints, Elastic, Faults, Peers, Plan, Recovery, Slow, Tier
from clustersim.training.report import Report, report

__all__ = ["Checkpoints", "Elastic", "Faults", "Peers", "Plan", "Recovery", "Report", "Simulation", "Slow", "Tier",
           "report", "simulate"]
