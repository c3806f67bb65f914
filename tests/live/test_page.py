"""The door for the browser: JSON in, JSON out, never an exception, nothing beyond the standard library and SimPy."""
from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clustersim import experiments, page
from clustersim.experiments.base import Choice, Experiment, Outcome, Slider, Table, Toggle
from clustersim.figures import PALETTE

SCRIPTS = Path(__file__).resolve().parents[2] / "site" / "live"
EMPTY = Outcome("nothing", (), Table("none", (), ()))


def answer(text: str) -> dict[str, Any]:
    data = json.loads(text)
    assert isinstance(data, dict)
    return data


def made(monkeypatch: pytest.MonkeyPatch, run: Any, *controls: Any) -> None:
    """Put an experiment of the test's own in the place of all others."""
    monkeypatch.setattr(experiments, "experiment", lambda _name: Experiment("own", "Own", "A caption", controls, run))


@pytest.mark.parametrize("name", experiments.IDS)
def test_every_experiment_is_described_and_runs_on_its_own_defaults(name: str) -> None:
    about = answer(page.describe(name))
    assert about["ok"] and about["id"] == name
    defaults = {control["name"]: control["default"] for control in about["controls"]}
    assert defaults == experiments.experiment(name).defaults()
    again = answer(page.run(name, json.dumps(defaults)))
    assert {key: again[key] for key in ("summary", "figures", "table")} == about["outcome"]
    assert about["outcome"]["summary"] and about["outcome"]["table"]["rows"]


@pytest.mark.parametrize("name", experiments.IDS)
def test_every_figure_has_words_and_names_its_rows(name: str) -> None:
    for figure in answer(page.describe(name))["outcome"]["figures"]:
        assert figure["alt"].strip() and figure["title"].strip()
        text = json.dumps(figure["spec"])
        assert "datasets" not in figure["spec"], "rows travel beside the specification"
        for dataset in figure["data"]:
            assert f'"name": "{dataset}"' in text


@pytest.mark.parametrize("name", experiments.IDS)
def test_the_names_of_figures_do_not_depend_on_the_setting(name: str) -> None:
    which = experiments.experiment(name)
    first = [figure["name"] for figure in answer(page.run(name))["figures"]]
    for control in which.controls:
        ends = (control.low, control.high) if isinstance(control, Slider) else \
            [value for value, _label in control.options] if isinstance(control, Choice) else (True, False)
        for value in ends:
            got = answer(page.run(name, json.dumps({control.name: value})))
            assert got["ok"], got
            assert [figure["name"] for figure in got["figures"]] == first


@pytest.mark.parametrize("name", experiments.IDS)
def test_colours_follow_the_style_sheet(name: str) -> None:
    text = json.dumps([figure["spec"] for figure in answer(page.describe(name))["outcome"]["figures"]])
    assert "var(--cs-ink, #" in text
    assert text.count("#") == text.count("var(--cs-"), "a colour outside the palette does not follow the dark theme"


@pytest.mark.parametrize("name", experiments.IDS)
def test_rows_carry_no_colour(name: str) -> None:
    text = json.dumps([figure["data"] for figure in answer(page.describe(name))["outcome"]["figures"]])
    assert not [colour for colour in PALETTE.values() if colour in text]


def test_settings_become_the_defaults() -> None:
    about = answer(page.describe("backfill", '{"policy": "fcfs"}'))
    assert {c["name"]: c["default"] for c in about["controls"]}["policy"] == "fcfs"
    assert about["outcome"]["summary"] == answer(page.run("backfill", '{"policy": "fcfs"}'))["summary"]


@pytest.mark.parametrize(("settings", "hint"), [
    ("{", "the setting"), ("[1]", "the setting"), ('{"nosuch": 1}', "nosuch"), ('{"policy": "lifo"}', "fcfs"),
    ('{"jobs": 1e9}', "1000"), ('{"jobs": NaN}', "1000"), ('{"jobs": null}', "1000"), ('{"jobs": "many"}', "1000"),
])
def test_a_bad_setting_is_answered_with_a_clear_message(settings: str, hint: str) -> None:
    for door in (page.describe, page.run):
        got = answer(door("backfill", settings))
        assert got["ok"] is False
        assert hint in got["error"] and "Traceback" not in got["error"]


def test_an_unknown_experiment_is_answered_with_the_known_ones() -> None:
    for door in (page.describe, page.run):
        got = answer(door("nosuch"))
        assert got["ok"] is False
        assert all(name in got["error"] for name in ("nosuch", *experiments.IDS))


def test_a_fault_of_the_simulation_is_a_message_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_settings: object) -> Outcome:
        raise ZeroDivisionError("by\nzero")
    made(monkeypatch, broken)
    got = answer(page.run("own"))
    assert got["ok"] is False and "ZeroDivisionError: by zero" in got["error"]


def test_a_number_that_json_cannot_say_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    made(monkeypatch, lambda _settings: Outcome(float("nan"), (), EMPTY.table))  # type: ignore[arg-type]
    assert answer(page.run("own"))["ok"] is False


def test_controls_carry_what_the_page_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    made(monkeypatch, lambda _settings: EMPTY, Slider("gpus", "GPUs", 1, 8, 1, 4, "GPUs"),
         Slider("load", "Load", 0, 1, 0.05, 0.5, "h"), Toggle("on", "On", True, "help"))
    gpus, load, toggle = answer(page.describe("own"))["controls"]
    assert (gpus["kind"], gpus["decimals"], gpus["unit"], gpus["spoken"]) == ("slider", 0, ["GPU", "GPUs"], ["GPU", "GPUs"])
    assert (load["decimals"], load["unit"], load["spoken"]) == (2, ["h", "h"], ["hour", "hours"])
    assert (toggle["kind"], toggle["default"], toggle["help"]) == ("toggle", True, "help")


def test_nothing_compiled_is_imported() -> None:
    """Pyodide's own distribution is not shipped: the page must do with Python's own library and SimPy."""
    code = ("import sys; before = set(sys.modules); from clustersim import page, experiments\n"
            "for name in experiments.IDS: page.run(name)\n"
            "known = {'clustersim', 'simpy'} | set(sys.stdlib_module_names)\n"
            "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before} - known))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_scripts_say_only_what_python_translates() -> None:
    scripts = "".join(path.read_text("utf-8") for path in SCRIPTS.glob("*js"))
    named = set(re.findall(r"words\.(?!mjs)(\w+)", scripts)) | set(re.findall(r'CannotStart\("(\w+)"', scripts))
    named |= {f"loading_{stage}" for stage in re.findall(r'"(\w+)"', re.findall(r"STAGES = \[(.*?)\]", scripts)[0])}
    assert named == set(page.words())
