"""How long it takes to save, load and pass on the state of a training run: from its size, bandwidths and the rendezvous.

No vendor's benefit goes in: what recovery from peers saves against a restart follows from these numbers.
"""
from __future__ import annotations

from dataclasses import dataclass

from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.reliability.defaults import number

# bf16 weights 2, fp32 master weights 4, two Adam moments 8. BLOOM's 2.3 TB for 176e9 parameters are 13.1 bytes each.
BYTES_PER_PARAMETER = 14.0
NAIVE_RENDEZVOUS_S = number("restart_s.nccl_init_2048_gpus_naive")  # at 2048 GPUs, MegaScale before its change
FAST_RENDEZVOUS_S = number("restart_s.nccl_init_2048_gpus_naive.optimised")  # and after: under 5 s
RENDEZVOUS_GPUS = 2048


@dataclass(frozen=True)
class State:
    """A model's training state spread over a job. Bandwidths in GB/s (1e9 bytes).

    ``storage_gb_s`` is what the shared storage gives to the whole job, ``host_gb_s`` what one GPU copies to host memory,
    ``network_gb_s`` what one node can receive. ``replicas``: how many full copies of the state the job holds; an
    optimizer state that is sharded over the data-parallel group exists once, so it counts as one.
    """

    parameters: float
    gpus: int
    storage_gb_s: float
    replicas: int = 1
    gpus_per_node: int = 8
    host_gb_s: float = 25.0  # assumed: about half of PCIe Gen5 x16
    network_gb_s: float = 400.0  # 8 NICs of 400 Gbit/s (3,200 Gbit/s of a p5.48xlarge)
    bytes_per_parameter: float = BYTES_PER_PARAMETER

    def __post_init__(self) -> None:
        for name in ("parameters", "gpus", "storage_gb_s", "replicas", "host_gb_s", "network_gb_s", "bytes_per_parameter"):
            if not getattr(self, name) > 0:
                raise InputError(name, getattr(self, name), _("a number above 0"))

    @property
    def bytes(self) -> float:
        """Size of one full copy, which is what a checkpoint holds."""
        return self.parameters * self.bytes_per_parameter

    @property
    def nodes(self) -> float:
        return self.gpus / self.gpus_per_node

    @property
    def node_bytes(self) -> float:
        """What one node holds: a full copy is spread over nodes / replicas."""
        return self.bytes * self.replicas / self.nodes

    def write_s(self) -> float:
        """A blocking save: one copy through the shared storage."""
        return self.bytes / self.storage_gb_s / 1e9

    def snapshot_s(self) -> float:
        """What blocks an asynchronous save: every GPU copies its part to host memory, one replica of them is enough."""
        return self.node_bytes / self.gpus_per_node / self.host_gb_s / 1e9

    def load_s(self) -> float:
        """A restart reads one copy and passes it on over the network: the slower of the two."""
        return max(self.bytes / self.storage_gb_s, self.node_bytes / self.network_gb_s) / 1e9

    def peer_copy_s(self) -> float:
        """Sending a node's part to a peer's memory, as an in-memory checkpoint does at each save."""
        return self.node_bytes / self.network_gb_s / 1e9

    def peer_restore_s(self, rendezvous: float, warm_up_s: float = 0.0) -> float:
        """Recovery without a checkpoint: the new node fetches its part from a replica, and all meet again.

        :class:`InputError` if there is one replica only, as nobody has the part then.
        """
        if self.replicas < 2:
            raise InputError(_("replicas"), self.replicas, _("at least 2: with one copy no peer holds the lost part"))
        return self.peer_copy_s() + rendezvous + warm_up_s

    def restart_s(self, rendezvous: float, start_s: float = 0.0) -> float:
        """A restart from storage: start the processes, meet, load."""
        return start_s + rendezvous + self.load_s()


def rendezvous_s(gpus: int, optimised: bool = True) -> float:
    """Set-up of the process groups: MegaScale's 1047 s (naive) or 5 s (optimised) at 2,048 GPUs, taken as linear in GPUs.

    The two times are published (arXiv 2402.15627, upper bound for the second); that they grow linearly is assumed.
    """
    return (FAST_RENDEZVOUS_S if optimised else NAIVE_RENDEZVOUS_S) * gpus / RENDEZVOUS_GPUS


def saved_share(restart_s: float, peer_s: float) -> float:
    """By what share recovery from peers is shorter than a restart; below 0 if it is longer."""
    return 1 - peer_s / restart_s
