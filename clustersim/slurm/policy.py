"""Limits of QOS and associations: may this job start, and if not, what is the reason?

Source: facts, section 7; ``acct_policy_job_runnable_pre_select`` and ``..._post_select`` in
``src/slurmctld/acct_policy.c`` of Slurm 22.05. The first limit broken gives the reason; the QOS comes before the
association and overrides it.
"""
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from clustersim.slurm.accounts import TRES_NAMES, Accounting, Limits
from clustersim.slurm.jobs import Job, bits_of
from clustersim.slurm.settings import Settings

_WORD = {"cpu": "Cpu", "gres/gpu": "GRES", "node": "Node"}
# squeue's names are not regular: GRES limits have no "Limit" at the end.
_REASONS = {
    "grp_qos": {"cpu": "QOSGrpCpuLimit", "gres/gpu": "QOSGrpGRES", "node": "QOSGrpNodeLimit"},
    "job_qos": {"cpu": "QOSMaxCpuPerJobLimit", "gres/gpu": "QOSMaxGRESPerJob", "node": "QOSMaxNodePerJobLimit"},
    "node_qos": {"cpu": "QOSMaxCpuPerNode", "gres/gpu": "QOSMaxGRESPerNode", "node": "QOSMaxNodePerJobLimit"},
    "min_qos": {"cpu": "QOSMinCpuNotSatisfied", "gres/gpu": "QOSMinGRES", "node": "QOSMinNode"},
    "account_qos": {"cpu": "MaxCpuPerAccount", "gres/gpu": "MaxGRESPerAccount", "node": "MaxNodePerAccount"},
    "user_qos": {"cpu": "QOSMaxCpuPerUserLimit", "gres/gpu": "QOSMaxGRESPerUser", "node": "QOSMaxNodePerUserLimit"},
    "grp_assoc": {"cpu": "AssocGrpCpuLimit", "gres/gpu": "AssocGrpGRES", "node": "AssocGrpNodeLimit"},
    "job_assoc": {"cpu": "AssocMaxCpuPerJobLimit", "gres/gpu": "AssocMaxGRESPerJob", "node": "AssocMaxNodePerJobLimit"},
    "node_assoc": {"cpu": "AssocMaxCpuPerNode", "gres/gpu": "AssocMaxGRESPerNode", "node": "AssocMaxNodePerJobLimit"},
}
LIMIT_REASONS = frozenset(name for names in _REASONS.values() for name in names.values()) | {
    "QOSGrpJobsLimit", "MaxJobsPerAccount", "QOSMaxJobsPerUserLimit", "QOSMaxWallDurationPerJobLimit", "AssocGrpJobsLimit",
    "AssocMaxJobsLimit", "AssocMaxWallDurationPerJobLimit",
}


@dataclass(slots=True)
class Usage:
    """What runs (or waits, for ``submitted``) under one QOS, association or account.

    A node on which several of its jobs run counts once (``_add_usage_node_bitmap``): ``shared`` says how many they are.
    """

    jobs: int = 0
    submitted: int = 0
    tres: Counter[str] = field(default_factory=Counter)
    nodes: int = 0  # as a bit set
    shared: Counter[int] = field(default_factory=Counter)

    def count_nodes(self, bits: int, sign: int) -> None:
        for i in bits_of(bits):
            self.shared[i] += sign
            if self.shared[i]:
                self.nodes |= 1 << i
            else:
                self.nodes &= ~(1 << i)
        self.tres["node"] = self.nodes.bit_count()


