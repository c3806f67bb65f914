"""The living cluster on the first page: paused at first, playable by keyboard, true to its table."""
from __future__ import annotations

from typing import Any

import pytest
from book_pages import FIRST

SMALLEST = 44  # px of what a finger must hit


@pytest.fixture(scope="module")
def found(check: Any) -> dict[str, Any]:
    result: dict[str, Any] = check("cluster.mjs", page=FIRST)
    return result


@pytest.fixture(scope="module")
def play(found: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = found["play"]
    return result


def test_paused_at_first(play: dict[str, Any]) -> None:
    assert play["first"] == play["later"]
    assert play["first"]["held"] == play["first"]["busy"] > 0


def test_plays_and_pauses_by_keyboard(play: dict[str, Any]) -> None:
    assert play["playing"]["clock"] != play["first"]["clock"]
    assert play["playing"]["button"] != play["first"]["button"] == play["paused"]["button"]
    assert play["paused"] == play["still"]


def test_scrubs_by_keyboard_and_says_the_clock(play: dict[str, Any]) -> None:
    assert play["home"]["clock"] == "00:00" and play["home"]["spoken"].startswith("00:00")
    assert play["step"]["clock"] == "00:05" and play["step"]["spoken"].startswith("00:05")
    assert play["step"]["label"] == play["step"]["spoken"], "the picture's name follows"


def test_moments_lead_where_they_say(play: dict[str, Any]) -> None:
    assert len(play["moments"]) == 3
    for moment in play["moments"]:
        assert moment["pressed"].startswith(moment["clock"])
        assert moment["said"] == moment["spoken"]


def test_the_player_agrees_with_the_table_at_every_hour(play: dict[str, Any]) -> None:
    assert len(play["hours"]) >= 12
    for row in play["hours"]:
        assert row["player"] == row["table"]


def test_large_enough_to_hit_and_without_error(play: dict[str, Any]) -> None:
    assert min(play["sizes"]) >= SMALLEST
    assert play["errors"] == []


def test_reduced_motion_steps_instead(found: dict[str, Any]) -> None:
    calm = found["calm"]
    assert calm["first"]["button"] == calm["next"]["button"] != found["play"]["first"]["button"]
    assert calm["next"] != calm["first"] and calm["next"] == calm["later"]
    assert calm["speed"] is False
