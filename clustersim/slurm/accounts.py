"""QOS, accounts and associations as read from the ``accounting`` section, with their limits."""
from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from clustersim import units
from clustersim.errors import InputError, UnsupportedError
from clustersim.messages import _
from clustersim.slurm.schema import Section, suggest, whole

TRES_NAMES = ("cpu", "gres/gpu", "node")


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits under sacctmgr's names; ``None`` or an empty mapping is no limit. ``max_wall`` is minutes."""

    grp_tres: dict[str, int] = field(default_factory=dict)
    grp_jobs: int | None = None
    grp_submit: int | None = None
    max_tres_per_job: dict[str, int] = field(default_factory=dict)
    max_tres_per_node: dict[str, int] = field(default_factory=dict)
    max_tres_per_user: dict[str, int] = field(default_factory=dict)
    max_tres_per_account: dict[str, int] = field(default_factory=dict)
    min_tres_per_job: dict[str, int] = field(default_factory=dict)
    max_jobs: int | None = None  # of an association; of a QOS: per user
    max_jobs_per_account: int | None = None
    max_submit: int | None = None
    max_submit_per_account: int | None = None
    max_wall: int | None = None


@dataclass(frozen=True, slots=True)
class Qos:
    """One quality of service. ``preempt`` names the QOS it may preempt."""

    name: str
    priority: int = 0
    preempt: frozenset[str] = frozenset()
    preempt_mode: str = ""  # "": that of the cluster
    within: bool = False  # its jobs may preempt each other by priority
    grace: int = 0  # seconds
    flags: frozenset[str] = frozenset()
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Account:
    """One account below root or below ``parent``."""

    name: str
    parent: str = ""
    shares: int = 1
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Association:
    """One user in one account. ``qos`` empty: those of the cluster (``normal``)."""

    user: str
    account: str
    shares: int = 1
    qos: tuple[str, ...] = ()
    default_qos: str = ""
    limits: Limits = Limits()


@dataclass(frozen=True)
class Accounting:
    """What slurmdbd would know. Empty when the workload has no accounting."""

    qos: dict[str, Qos] = field(default_factory=lambda: {"normal": Qos("normal")})
    accounts: dict[str, Account] = field(default_factory=dict)
    associations: dict[tuple[str, str], Association] = field(default_factory=dict)

    def association(self, user: str, account: str) -> Association | None:
        """The association of ``user`` in ``account``; without an account the user's first one."""
        if account:
            return self.associations.get((user, account))
        return self._first.get(user)

    @cached_property
    def _first(self) -> dict[str, Association]:
        return {one.user: one for one in reversed(self.associations.values())}


def read_accounting(section: Section) -> Accounting:
    """The ``accounting`` section; names that are not declared are errors."""
    section.only("qos accounts users")
    qos = {"normal": Qos("normal")}
    later: list[tuple[Section, Qos]] = []
    for item in section.sections("qos"):
        one = _qos(item)
        if one.name in {other.name for _item, other in later}:
            raise InputError(item.where("name"), one.name, _("a name that no other QOS has"))
        qos[one.name] = one
        later.append((item, one))
    for item, one in later:
        for name in sorted(one.preempt):
            if name not in qos:
                raise InputError(item.where("preempt"), name, _("a QOS of this file"), suggest(name, qos))
    accounts: dict[str, Account] = {}
    for item in section.sections("accounts"):
        account = Account(item.text("name"), item.text("parent", ""), _shares(item), _limits(item))
        if account.parent and account.parent != "root" and account.parent not in accounts:
            hint = suggest(account.parent, accounts)
            raise InputError(item.where("parent"), account.parent, _("an account named before"), hint)
        item.finish(("description", "organization"))
        if account.name in accounts:
            raise InputError(item.where("name"), account.name, _("a name that no other account has"))
        accounts[account.name] = account
    associations: dict[tuple[str, str], Association] = {}
    for item in section.sections("users"):
        one_user = _user(item, accounts, qos)
        if (one_user.user, one_user.account) in associations:
            raise InputError(item.where("name"), one_user.user, _("each user once in an account"))
        associations[one_user.user, one_user.account] = one_user
    return Accounting(qos, accounts, associations)


