"""What a simulated training run is made of: job, faults, detection, checkpoints, recovery. Plain data, checked on making.

Durations are seconds unless a name says otherwise. Where a parameter takes a law, a number is a fixed time and a pair a
range drawn evenly. Defaults come from ``data/defaults.toml`` where it has them, each with its source there.
"""
from __future__ import annotations

from dataclasses import dataclass, field

from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.reliability.defaults import number, span
from clustersim.reliability.detection import Detection, Diagnosis
from clustersim.reliability.faults import DAY_MS, Fault
from clustersim.reliability.laws import Law, Lognormal

Time = Law | float | tuple[float, float]

RATE = number("failure_process.r_f_per_1000_node_days")  # Llama 3, between RSC-2 and RSC-1
LEMON_MULTIPLIER = number("failure_process.lemon_nodes.rate_multiplier")  # assumed; counting.lemon_multiplier fits one
REPAIR = Lognormal(number("repair_days.median") * 86_400, number("repair_days.mean") * 86_400)  # InfiniteHBD: heavy tail
RESTART_S = span("restart_s")  # u0 of RSC
RESET_S = (30.0, 300.0)  # assumed: nothing published for a GPU reset with its drain
REBOOT_S = (300.0, 900.0)  # assumed: nothing published for a reboot of an 8-GPU server
WARM_S = number("queue_s.with_spare")  # RSC counts one minute a failure in one scenario
SWAP_S = {"hot": (0.0, 5.0), "warm": (WARM_S, WARM_S), "cold": (600.0, 1800.0)}  # hot and cold assumed
STRAGGLER_S = number("straggler.mean_minutes") * 60  # mean of a slow phase at 512 GPUs and more
STRAGGLER_FACTOR = number("straggler.slowdown")
INTERVAL_S, WRITE_S = number("checkpoint.interval_min") * 60, number("checkpoint.write_min") * 60


def _not_negative(**values: float) -> None:
    for name, value in values.items():
        if not value >= 0:
            raise InputError(name, value, _("a number of 0 or more"))


@dataclass(frozen=True)
class Slow:
    """Slow phases that pass by themselves: ``per_1000_node_days`` of them, ``length`` long, steps ``factor`` times as long.

    ``evict``: a speed monitor notices (Detection.slow) and the node is replaced instead. Source of the defaults:
    Greyhound (ATC 2025): 16 of 27 jobs of 512 GPUs and more, 72 min on average, 1.34 times the job time.
    """

    per_1000_node_days: float
    length: Time = STRAGGLER_S
    factor: float = STRAGGLER_FACTOR
    evict: bool = False


@dataclass(frozen=True)
class Faults:
    """What breaks how often.

    ``law`` (in days, for one node) replaces the constant rate. ``mix`` names a published table (or is "any": no causes
    told apart, restart only). Lemons: ``lemon_fraction`` of the nodes fail ``lemon_multiplier`` times as often; the rate
    given is the mean over all nodes. ``switch_per_1000_days`` is the rate of one switch (or rack) of ``switch_nodes``
    nodes. Flaps: link flaps of a length ``flap_length``. ``recorded`` replaces everything by known faults.
    """

    per_1000_node_days: float = RATE
    mix: str = "any"
    law: Law | None = None
    lemon_fraction: float = 0.0
    lemon_multiplier: float = LEMON_MULTIPLIER
    switch_per_1000_days: float = 0.0
    switch_nodes: int = 8
    switch_cause: str = "switch"
    switch_repair: Time = (3600.0, 14_400.0)  # assumed: nothing published
    flaps_per_1000_node_days: float = 0.0
    flap_length: Time = (1.0, 60.0)  # assumed: nothing published
    slow: Slow | None = None
    planned_per_day: float = 0.0
    recorded: tuple[Fault, ...] | None = None

    def __post_init__(self) -> None:
        _not_negative(per_1000_node_days=self.per_1000_node_days, switch_per_1000_days=self.switch_per_1000_days,
                      flaps_per_1000_node_days=self.flaps_per_1000_node_days, planned_per_day=self.planned_per_day)
        if not 0 <= self.lemon_fraction < 1 or self.switch_nodes < 1 or not self.lemon_multiplier > 0:
            raise InputError(_("lemon fraction, multiplier, nodes a switch"),
                             (self.lemon_fraction, self.lemon_multiplier, self.switch_nodes),
                             _("0 to below 1, above 0, and at least 1"))


@dataclass(frozen=True)
class Tier:
    """Where checkpoints go. A save blocks ``block_s``; ``upload_s`` later it is durable; to load one takes ``load_s``.

    ``survives``: the scopes of fault after which the copy is still there (job: the processes died, the node is there).
    """

    block_s: float
    upload_s: float = 0.0
    load_s: float = 0.0
    survives: frozenset[str] = frozenset({"job", "node", "rack", "switch"})

    def __post_init__(self) -> None:
        _not_negative(block_s=self.block_s, upload_s=self.upload_s, load_s=self.load_s)


