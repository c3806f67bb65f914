"""The keys of slurm.conf that steer the scheduler, with the defaults of the measured clusters.

The base is that of the measured workloads (README of the conformance data): ``sched/backfill`` with
``bf_interval=1,sched_interval=2,batch_sched_delay=0,sched_min_interval=0``, ``select/cons_tres`` with ``CR_Core``,
``priority/multifactor`` with all weights 0, ``KillWait`` 5, ``CompleteWait`` 0. A ``SchedulerParameters`` key replaces
the whole list, so options that it leaves out have Slurm's own defaults (slurm.conf(5)).
"""
from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from clustersim import units
from clustersim.errors import InputError, UnsupportedError
from clustersim.messages import _
from clustersim.slurm.accounts import TRES_NAMES
from clustersim.slurm.schema import BOUNDLESS, YES_NO, suggest, whole, whole_k, words

BASE_SCHEDULER_PARAMETERS = "bf_interval=1,sched_interval=2,batch_sched_delay=0,sched_min_interval=0"


@dataclass(frozen=True, slots=True)
class SchedulerParameters:
    """``SchedulerParameters`` with Slurm's defaults; times in seconds unless the name says minutes."""

    bf_interval: int = 30
    bf_resolution: int = 60
    bf_window: int = 1440  # minutes
    bf_max_job_test: int = 500
    bf_max_job_start: int = 0
    bf_max_job_user: int = 0
    bf_max_job_part: int = 0
    bf_max_job_array_resv: int = 20
    bf_job_part_count_reserve: int = 0
    bf_min_prio_reserve: int = 0
    bf_min_age_reserve: int = 0
    sched_interval: int = 60
    batch_sched_delay: int = 3
    sched_min_interval: int = 2  # microseconds: below a tick, so it never delays a run here
    default_queue_depth: int = 100
    max_sched_time: int = 2  # bounds the real run time of a pass; a simulated pass takes none
    bf_max_time: int = 0     # likewise
    bf_continue: bool = False  # a simulated cycle never yields its locks
    defer: bool = False
    assoc_limit_stop: bool = False
    kill_invalid_depend: bool = False
    preempt_youngest_first: bool = False
    preempt_strict_order: bool = False
    preempt_reorder_count: int = 1
    max_switch_wait: int = 300


@dataclass(frozen=True, slots=True)
class Settings:
    """What of slurm.conf this simulator obeys. Times in seconds unless the name says otherwise."""

    scheduler_type: str = "sched/backfill"
    scheduler: SchedulerParameters = field(
        default_factory=lambda: parse_scheduler_parameters(BASE_SCHEDULER_PARAMETERS, "SchedulerParameters"))
    priority_type: str = "priority/multifactor"
    calc_period: int = 300
    max_age: int = 7 * units.DAY
    decay_half_life: int = 7 * units.DAY
    weight_age: int = 0
    weight_fairshare: int = 0
    weight_job_size: int = 0
    weight_partition: int = 0
    weight_qos: int = 0
    weight_tres: tuple[tuple[str, float], ...] = ()  # name as in TRES_NAMES, weight
    favor_small: bool = False
    small_relative_to_time: bool = False
    enforce: frozenset[str] = frozenset()
    enforce_part_limits: str = "NO"
    kill_wait: int = 5
    complete_wait: int = 0
    over_time_limit: int = 0
    slurmd_timeout: int = 300
    return_to_service: int = 1
    job_requeue: bool = True
    lln: bool = False
    preempt_type: str = "preempt/none"
    preempt_mode: str = "OFF"
    preempt_within: bool = False
    gang: bool = False
    time_slice: int = 30
    preempt_exempt: int = 0
    max_array_size: int = 1001

    @property
    def backfill(self) -> bool:
        return self.scheduler_type == "sched/backfill"

    @property
    def multifactor(self) -> bool:
        return self.priority_type == "priority/multifactor"

    @property
    def preemption(self) -> bool:
        return self.preempt_type != "preempt/none"

    @property
    def limits(self) -> bool:
        """Whether QOS and association limits hold (``AccountingStorageEnforce``)."""
        return bool(self.enforce & {"limits", "safe", "all"})

    @property
    def associations(self) -> bool:
        """Whether an association is needed at all; every stronger option implies it."""
        return bool(self.enforce)


