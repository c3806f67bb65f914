"""Who is held back and who is stopped: workloads measured on a real Slurm 22.05.8, beside the simulated ones."""
from __future__ import annotations

from collections.abc import Mapping

from clustersim.experiments import beside
from clustersim.experiments.base import Choice, Experiment, Outcome, Preset, Slider, Value
from clustersim.messages import N_, _

WORKLOADS = {
    "preempt_qos_requeue": N_("preemption by QOS, requeue"),
    "preempt_qos_cancel": N_("preemption by QOS, cancel"),
    "preempt_partition_suspend": N_("preemption by partition, suspend"),
    "qos_limits": N_("limits of a QOS"),
    "partition_limits_pend": N_("limits of a partition"),
}


def run(settings: Mapping[str, Value]) -> Outcome:
    name = str(settings["workload"])
    title = _("Measured and simulated: {what}").format(what=_(WORKLOADS[name]))
    return beside.outcome(name, title, int(settings["seed"]))


EXPERIMENT = Experiment(
    id="measured_preemption",
    title=N_("Does a real Slurm agree?"),
    caption=N_("Each pair of rows is one job: above as measured on Slurm 22.05.8, below as simulated. Numbers count the runs "
               "of a job that ran twice; a gap in a bar is a pause."),
    controls=(
        Choice("workload", N_("Workload"), tuple(WORKLOADS.items()), "preempt_qos_requeue"),
        Slider("seed", N_("Seed"), 0, 20, 1, 0,
               help=N_("when the simulated daemon came up, which sets the phase of its loops")),
    ),
    run=run,
    presets=(Preset(N_("Suspended, and resumed"), {"workload": "preempt_partition_suspend"}),
             Preset(N_("Held back by limits"), {"workload": "qos_limits"})),
)
