"""Every live figure of the book, one module each: a module named like its id holds ``EXPERIMENT``."""
from __future__ import annotations

from importlib import import_module

from clustersim.errors import InputError
from clustersim.experiments.base import Choice, Control, Experiment, Figure, Outcome, Slider, Table, Toggle
from clustersim.messages import _

__all__ = ["IDS", "Choice", "Control", "Experiment", "Figure", "Outcome", "Slider", "Table", "Toggle", "experiment"]

IDS = ("three_researchers", "no_scheduler", "backfill", "one_gap",
       "priority_parts", "fair_tree", "measured_order", "limits_and_reasons", "preemption", "measured_preemption",
       "second_in_line", "backfill_grid", "backfill_window", "backfill_effort", "measured_beside_simulated",
       "pack_or_spread", "which_node", "switches", "cluster_view",
       "checkpoint_interval", "checkpoint_tiers", "spares", "elastic_or_peers", "lemons", "my_cluster",
       "gpus_and_rate", "poisson_or_not", "llama3_54_days", "who_notices", "detection_delay", "diagnostic_planner")


def experiment(name: str) -> Experiment:
    """The experiment with this id; :class:`InputError` lists the ids."""
    if name not in IDS:
        raise InputError(_("experiment"), name, _("one of {names}").format(names=", ".join(IDS)))
    found: Experiment = import_module(f"clustersim.experiments.{name}").EXPERIMENT
    return found
