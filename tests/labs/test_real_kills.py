"""The lab for real, as the book promises it: kills, the same loss, a prediction that holds, nothing left."""
from __future__ import annotations

import json
from pathlib import Path

import pytest

from labs.torchrun.account import KINDS
from labs.torchrun.settings import FEWEST
from tests.labs.running import lab

LIMIT_S = 240
# Short, hence a high rate. Seed 6 draws four kills, of both processes, and no fifth one near the end.
ARGUMENTS = ("torchrun", "--processes", "2", "--minutes", "1.2", "--rate", "10", "--seed", "6", "--json", "result.json")


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(600)
def test_goodput_is_as_predicted_and_the_loss_as_without_kills(tmp_path: Path) -> None:
    with lab(tmp_path, *ARGUMENTS) as running:
        output = "".join(running.lines_until("Young's formula"))
        assert running.process.wait(30) == 0, output
        assert running.processes() == []
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]

    result = json.loads((tmp_path / "result.json").read_text())
    measured = result["measured"]
    assert measured["kills"] >= FEWEST
    assert {kill["rank"] for kill in measured["each_kill"]} == {0, 1}
    assert measured["wall_s"] <= LIMIT_S
    assert abs(result["predicted"]["goodput"] - measured["goodput"]) <= 0.08, output
    assert f"{result['loss']['with_kills']:.6f}" == f"{result['loss']['undisturbed']:.6f}"
    assert 0 < result["loss"]["undisturbed"] < 0.2  # it did learn: untrained, it is 1.5

    spent = measured["spent_s"]
    assert set(spent) == set(KINDS)
    assert sum(spent.values()) == pytest.approx(measured["wall_s"], abs=1e-6)
    assert measured["goodput"] == pytest.approx(spent["work"] / measured["wall_s"])
    assert min(spent.values()) > 0
    for kill in measured["each_kill"]:
        assert kill["steps_lost"] <= result["settings"]["checkpoint_every"]
        assert 0 < kill["detection_s"] < 5

    said = (f"{measured['goodput']:.3f}", f"{result['loss']['with_kills']:.6f}", "step 260 of 260", "goes on after",
            "lost work", "detection", "restart", "checkpoints", "same to 6 decimals")
    assert [words for words in said if words not in output] == []