def parse_scheduler_parameters(text: str, where: str) -> SchedulerParameters:
    """``a=1,b`` as :class:`SchedulerParameters`; an unknown option is an error with a suggestion."""
    values: dict[str, Any] = {}
    types = {name: type(getattr(_PLAIN, name)) for name in SchedulerParameters.__slots__}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, sign, value = item.partition("=")
        if name in _UNMODELLED_OPTIONS or item == "bf_interval=-1":  # -1 stops the loop
            raise UnsupportedError(where, item)
        if name not in types:
            raise InputError(where, name, _("an option of SchedulerParameters"), suggest(name, types))
        if types[name] is bool:
            if sign:
                raise InputError(where, item, _("{name} without a value").format(name=name))
            values[name] = True
        else:
            values[name] = _number(value, where, item)
    _least(values, where, bf_interval=1, bf_resolution=1, bf_window=1, sched_interval=1, bf_max_job_test=1)
    return SchedulerParameters(**values)


def parse_settings(config: Mapping[str, Any], where: Callable[[str], str], base: Settings | None = None) -> Settings:
    """The ``config`` section of a workload. ``where(key)`` names the place of a key for the error.

    ``base`` is what holds where a key is missing: by default the configuration of the measured clusters.
    """
    values: dict[str, Any] = {}
    for key, value in config.items():
        if key in _UNMODELLED:
            raise UnsupportedError(where(key), key)
        if key not in _KEYS:
            raise InputError(where(key), key, _("a key of slurm.conf"), suggest(key, _KEYS))
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise InputError(where(key), value, _("text or a whole number, as in slurm.conf"))
        _KEYS[key](values, str(value).strip(), where(key))
    return replace(base or Settings(), **values)


def check_preemption(settings: Settings, where: Callable[[str], str], given: Container[str]) -> None:
    """Refuse a type and a mode of preemption with which Slurm would not start (``_validate_and_set_defaults``)."""
    key, mode = "PreemptMode" if "PreemptMode" in given else "PreemptType", settings.preempt_mode
    if mode == "SUSPEND" and not settings.gang:
        raise InputError(where(key), mode, _("SUSPEND,GANG: time slices bring back what was suspended"))
    if settings.preemption == (mode == "OFF"):
        expected = _("CANCEL, REQUEUE or SUSPEND,GANG with {type}") if mode == "OFF" else _("no mode but GANG with {type}")
        raise InputError(where(key), mode, expected.format(type=settings.preempt_type))


def _number(text: str, where: str, shown: object = None) -> int:
    number = whole(text)
    if number is None or number > 2**32:
        raise InputError(where, text if shown is None else shown, _("a whole number, 0 or more"))
    return number


def _least(values: Mapping[str, int], where: str, **least: int) -> None:
    for name, low in least.items():
        if values.get(name, low) < low:
            raise InputError(where, f"{name}={values[name]}", _("{name} of at least {low}").format(name=name, low=low))


Setter = Callable[[dict[str, Any], str, str], None]


def _counted(name: str, bits: int = 16, low: int = 0, high: int = 0) -> Setter:
    """A number of so many bits, seconds or a weight; ``UNLIMITED`` is the largest (``parse_value.c``)."""
    most = high or 2**bits - 1

    def put(values: dict[str, Any], text: str, where: str) -> None:
        number = most if text.upper() in BOUNDLESS else whole_k(text) if most >= 2**16 else whole(text)
        if number is None or not low <= number <= most:
            raise InputError(where, text, _("a whole number from {low} to {high}").format(low=low, high=most))
        values[name] = number
    return put


def _over_time_limit(values: dict[str, Any], text: str, where: str) -> None:
    """Minutes; ``UNLIMITED`` is a year (``job_time_limit`` in ``job_mgr.c``)."""
    _counted("over_time_limit")(values, text, where)
    values["over_time_limit"] *= units.MINUTE
    if text.upper() in BOUNDLESS:
        values["over_time_limit"] = 365 * units.DAY


def _period(name: str, low: int = 0, unlimited: int | None = None) -> Setter:
    """Minutes in any form of a time limit, kept as seconds; ``unlimited`` is what ``UNLIMITED`` and ``-1`` mean, in seconds."""
    def put(values: dict[str, Any], text: str, where: str) -> None:
        minutes = units.parse_slurm_minutes(text, where)
        if minutes is None and unlimited is not None:
            values[name] = unlimited
        elif minutes is None or minutes < low:
            raise InputError(where, text, _("a duration of {low} min or more").format(low=low))
        else:
            values[name] = minutes * units.MINUTE
    return put


def _one_of(name: str, options: Mapping[str, Any]) -> Setter:
    def put(values: dict[str, Any], text: str, where: str) -> None:
        found = {option.lower(): value for option, value in options.items()}.get(text.lower())
        if found is None:
            raise InputError(where, text, _("one of {options}").format(options=", ".join(options)), suggest(text, options))
        values[name] = found
    return put


