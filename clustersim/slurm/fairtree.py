"""Fair Tree: siblings sorted by shares / usage, depth first; the users' ranks give the fair-share factor.

Source: facts, section 2; ``src/plugins/priority/multifactor/fair_tree.c`` of Slurm 22.05.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import repeat
from math import inf
from operator import add, mul

from clustersim.slurm.accounts import Accounting
from clustersim.slurm.jobs import Job

DECAY = 0.693  # Slurm's value of ln 2


@dataclass(slots=True, eq=False)
class _Branch:
    """One account or user of the tree. ``place`` is its position in the tree's lists of numbers."""

    tree: FairTree
    name: str
    user: bool
    shares: int
    above: _Branch | None = None
    place: int = 0
    children: list[_Branch] = field(default_factory=list)
    share: float = 0.0  # of its parent's shares
    who: tuple[str, str] = ("", "")  # of a user: name and account

    @property
    def usage(self) -> float:
        """Core seconds, decayed."""
        return self.tree.usage[self.place]

    @usage.setter
    def usage(self, value: float) -> None:
        self.tree.own_usage()[self.place] = value


def _line(branch: _Branch | None) -> Iterator[int]:
    while branch is not None:
        yield branch.place
        branch = branch.above


class FairTree:
    """The usage of every user and account, and the ranking as of the last recalculation.

    Keys of branches are account names and ``user@account``; root's own user counts too (facts, section 2).
    ``half_life`` in seconds, 0: nothing decays. ``ends``: whether what a job used since the last recalculation is
    counted at its end; Slurm does so only where limits are enforced (``_adjust_limit_usage`` in ``acct_policy.c``).
    """

    def __init__(self, accounting: Accounting, half_life: int = 0, ends: bool = True) -> None:
        self.kept = 1 - DECAY / half_life if half_life else 1.0  # what a second leaves of usage
        self.ends = ends
        self.root = _Branch(self, "", False, 1)
        self.branches: dict[str, _Branch] = {}
        self._add(self.root)
        self._add(_Branch(self, "root@", True, 1, self.root, who=("root", "")))
        for account in accounting.accounts.values():
            parent = "" if account.parent in {"", "root"} else account.parent
            self._add(_Branch(self, account.name, False, account.shares, self.branches[parent]))
        for one in accounting.associations.values():
            self._add(_Branch(self, f"{one.user}@{one.account}", True, one.shares, self.branches[one.account],
                              who=(one.user, one.account)))
        for branch in self.branches.values():
            total = sum(child.shares for child in branch.children)
            for child in branch.children:
                child.share = child.shares / total if total else 0.0
        # of a user (name and account): the places of the branch and all above it
        self.lines = {branch.who: tuple(_line(branch)) for branch in self.branches.values() if branch.user}
        self.usage = [0.0] * len(self.branches)
        self.cores = [0] * len(self.branches)  # that run since before ``last``
        self.users = sum(branch.user for branch in self.branches.values())
        self.fresh: dict[str, tuple[tuple[int, ...], int, int]] = {}  # job that started since ``last`` -> line, cores, start
        self.last = 0
        self.rank()

    def _add(self, branch: _Branch) -> None:
        branch.place = len(self.branches)
        self.branches[branch.name] = branch
        if branch.above is not None:
            branch.above.children.append(branch)

    @property
    def factor(self) -> dict[tuple[str, str], float]:
        """(user, account) -> fair-share as of the last recalculation."""
        return self.ranking.factor

    def run(self, job: Job) -> None:
        """The job runs from its start on. A suspension changes nothing: its cores count on (``decay_apply_new_usage``)."""
        self.fresh[job.key] = (self._line_of(job), job.total_cpus, job.start)

    def _line_of(self, job: Job) -> tuple[int, ...]:
        return self.lines.get((job.spec.user, job.account), ())

    def end(self, job: Job, now: int) -> None:
        """The run is over: count what of it was not counted yet."""
        if job.key in self.fresh:
            line, cores, since = self.fresh.pop(job.key)
        else:
            line, cores, since = self._line_of(job), job.total_cpus, self.last
            for place in line:
                self.cores[place] -= cores
        if self.ends:
            self.own_usage()
            self._charge(line, cores, now - since)

    def grow(self, now: int) -> None:
        """Decay all usage since the last time and add what ran since; see ``_decay_thread`` and ``_apply_new_usage``."""
        passed = now - self.last
        factor = self.kept ** passed
        grown = map(add, self.usage, map(mul, self.cores, repeat(passed)))
        self.usage = list(map(mul, grown, repeat(factor)))
        for line, cores, start in self.fresh.values():
            self._charge(line, cores, now - start)
            for place in line:
                self.cores[place] += cores
        self.fresh, self.last = {}, now
        self.rank()

    def _charge(self, line: tuple[int, ...], cores: int, seconds: int) -> None:
        """Count so many seconds on these cores for a user and all accounts above; they have decayed like old ones."""
        amount, usage = cores * seconds * self.kept ** seconds, self.usage
        for place in line:
            usage[place] += amount

    def own_usage(self) -> list[float]:
        """The usage to change it: what a ranking has taken stays as it is."""
        if self.usage is self.ranking.usage:
            self.usage = self.usage.copy()
        return self.usage

    def rank(self) -> None:
        """Take the usage as it is for the ranking."""
        self.ranking = Ranking(self.root, self.users, self.usage)


class Ranking:
    """The tree at one usage. It is worked out when somebody asks: most recalculations come and go without."""

    def __init__(self, root: _Branch, users: int, usage: list[float]) -> None:
        self._root, self._users, self.usage = root, users, usage

    @cached_property
    def factor(self) -> dict[tuple[str, str], float]:
        """(user, account) -> fair-share: rank / number of user associations."""
        self._factor: dict[tuple[str, str], float] = {}
        self._next = self._rank = self._users
        self._walk(self._root.children, tied_with_parent=False)
        return self._factor

    def _walk(self, branches: list[_Branch], tied_with_parent: bool) -> None:
        siblings = [(-self.level(branch), not branch.user, i, branch) for i, branch in enumerate(branches)]
        siblings.sort()
        before: float | None = None
        skip = 0
        for i, (level, _account, _given, branch) in enumerate(siblings):
            if skip:
                skip -= 1
                continue
            tied = tied_with_parent if i == 0 and tied_with_parent else before == level
            if branch.user:
                if not tied:
                    self._rank = self._next
                self._factor[branch.who] = self._rank / self._users
                self._next -= 1
            else:
                while i + skip + 1 < len(siblings) and siblings[i + skip + 1][0] == level:
                    skip += 1  # of equals the users stand first, so these are accounts too
                self._walk([child for one in siblings[i:i + skip + 1] for child in one[3].children], tied)
            before = level

    def level(self, branch: _Branch) -> float:
        """``LevelFS``: the branch's part of the shares over its part of the usage, among its siblings."""
        if not branch.share or branch.above is None:
            return 0.0
        used = self.usage[branch.place]
        part = used / self.usage[branch.above.place] if used else 0.0
        return branch.share / part if part else inf
