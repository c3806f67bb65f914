"""How fast a control answers, with room for a machine that does other work too."""
from __future__ import annotations

from statistics import median
from typing import Any

from book_pages import BACKFILL
from budgets import ALLOWANCE, ANSWER_MS


def test_a_move_is_answered_in_time(check: Any) -> None:
    moves = check("timing.mjs", page=BACKFILL, jobs=list(ANSWER_MS), repeats=8)["moves"]
    for jobs, wanted in ANSWER_MS.items():
        took = median(move["total"] for move in moves[str(jobs)])
        assert took <= ALLOWANCE * wanted, f"{jobs} jobs: {took:.0f} ms"