def _must_be(only: str) -> Setter:
    def put(values: dict[str, Any], text: str, where: str) -> None:
        if text != only:
            raise UnsupportedError(where, text)
    return put


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def _enforce(values: dict[str, Any], text: str, where: str) -> None:
    words = {_ENFORCE_NUMBERS.get(word.strip(), word.strip().lower()) for word in text.split(",") if word.strip()}
    for word in sorted(words):
        if word not in _ENFORCE:
            raise InputError(where, word, _("one of {options}").format(options=", ".join(_ENFORCE)), suggest(word, _ENFORCE))
    values["enforce"] = frozenset(words - {"none"})


def _select(values: dict[str, Any], text: str, where: str) -> None:
    words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if word.lower() in {one.lower() for one in _SELECT_UNMODELLED}:
            raise UnsupportedError(where, word)
        if word.lower() not in {"cr_core", "cr_cpu", "cr_lln"}:
            hint = suggest(word, ("CR_Core", "CR_CPU", "CR_LLN", *sorted(_SELECT_UNMODELLED)))
            raise InputError(where, word, "CR_Core, CR_CPU, CR_LLN", hint)
    values["lln"] = "cr_lln" in {word.lower() for word in words}


def preempt_words(text: str, where: str) -> tuple[str, bool, bool]:
    """(mode, GANG beside it, WITHIN beside it) of a ``PreemptMode``: one mode at most, and not both words.

    Source: ``preempt_mode_num`` in ``src/common/slurm_protocol_defs.c``.
    """
    words = [_PREEMPT.get(word.strip().upper(), word.strip().upper()) for word in text.split(",") if word.strip()]
    for word in words:
        if word not in _MODES:
            raise InputError(where, word, "OFF, CANCEL, REQUEUE, SUSPEND, GANG or WITHIN", suggest(word, _MODES))
    modes = [word for word in words if word not in {"GANG", "WITHIN"}]
    if len(modes) > 1 or {"GANG", "WITHIN"} <= set(words):
        raise InputError(where, text, _("one mode, with GANG or WITHIN beside it or without"))
    return modes[0] if modes else "OFF", "GANG" in words, "WITHIN" in words


def _preempt_mode(values: dict[str, Any], text: str, where: str) -> None:
    values["preempt_mode"], values["gang"], values["preempt_within"] = preempt_words(text, where)


def _priority_flags(values: dict[str, Any], text: str, where: str) -> None:
    for word in filter(None, (w.strip().upper() for w in text.split(","))):
        if word == "SMALL_RELATIVE_TO_TIME":
            values["small_relative_to_time"] = True
        elif word in _FLAGS_UNMODELLED:
            raise UnsupportedError(where, word)
        elif word != "FAIR_TREE":
            hint = suggest(word, ("FAIR_TREE", "SMALL_RELATIVE_TO_TIME", *sorted(_FLAGS_UNMODELLED)))
            raise InputError(where, word, _("a flag of PriorityFlags"), hint)


def _weight_tres(values: dict[str, Any], text: str, where: str) -> None:
    weights: dict[str, float] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _sign, weight = item.partition("=")
        if re.fullmatch(r"mem|billing|energy|vmem|pages|(license|bb|fs|ic)/.*", name.lower()):
            raise UnsupportedError(where, name)
        if name.lower() not in TRES_NAMES:
            raise InputError(where, name, ", ".join(TRES_NAMES), suggest(name, TRES_NAMES))
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", weight):
            raise InputError(where, item, _("NAME=WEIGHT with a number, 0 or more"))
        weights[name.lower()] = float(weight)
    values["weight_tres"] = tuple((name, weight) for name, weight in weights.items() if weight)


def _scheduler(values: dict[str, Any], text: str, where: str) -> None:
    values["scheduler"] = parse_scheduler_parameters(text, where)


_PLAIN = SchedulerParameters()
_MODES = ("OFF", "CANCEL", "REQUEUE", "SUSPEND", "GANG", "WITHIN")
_PREEMPT = {"ON": "SUSPEND", "CLUSTER": "OFF"}  # other words for the same
# yes means ANY (parse_part_enforce_type in slurm_protocol_defs.c)
_ENFORCE_PARTS = {"NO": "NO", "YES": "ANY", "ANY": "ANY", "ALL": "ALL",
                  **{word: "ANY" if yes else "NO" for word, yes in YES_NO.items() if word not in {"yes", "no"}}}
