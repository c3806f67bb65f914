"""Feature constraints (``sbatch --constraint``): ``a``, ``a&b``, ``a|b``, ``[a|b]``, counts such as ``a*2`` or ``[a*2&b*1]``.

Source: sbatch(1), ``--constraint``; ``build_feature_list`` (``job_scheduler.c``) and ``_get_req_features``
(``node_scheduler.c``) of Slurm 22.05, and measured: a count asks for that many nodes with the feature among the job's nodes.
In brackets each count takes nodes of its own. Without them the nodes of one count must also have the feature of the next,
and features without a count are passed over beside one with a count. ``[a|b]`` asks for nodes that are alike: those of the
first feature with which the job can start, or, in backfill's plan, with which it starts first (``_pick_best_nodes``,
``_try_sched`` in ``backfill.c``; measured: features_alike).
"""
from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from clustersim.errors import InputError, UnsupportedError
from clustersim.messages import _


@dataclass(frozen=True, slots=True)
class Constraint:
    """``any_of`` lists conjunctions of features; ``counts`` lists (feature, nodes that must have it)."""

    any_of: tuple[frozenset[str], ...] = ()
    counts: tuple[tuple[str, int], ...] = ()
    bracketed: bool = False
    passed_over: frozenset[str] = frozenset()
    alike: tuple[str, ...] = ()  # all nodes must have the same one of these

    def names(self) -> set[str]:
        return {name for group in self.any_of for name in group} | {name for name, _count in self.counts} | self.passed_over

    @property
    def legal(self) -> bool:
        """sbatch refuses brackets in which a feature has no count."""
        return not (self.bracketed and self.passed_over)

    def nodes(self, with_feature: dict[str, int], every: int) -> int:
        """The nodes (as a bit set) that fulfil the constraint; those of a count alone stay all nodes."""
        if not self.any_of:
            return every
        found = 0
        for group in self.any_of:
            fitting = every
            for name in group:
                fitting &= with_feature.get(name, 0)
            found |= fitting
        return found


def parse_constraint(text: str, where: str = "constraint") -> Constraint:
    """``text`` as a :class:`Constraint`; parentheses are not modelled.

    >>> parse_constraint("cpu&new").any_of == (frozenset({"cpu", "new"}),)
    True
    >>> parse_constraint("[cpu*2&new*1]").counts
    (('cpu', 2), ('new', 1))
    """
    if not text.strip():
        return Constraint()
    bracketed = re.fullmatch(r"\[([^\[\]()|]*\*[^\[\]()|]*)\]", text.strip())
    if bracketed:
        text = bracketed[1]
    alike = re.fullmatch(r"\[([A-Za-z][\w.=-]*(?:\|[A-Za-z][\w.=-]*)+)\]", text.strip())
    if alike:
        names = tuple(alike[1].split("|"))
        return Constraint(tuple(frozenset({name}) for name in names), alike=names)
    if re.search(r"[\[\]()]", text):
        raise UnsupportedError(where, text)
    plain: list[frozenset[str]] = []
    counts: list[tuple[str, int]] = []
    for group in text.split("|"):
        joined = []
        for part in group.split("&"):
            match = re.fullmatch(r"([A-Za-z][\w.=-]*)(?:\*(\d{1,9}))?", part.strip())
            if not match:
                raise InputError(where, text, _("features such as a, a&b, a|b or a*2"))
            if match[2]:
                counts.append((match[1], int(match[2])))
            else:
                joined.append(match[1])
        if joined:
            plain.append(frozenset(joined))
    if counts and "|" in text:
        raise UnsupportedError(where, text)
    if counts:
        return Constraint((), tuple(counts), bool(bracketed), frozenset(name for group in plain for name in group))
    return Constraint(tuple(plain))


def picks(text: str) -> bool:
    """Whether the constraint says more than which nodes suit."""
    return "*" in text or "[" in text


def feature_bits(features: Sequence[frozenset[str]]) -> dict[str, int]:
    """For each feature the nodes that have it, as a bit set over the positions of ``features``."""
    bits: dict[str, int] = {}
    for i, names in enumerate(features):
        for name in names:
            bits[name] = bits.get(name, 0) | 1 << i
    return bits
