"""The keys of slurm.conf that steer the scheduler, with the defaults of the measured clusters.

The base is that of the measured workloads (README of the conformance data): ``sched/backfill`` with
``bf_interval=1,sched_interval=2,batch_sched_delay=0,sched_min_interval=0``, ``select/cons_tres`` with ``CR_Core``,
``priority/multifactor`` with all weights 0, ``KillWait`` 5, ``CompleteWait`` 0. A ``SchedulerParameters`` key replaces
the whole list, so options that it leaves out have Slurm's own defaults (slurm.conf(5)).
"""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from clustersim import units
from clustersim.errors import InputError, UnsupportedError
from clustersim.messages import _
from clustersim.slurm.accounts import TRES_NAMES
from clustersim.slurm.schema import suggest, whole, words

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
        if name in _UNMODELLED_OPTIONS:
            raise UnsupportedError(where, name)
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


def _seconds(name: str, scale: int = 1, low: int = 0) -> Setter:
    def put(values: dict[str, Any], text: str, where: str) -> None:
        values[name] = _number(text, where) * scale
        if values[name] < low:
            raise InputError(where, text, _("a whole number, {low} or more").format(low=low // scale))
    return put


def _period(name: str) -> Setter:
    def put(values: dict[str, Any], text: str, where: str) -> None:
        minutes = units.parse_slurm_minutes(text, where)
        if minutes is None:
            raise InputError(where, text, _("a duration"))
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
    words = {word.strip().lower() for word in text.split(",") if word.strip()}
    for word in sorted(words):
        if word not in _ENFORCE:
            raise InputError(where, word, _("one of {options}").format(options=", ".join(_ENFORCE)), suggest(word, _ENFORCE))
    values["enforce"] = frozenset(words - {"none"})


def _select(values: dict[str, Any], text: str, where: str) -> None:
    words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if word.lower() in {"cr_core_memory", "cr_memory", "cr_cpu_memory", "cr_socket", "cr_socket_memory", "cr_pack_nodes"}:
            raise UnsupportedError(where, word)
        if word.lower() not in {"cr_core", "cr_cpu", "cr_lln"}:
            raise InputError(where, word, "CR_Core, CR_CPU, CR_LLN", suggest(word, ["CR_Core", "CR_CPU", "CR_LLN"]))
    values["lln"] = "cr_lln" in {word.lower() for word in words}


def _preempt_mode(values: dict[str, Any], text: str, where: str) -> None:
    words = [word.strip().upper() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in {"OFF", "CANCEL", "REQUEUE", "SUSPEND", "GANG", "WITHIN"}:
            raise InputError(where, word, "OFF, CANCEL, REQUEUE, SUSPEND, GANG or WITHIN")
    values["gang"], values["preempt_within"] = "GANG" in words, "WITHIN" in words
    values["preempt_mode"] = next((word for word in words if word not in {"GANG", "WITHIN"}), "OFF")


def _priority_flags(values: dict[str, Any], text: str, where: str) -> None:
    for word in filter(None, (w.strip().upper() for w in text.split(","))):
        if word == "SMALL_RELATIVE_TO_TIME":
            values["small_relative_to_time"] = True
        elif word != "FAIR_TREE":
            raise UnsupportedError(where, word)


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
_ENFORCE = ("none", "associations", "limits", "qos", "safe", "nojobs", "nosteps", "wckeys", "all")
_YES_NO = {"yes": True, "no": False, "1": True, "0": False}
_KEYS: dict[str, Setter] = {
    "SchedulerType": _one_of("scheduler_type", _same("sched/backfill", "sched/builtin")),
    "SchedulerParameters": _scheduler,
    "PriorityType": _one_of("priority_type", _same("priority/basic", "priority/multifactor")),
    "PriorityCalcPeriod": _period("calc_period"),
    "PriorityMaxAge": _period("max_age"),
    "PriorityDecayHalfLife": _period("decay_half_life"),
    "PriorityWeightAge": _seconds("weight_age"),
    "PriorityWeightFairshare": _seconds("weight_fairshare"),
    "PriorityWeightJobSize": _seconds("weight_job_size"),
    "PriorityWeightPartition": _seconds("weight_partition"),
    "PriorityWeightQOS": _seconds("weight_qos"),
    "PriorityWeightTRES": _weight_tres,
    "PriorityFavorSmall": _one_of("favor_small", _YES_NO),
    "PriorityFlags": _priority_flags,
    "AccountingStorageEnforce": _enforce,
    "EnforcePartLimits": _one_of("enforce_part_limits", {"NO": "NO", "YES": "ALL", "ANY": "ANY", "ALL": "ALL"}),
    "KillWait": _seconds("kill_wait"),
    "CompleteWait": _seconds("complete_wait"),
    "OverTimeLimit": _seconds("over_time_limit", units.MINUTE),
    "SlurmdTimeout": _seconds("slurmd_timeout"),
    "ReturnToService": _one_of("return_to_service", {"0": 0, "1": 1, "2": 2}),
    "JobRequeue": _one_of("job_requeue", {"1": True, "0": False}),
    "SelectType": _must_be("select/cons_tres"),
    "SelectTypeParameters": _select,
    "PreemptType": _one_of("preempt_type", _same("preempt/none", "preempt/qos", "preempt/partition_prio")),
    "PreemptMode": _preempt_mode,
    "PreemptExemptTime": _period("preempt_exempt"),
    "SchedulerTimeSlice": _seconds("time_slice", low=5),
    "MaxArraySize": _seconds("max_array_size", low=1),
}
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
    pack_serial_at_end partition_job_depth preempt_send_user_signal
    reduce_completing_frag requeue_setup_env_fail salloc_wait_nodes sbatch_wait_nodes sched_max_job_start
    spec_cores_first step_retry_count step_retry_time time_min_as_soft_limit whole_hetjob whole_pack""")
# For readers of slurm.conf: the keys read here, and the legal ones that are not modelled.
MODELLED, NOT_MODELLED, OPTIONS_NOT_MODELLED = frozenset(_KEYS), _UNMODELLED, _UNMODELLED_OPTIONS
