"""Who goes first: three workloads measured on a real Slurm 22.05.8, beside what the simulator makes of them."""
from __future__ import annotations

from collections.abc import Mapping

from clustersim.experiments import beside
from clustersim.experiments.base import Choice, Experiment, Outcome, Preset, Slider, Value
from clustersim.messages import N_, _

WORKLOADS = {
    "fairshare_two_accounts": N_("fair share: two accounts"),
    "multifactor_qos_nice": N_("QOS and nice"),
    "multifactor_size_age_partition": N_("partition, job size and age"),
}


def run(settings: Mapping[str, Value]) -> Outcome:
    name = str(settings["workload"])
    title = _("Measured and simulated: {what}").format(what=_(WORKLOADS[name]))
    return beside.outcome(name, title, int(settings["seed"]))


EXPERIMENT = Experiment(
    id="measured_order",
    title=N_("Does a real Slurm agree on the order?"),
    caption=N_("Each pair of rows is one job: above as measured on Slurm 22.05.8, below as simulated."),
    controls=(
        Choice("workload", N_("Workload"), tuple(WORKLOADS.items()), "fairshare_two_accounts"),
        Slider("seed", N_("Seed"), 0, 20, 1, 0,
               help=N_("when the simulated daemon came up, which sets the phase of its loops")),
    ),
    run=run,
    presets=(Preset(N_("QOS and nice decide"), {"workload": "multifactor_qos_nice"}),
             Preset(N_("Size, age and partition decide"), {"workload": "multifactor_size_age_partition"})),
)
