"""A value in an address means the same to the page script as to the experiment, and survives the way there and back."""
from __future__ import annotations

import json
from typing import Any

import program
import pytest

from clustersim import experiments, page
from clustersim.errors import InputError
from clustersim.experiments.base import Choice, Control, Slider

ODD = ["", " ", "nosuch", "NaN", "Infinity", "-1", "1e3", "0x10", "99999999999999", "<b>", "null", "1,5", "--1"]


def texts(control: Control) -> list[str]:
    """Good values, values between the steps, values past the ends, and nonsense."""
    if isinstance(control, Slider):
        steps = [control.low, control.high, control.low + control.step, control.low + 1.4 * control.step, control.default]
        past = [control.low - control.step, control.high + control.step]
        return [f"{value:.6f}".rstrip("0").rstrip(".") for value in (*steps, *past)] + ODD
    if isinstance(control, Choice):
        return [value for value, _label in control.options] + ODD
    return ["true", "false", "1", "0", *ODD]


def meant(control: Control, text: str) -> Any:
    try:
        return control.check(text)
    except InputError:
        return None


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    about = [json.loads(page.describe(name)) for name in experiments.IDS]
    wanted = {name: {c.name: texts(c) for c in experiments.experiment(name).controls} for name in experiments.IDS}
    slim = [{"id": a["id"], "controls": a["controls"]} for a in about]
    return program.node_json("address.mjs", {"experiments": slim, "texts": wanted})


@pytest.mark.parametrize("name", experiments.IDS)
def test_the_page_takes_what_the_experiment_takes(found: dict[str, Any], name: str) -> None:
    for control in experiments.experiment(name).controls:
        for text, value in zip(texts(control), found["values"][name][control.name], strict=True):
            # The page is stricter about spelling: plain numbers only. What it takes, it takes as the experiment does.
            if value is not None:
                assert value == meant(control, text), (control.name, text)
            elif text not in ODD:
                assert meant(control, text) is None, (control.name, text)


@pytest.mark.parametrize("name", experiments.IDS)
def test_there_and_back(found: dict[str, Any], name: str) -> None:
    trip = found["round"][name]
    assert trip["back"] == trip["setting"] and trip["ignored"] == []
    assert "keep=1" in trip["address"] and trip["address"].endswith("#place")