@dataclass(frozen=True)
class Checkpoints:
    """A save after every ``interval_s`` of training. With a ``fast`` tier every ``slow_every``-th save also goes to ``tier``.

    ``keep`` is how many checkpoints of the slow tier are kept (``None``: all), which decides how far a silent corruption
    can be undone. ``interval_s`` ``None``: no checkpoints at all, a failure costs everything.
    """

    interval_s: float | None
    tier: Tier
    fast: Tier | None = None
    slow_every: int = 1
    keep: int | None = None

    def __post_init__(self) -> None:
        if self.interval_s is not None and not self.interval_s >= 0.001:
            raise InputError(_("checkpoint interval"), self.interval_s, _("at least 0.001 s, or None"))
        if self.slow_every < 1 or (self.fast is None and self.slow_every > 1):
            raise InputError(_("slow_every"), self.slow_every, _("1, or more with a fast tier"))
        if self.keep is not None and self.keep < 1:
            raise InputError(_("checkpoints kept"), self.keep, _("at least 1, or None"))

    @classmethod
    def blocking(cls, interval_s: float, write_s: float, load_s: float = 0.0, keep: int | None = None) -> Checkpoints:
        """The job stands still until the checkpoint is safe."""
        return cls(interval_s, Tier(write_s, 0.0, load_s), keep=keep)

    @classmethod
    def asynchronous(cls, interval_s: float, copy_s: float, upload_s: float, load_s: float = 0.0,
                     keep: int | None = None) -> Checkpoints:
        """The job stands still for the copy to host memory; it is durable after the upload (PyTorch DCP async).

        A new save waits for the upload before it, so saves come at least ``upload_s`` apart.
        """
        return cls(max(interval_s, upload_s), Tier(copy_s, upload_s, load_s), keep=keep)

    @classmethod
    def tiered(cls, interval_s: float, fast_s: float, slow_every: int, slow_s: float, upload_s: float = 0.0,
               survives: frozenset[str] = frozenset({"job", "node"}), fast_load_s: float = 0.0, load_s: float = 0.0,
               keep: int | None = None) -> Checkpoints:
        """Copies in the memory of peers at every save (GEMINI), every n-th also on storage."""
        return cls(interval_s, Tier(slow_s, upload_s, load_s), Tier(fast_s, 0.0, fast_load_s, survives), slow_every, keep)


@dataclass(frozen=True)
class Elastic:
    """Go on with the other replicas when one loses a node (torchft, Oobleck, FT-HSDP); the node comes back later.

    The job loses the step under way (``step_s``), stands for ``shrink_s``, runs at (D-1)/D of its speed, and stands for
    ``grow_s`` when the replica is complete again.
    """

    replicas: int
    step_s: float = 10.0
    shrink_s: Time = 30.0
    grow_s: Time = 30.0

    def __post_init__(self) -> None:
        if self.replicas < 2:
            raise InputError(_("replicas"), self.replicas, _("at least 2"))


@dataclass(frozen=True)
class Peers:
    """Recovery without a checkpoint: a new node takes the state of the failed one from a replica.

    ``restore_s`` follows from state size, bandwidth, replicas and rendezvous: ``clustersim.training.state.peer_restore_s``.
    It needs at least 2 replicas, and fails over to a checkpoint when the fault hit all of them.
    """

    restore_s: Time
    replicas: int = 2
    step_s: float = 10.0


@dataclass(frozen=True)
class Recovery:
    """What happens from the diagnosis to the next productive moment.

    ``spares`` nodes stand by, of one ``spare_kind`` (hot: in the job's group already; warm: checked and booted; cold:
    to be provided); a node that was taken out returns as a spare after its ``repair``. Without a spare the job waits for
    the first node that returns, or ``queue_s`` for one from the scheduler if that is set and shorter. ``extra_s`` is a
    wait that every recovery pays. ``lemon_after``: a node is not taken back after so many faults.
    """

    restart: Time = RESTART_S
    reset: Time = RESET_S
    reboot: Time = REBOOT_S
    spares: int = 0
    spare_kind: str = "warm"
    swap: Time | None = None
    queue_s: Time | None = None
    extra_s: float = 0.0
    repair: Time = REPAIR
    elastic: Elastic | None = None
    peers: Peers | None = None
    lemon_after: int | None = None

    def __post_init__(self) -> None:
        if self.spare_kind not in SWAP_S:
            raise InputError(_("kind of spare"), self.spare_kind, _("one of {known}").format(known=", ".join(SWAP_S)))
        if self.spares < 0:
            raise InputError(_("spares"), self.spares, _("a whole number of 0 or more"))

    @property
    def swap_time(self) -> Time:
        return SWAP_S[self.spare_kind] if self.swap is None else self.swap


@dataclass(frozen=True)
class Plan:
    """A job on ``gpus`` GPUs that ends when ``work_days`` of productive time are done, or after ``wall_days``, or both.

    ``planned_s`` is the length of a planned stop (firmware, configuration), before which the job saves.
    """

    gpus: int
    wall_days: float | None = None
    work_days: float | None = None
    checkpoints: Checkpoints = field(default_factory=lambda: Checkpoints.blocking(INTERVAL_S, WRITE_S))
    faults: Faults = field(default_factory=Faults)
    detection: Detection = field(default_factory=Detection)
    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    recovery: Recovery = field(default_factory=Recovery)
    planned: Time = (600.0, 1800.0)
    gpus_per_node: int = 8
    max_faults: int | None = None
    name: str = "training"

    def __post_init__(self) -> None:
        if self.gpus < 1 or self.gpus % self.gpus_per_node and self.gpus > self.gpus_per_node:
            raise InputError(_("GPUs"), self.gpus, _("a multiple of {n}").format(n=self.gpus_per_node))
        if self.wall_days is None and self.work_days is None and self.max_faults is None:
            raise InputError(_("length of the run"), None, _("wall_days, work_days or max_faults"))
        if any(days is not None and not days * DAY_MS >= 1 for days in (self.wall_days, self.work_days)):
            raise InputError(_("length of the run"), (self.wall_days, self.work_days), _("days, at least a millisecond"))
        for what in (self.recovery.elastic, self.recovery.peers):
            if what is not None and self.nodes % what.replicas:
                raise InputError(_("replicas"), what.replicas, _("a divisor of the {n} nodes").format(n=self.nodes))

    @property
    def nodes(self) -> int:
        return max(1, self.gpus // self.gpus_per_node)