class Policy:
    """Counts what runs and answers with the reason of the first limit that a start would break ("" if none)."""

    def __init__(self, accounting: Accounting, settings: Settings) -> None:
        self.accounting, self.settings = accounting, settings
        self.usage: dict[tuple[str, ...], Usage] = {}
        limits = [one.limits for one in accounting.qos.values()] + [one.limits for one in accounting.accounts.values()]
        limits += [one.limits for one in accounting.associations.values()]
        self.any = settings.limits and any(one != Limits() for one in limits)  # else nothing need be counted

    def _of(self, *key: str) -> Usage:
        return self.usage.setdefault(key, Usage())

    def _keys(self, job: Job) -> list[tuple[str, ...]]:
        user = job.spec.user
        keys: list[tuple[str, ...]] = [("qos", job.qos), ("qos-user", job.qos, user), ("qos-account", job.qos, job.account)]
        keys.append(("assoc", user, job.account))
        keys += [("account", name) for name in self._accounts(job)]
        return keys

    def _accounts(self, job: Job) -> list[str]:
        names, name = [], job.account
        while name in self.accounting.accounts:
            names.append(name)
            name = self.accounting.accounts[name].parent
        return names

    def count_submit(self, job: Job, sign: int = 1) -> None:
        for key in self._keys(job) if self.any else ():
            self._of(*key).submitted += sign

    def count_run(self, job: Job, tres: dict[str, int], nodes: int, sign: int = 1) -> None:
        """A run with these amounts on these nodes (a bit set) begins, or with ``sign`` -1 ends."""
        for key in self._keys(job) if self.any else ():
            usage = self._of(*key)
            usage.jobs += sign
            for name, count in tres.items():
                usage.tres[name] += sign * count
            usage.count_nodes(nodes, sign)

    def refuse_submit(self, job: Job, count: int) -> str:
        """The limit on submitted jobs (always enforced at submission) that ``count`` more would break, "" if none."""
        if not self.any:
            return ""
        qos, user = self.accounting.qos[job.qos].limits, job.spec.user
        checks: list[tuple[str, int | None, tuple[str, ...]]] = [
            ("QOSGrpSubmitJobsLimit", qos.grp_submit, ("qos", job.qos)),
            ("MaxSubmitJobsPerAccount", qos.max_submit_per_account, ("qos-account", job.qos, job.account)),
            ("QOSMaxSubmitJobPerUserLimit", qos.max_submit, ("qos-user", job.qos, user))]
        assoc = self.accounting.associations.get((user, job.account))
        if assoc:
            checks.append(("AssocMaxSubmitJobLimit", assoc.limits.max_submit, ("assoc", user, job.account)))
        checks += [("AssocGrpSubmitJobsLimit", self.accounting.accounts[name].limits.grp_submit, ("account", name))
                   for name in self._accounts(job)]
        return next((name for name, most, key in checks if most is not None and self._of(*key).submitted + count > most), "")

    def deny_on_limit(self, job: Job) -> str:
        """QOS flag ``DenyOnLimit``: what could never run under the per-job limits is refused at submission; the limit."""
        qos = self.accounting.qos[job.qos]
        if not self.any or "DenyOnLimit" not in qos.flags:
            return ""
        wall = "QOSMaxWallDurationPerJobLimit" if self._over_wall(qos.limits, job) else ""
        return wall or self._static(qos.limits, job, self.request(job), "qos")

    def before(self, job: Job) -> str:
        """Limits that need no placement: numbers of jobs and time limits."""
        if not self.any:
            return ""
        qos, user = self.accounting.qos[job.qos].limits, job.spec.user
        if _reached(qos.grp_jobs, self._of("qos", job.qos)):
            return "QOSGrpJobsLimit"
        if _reached(qos.max_jobs_per_account, self._of("qos-account", job.qos, job.account)):
            return "MaxJobsPerAccount"
        if _reached(qos.max_jobs, self._of("qos-user", job.qos, user)):
            return "QOSMaxJobsPerUserLimit"
        if self._over_wall(qos, job):
            return "QOSMaxWallDurationPerJobLimit"
        return self._assoc_before(job, qos)

    def _assoc_before(self, job: Job, qos: Limits) -> str:
        assoc = self.accounting.associations.get((job.spec.user, job.account))
        if not assoc:
            return ""
        if qos.grp_jobs is None and _reached(assoc.limits.grp_jobs, self._of("assoc", job.spec.user, job.account)):
            return "AssocGrpJobsLimit"
        names = self._accounts(job)
        inherited = [self.accounting.accounts[name].limits for name in names]
        most = next((one.max_jobs for one in (assoc.limits, *inherited) if one.max_jobs is not None), None)
        if qos.max_jobs is None and _reached(most, self._of("assoc", job.spec.user, job.account)):
            return "AssocMaxJobsLimit"
        wall = next((one for one in (assoc.limits, *inherited) if one.max_wall is not None), None)
        if qos.max_wall is None and wall and self._over_wall(wall, job):
            return "AssocMaxWallDurationPerJobLimit"
        for name, limits in zip(names, inherited, strict=True):
            if qos.grp_jobs is None and _reached(limits.grp_jobs, self._of("account", name)):
                return "AssocGrpJobsLimit"
        return ""

    def after(self, job: Job, tres: dict[str, int], nodes: int) -> str:
        """Limits on amounts, for a placement (or the request, if none is known) of ``tres``.

        ``nodes`` are those of the placement, else those the job requires: where the group runs already they cost it nothing
        (``_get_unique_job_node_cnt``; measured: limits_grp_and_user).
        """
        if not self.any:
            return ""
        qos, user = self.accounting.qos[job.qos].limits, job.spec.user
        return (_over(qos.grp_tres, tres, self._of("qos", job.qos), "grp_qos", nodes)
                or self._static(qos, job, tres, "qos")
                or _over(qos.max_tres_per_account, tres, self._of("qos-account", job.qos, job.account), "account_qos", nodes)
                or _over(qos.max_tres_per_user, tres, self._of("qos-user", job.qos, user), "user_qos", nodes)
                or self._assoc_after(job, qos, tres, nodes))

    def _assoc_after(self, job: Job, qos: Limits, tres: dict[str, int], nodes: int) -> str:
        assoc = self.accounting.associations.get((job.spec.user, job.account))
        if not assoc:
            return ""
        chain: list[tuple[Limits, tuple[str, ...]]] = [(assoc.limits, ("assoc", job.spec.user, job.account))]
        chain += [(self.accounting.accounts[name].limits, ("account", name)) for name in self._accounts(job)]
        for limits, key in chain:
            grp = {name: most for name, most in limits.grp_tres.items() if name not in qos.grp_tres}
            reason = _over(grp, tres, self._of(*key), "grp_assoc", nodes) or self._static(limits, job, tres, "assoc", qos)
            if reason:
                return reason
        return ""

    def _static(self, limits: Limits, job: Job, tres: dict[str, int], kind: str, qos: Limits | None = None) -> str:
        nodes = max(tres["node"], 1)
        per_node = {name: count // nodes for name, count in tres.items()}
        job_limits = {n: m for n, m in limits.max_tres_per_job.items() if not qos or n not in qos.max_tres_per_job}
        reason = _over(job_limits, tres, None, f"job_{kind}") or _over(limits.max_tres_per_node, per_node, None, f"node_{kind}")
        if not reason and kind == "qos":
            low = next((name for name in TRES_NAMES if tres[name] < limits.min_tres_per_job.get(name, 0)), None)
            reason = _REASONS["min_qos"][low] if low else ""
        return reason

    def _over_wall(self, limits: Limits, job: Job) -> bool:
        return limits.max_wall is not None and job.limit is not None and job.limit > limits.max_wall

    def request(self, job: Job) -> dict[str, int]:
        """What the job asks for when no placement is known."""
        spec = job.spec
        return {"cpu": job.total_cpus or spec.shape.min_cpus, "gres/gpu": spec.shape.gpus, "node": spec.shape.min_nodes}


def _reached(most: int | None, usage: Usage) -> bool:
    return most is not None and usage.jobs >= most


def _over(limits: dict[str, int], tres: dict[str, int], usage: Usage | None, kind: str, nodes: int = 0) -> str:
    for name in TRES_NAMES:
        if name not in limits:
            continue
        more = tres[name] + (usage.tres[name] if usage else 0)
        if usage and name == "node":
            more -= min((nodes & usage.nodes).bit_count(), tres[name])
        if more > limits[name]:
            return _REASONS[kind][name]
    return ""