def _qos(item: Section) -> Qos:
    """One QOS. The mode ``off`` is stored as 0, which means none of its own: the cluster's holds. ``within`` beside a mode lets
    its jobs preempt each other; alone it leaves them no mode, so that nobody can preempt them (``preempt_qos.c``)."""
    words = item.text("preemptmode", "").upper().split(",")
    mode, within = ",".join(word for word in words if word != "WITHIN") or "", "WITHIN" in words
    if mode not in {"", "CLUSTER", "OFF", "CANCEL", "REQUEUE", "SUSPEND"}:
        raise InputError(item.where("preemptmode"), mode, "cluster, off, cancel, requeue, suspend, within")
    flags = frozenset(filter(None, item.text("flags", "").split(",")))
    for flag in sorted(flags - {"DenyOnLimit"}):
        raise UnsupportedError(item.where("flags"), flag)
    qos = Qos(
        name=item.text("name"), priority=item.integer("priority", 0, high=2**31), limits=_limits(item), flags=flags,
        preempt=frozenset(filter(None, item.text("preempt", "").split(","))),
        preempt_mode="OFF" if within and not mode else "" if mode in {"CLUSTER", "OFF"} else mode, within=within,
        grace=max(item.integer(key, 0) for key in ("gracetime", "GraceTime")))
    item.finish()
    return qos


def _user(item: Section, accounts: dict[str, Account], qos: dict[str, Qos]) -> Association:
    account = item.text("account")
    if account not in accounts:
        raise InputError(item.where("account"), account, _("an account of this file"), suggest(account, accounts))
    allowed = tuple(filter(None, (name.strip() for name in item.text("qos", "").split(","))))
    default = item.text("defaultqos", "")
    for key, names in (("qos", allowed), ("defaultqos", (default,) if default else ())):
        for name in names:
            if name not in qos:
                raise InputError(item.where(key), name, _("a QOS of this file"), suggest(name, qos))
    user = Association(item.text("name"), account, _shares(item), allowed, default, _limits(item))
    item.finish()
    return user


def _shares(item: Section) -> int:
    return item.integer("fairshare", 1, high=2**31)


_SUBMIT = ("MaxSubmitJobs", "MaxSubmitJobsPerUser", "MaxSubmitPU")
_JOBS = ("MaxJobs", "MaxJobsPerUser", "MaxJobsPU")


def _limits(item: Section) -> Limits:
    counts = {key: item.integer(key) for key in (*_SUBMIT, *_JOBS, "GrpJobs", "GrpSubmitJobs", "MaxJobsPerAccount", "MaxJobsPA",
                                                 "MaxSubmitJobsPerAccount", "MaxSubmitPA") if key in item}
    tres = {key: _tres(item, key) for key in _TRES_KEYS if key in item}
    for key in _UNMODELLED:
        if key in item:
            raise UnsupportedError(item.where(key), key)
    wall = next((units.parse_slurm_minutes(str(item.raw(key)), item.where(key))
                 for key in ("MaxWall", "MaxWallDurationPerJob") if key in item), None)

    def first(*keys: str) -> int | None:
        return next((counts[key] for key in keys if key in counts), None)

    def group(*keys: str) -> dict[str, int]:
        return next((tres[key] for key in keys if key in tres), {})

    return Limits(
        grp_tres=group("GrpTRES"), grp_jobs=first("GrpJobs"), grp_submit=first("GrpSubmitJobs"),
        max_tres_per_job=group("MaxTRES", "MaxTRESPerJob", "MaxTRESPJ"), max_tres_per_node=group("MaxTRESPerNode", "MaxTRESPN"),
        max_tres_per_user=group("MaxTRESPerUser", "MaxTRESPU"), max_tres_per_account=group("MaxTRESPerAccount", "MaxTRESPA"),
        min_tres_per_job=group("MinTRES", "MinTRESPerJob"), max_jobs=first(*_JOBS), max_submit=first(*_SUBMIT), max_wall=wall,
        max_jobs_per_account=first("MaxJobsPerAccount", "MaxJobsPA"),
        max_submit_per_account=first("MaxSubmitJobsPerAccount", "MaxSubmitPA"))


_TRES_KEYS = ("GrpTRES", "MaxTRES", "MaxTRESPerJob", "MaxTRESPJ", "MaxTRESPerNode", "MaxTRESPN", "MaxTRESPerUser", "MaxTRESPU",
              "MaxTRESPerAccount", "MaxTRESPA", "MinTRES", "MinTRESPerJob")
_UNMODELLED = ("GrpTRESMins", "GrpTRESRunMins", "GrpWall", "MaxTRESMins", "MaxTRESRunMins", "MaxTRESMinsPerJob", "UsageFactor",
               "UsageThreshold", "PreemptExemptTime", "MinPrioThreshold", "GrpJobsAccrue", "MaxJobsAccrue")


def _tres(item: Section, key: str) -> dict[str, int]:
    limits = {}
    for part in item.text(key).split(","):
        name, _sign, count = part.strip().partition("=")
        if name not in TRES_NAMES:
            raise InputError(item.where(key), name, _("one of {options}").format(options=", ".join(TRES_NAMES)))
        number = whole(count)
        if number is None:
            raise InputError(item.where(key), part, _("{name} with a count, such as {name}=4").format(name=name))
        limits[name] = number
    return limits