_ENFORCE_NUMBERS = {"1": "associations", "2": "limits"}
_NEVER = 365 * units.DAY * 100  # what PriorityMaxAge=UNLIMITED comes to: a wait that never counts
_ENFORCE = ("none", "associations", "limits", "qos", "safe", "nojobs", "nosteps", "wckeys", "all")
_KEYS: dict[str, Setter] = {
    "SchedulerType": _one_of("scheduler_type", _same("sched/backfill", "sched/builtin")),
    "SchedulerParameters": _scheduler,
    "PriorityType": _one_of("priority_type", _same("priority/basic", "priority/multifactor")),
    "PriorityCalcPeriod": _period("calc_period", low=1),
    "PriorityMaxAge": _period("max_age", unlimited=_NEVER),
    "PriorityDecayHalfLife": _period("decay_half_life", unlimited=2**32 - units.MINUTE),  # -1 min in 32 bits: 136 years
    "PriorityWeightAge": _counted("weight_age", 32),
    "PriorityWeightFairshare": _counted("weight_fairshare", 32),
    "PriorityWeightJobSize": _counted("weight_job_size", 32),
    "PriorityWeightPartition": _counted("weight_partition", 32),
    "PriorityWeightQOS": _counted("weight_qos", 32),
    "PriorityWeightTRES": _weight_tres,
    "PriorityFavorSmall": _one_of("favor_small", YES_NO),
    "PriorityFlags": _priority_flags,
    "AccountingStorageEnforce": _enforce,
    "EnforcePartLimits": _one_of("enforce_part_limits", _ENFORCE_PARTS),
    "KillWait": _counted("kill_wait"),
    "CompleteWait": _counted("complete_wait"),
    "OverTimeLimit": _over_time_limit,
    "SlurmdTimeout": _counted("slurmd_timeout"),
    "ReturnToService": _one_of("return_to_service", {"0": 0, "1": 1, "2": 2}),
    "JobRequeue": _one_of("job_requeue", {"1": True, "0": False}),
    "SelectType": _must_be("select/cons_tres"),
    "SelectTypeParameters": _select,
    "PreemptType": _one_of("preempt_type", _same("preempt/none", "preempt/qos", "preempt/partition_prio")),
    "PreemptMode": _preempt_mode,
    "PreemptExemptTime": _period("preempt_exempt", unlimited=0),
    "SchedulerTimeSlice": _counted("time_slice", low=5),
    "MaxArraySize": _counted("max_array_size", high=4_000_001),
}
_FLAGS_UNMODELLED = words("""
    ACCRUE_ALWAYS CALCULATE_RUNNING DEPTH_OBLIVIOUS INCR_ONLY MAX_TRES MAX_TRES_GRES NO_FAIR_TREE NO_NORMAL_ALL
    NO_NORMAL_ASSOC NO_NORMAL_PART NO_NORMAL_QOS NO_NORMAL_TRES""")
_SELECT_UNMODELLED = words("""
    CR_Core_Memory CR_CPU_Memory CR_Memory CR_Socket CR_Socket_Memory CR_Pack_Nodes CR_ONE_TASK_PER_CORE
    CR_CORE_DEFAULT_DIST_BLOCK OTHER_CONS_RES OTHER_CONS_TRES LL_SHARED_GRES ENFORCE_BINDING_GRES MULTIPLE_SHARING_GRES_PJ
    ONE_TASK_PER_SHARING_GRES""")
_UNMODELLED = words("""
    PriorityWeightAssoc PriorityUsageResetPeriod PrioritySiteFactorPlugin TopologyPlugin
    TopologyParam DefMemPerCPU DefMemPerNode MaxMemPerCPU MaxMemPerNode Licenses ResvOverRun MaxJobCount
    InactiveLimit UnkillableStepTimeout HealthCheckProgram SuspendTime ResumeTimeout Prolog Epilog
    JobAcctGatherType MinJobAge BatchStartTimeout MessageTimeout AuthInfo DefCpuPerGPU MaxStepCount""")
_UNMODELLED_OPTIONS = words("""
    bf_busy_nodes bf_hetjob_prio bf_hetjob_immediate bf_ignore_newly_avail_nodes bf_licenses bf_max_job_assoc
    bf_max_job_user_part bf_node_space_size bf_one_resv_per_job bf_running_job_reserve bf_window_linear
    bf_yield_interval bf_yield_sleep build_queue_timeout delay_boot default_gbytes disable_hetjob_steps
    enable_hetjob_steps enable_user_top Ignore_NUMA ignore_prefer_validation inventory_interval
    max_array_tasks max_depend_depth max_rpc_cnt no_backup_scheduling nohold_on_prolog_fail
    pack_serial_at_end partition_job_depth
    reduce_completing_frag requeue_setup_env_fail salloc_wait_nodes sbatch_wait_nodes sched_max_job_start
    spec_cores_first step_retry_count step_retry_time time_min_as_soft_limit whole_hetjob whole_pack""")
# For readers of slurm.conf: the keys read here, and the legal ones that are not modelled.
MODELLED, NOT_MODELLED, OPTIONS_NOT_MODELLED = frozenset(_KEYS), _UNMODELLED, _UNMODELLED_OPTIONS
