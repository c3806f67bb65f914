"""The calculator's page: an address gives its result, a move is answered at once, the new address gives the new result."""
from __future__ import annotations

from statistics import median
from typing import Any

import pytest
from book_pages import MY_CLUSTER
from budgets import ALLOWANCE, CALCULATOR_MS

from clustersim.experiments import experiment

SHARED = {"gpus": 1024, "rate": 6.5, "storage": 2, "saves": "background", "find": 60}
GPUS = ["2048", "4096", "8192", "16384", "2048", "4096", "8192", "16384"]


@pytest.fixture(scope="module")
def found(check: Any) -> dict[str, Any]:
    query = "&".join(f"live.mine.{name}={value}" for name, value in SHARED.items())
    result: dict[str, Any] = check("mine.mjs", page=MY_CLUSTER, query=query, gpus=GPUS)
    return result


def test_an_address_gives_the_result_it_was_made_from(found: dict[str, Any]) -> None:
    one = experiment("my_cluster")
    assert found["opened"] == one(**SHARED).summary
    assert found["moved"] == found["shared"] == one(**{**SHARED, "gpus": int(GPUS[-1])}).summary
    assert found["opened"] != found["moved"]
    assert found["errors"] == found["elsewhere"] == []


def test_a_move_is_answered_at_once(found: dict[str, Any]) -> None:
    took = median(move["total"] for move in found["moves"])
    assert took <= ALLOWANCE * CALCULATOR_MS, f"{took:.0f} ms"
