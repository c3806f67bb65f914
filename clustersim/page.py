"""The door for the browser: plain functions of text, JSON in and JSON out.

:func:`describe` and :func:`run` never raise: whatever is wrong comes back as ``{"ok": false, "error": ...}``, because
the other side is a script that can only show a message. Nothing here needs more than the standard library, so the same
wheel runs under Pyodide.
"""
from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from clustersim import checks, experiments
from clustersim.errors import ClusterSimError, InputError
from clustersim.experiments.base import Choice, Control, Experiment, Outcome, Slider, Toggle, Value
from clustersim.figures import for_page
from clustersim.messages import N_, _, set_language


def describe(experiment_id: str, settings_json: str = "{}") -> str:
    """JSON text: what a page needs to show an experiment: its controls and what ``settings_json`` gives.

    The settings become the controls' defaults, so that a chapter can show another case than the experiment's own.
    """
    return _answer(lambda: description(experiment_id, _settings(settings_json)))


def run(experiment_id: str, settings_json: str = "{}") -> str:
    """JSON text: the outcome of one setting (``summary``, ``figures``, ``table``, ``settings``), or what is wrong."""
    return _answer(lambda: _run(experiment_id, _settings(settings_json)))


def check(exercise_id: str, answer: str) -> str:
    """JSON text: what is said to an answer typed into a page (``verdict``, ``message``), or what is wrong."""
    return _answer(lambda: _checked(exercise_id, answer))


def language(code: str | None) -> None:
    """Answer in this language from now on (``"ja"``); English where there is no catalogue."""
    set_language(code)


def description(experiment_id: str, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """:func:`describe` as plain data; raises :class:`ClusterSimError` for an unknown id or an impossible setting."""
    which = experiments.experiment(experiment_id)
    values = which.settings(settings)
    return {
        "ok": True, **introduction(experiment_id),
        "controls": [_control(control, values[control.name]) for control in which.controls],
        "outcome": outcome_data(which.run(values)), "words": words(),
    }


def presets(experiment_id: str) -> list[tuple[str, dict[str, Value]]]:
    """The settings of an experiment that are worth a look: their translated names, and the values that differ."""
    return [(_(preset.label), dict(preset.values)) for preset in experiments.experiment(experiment_id).presets]


def introduction(experiment_id: str) -> dict[str, Any]:
    """Id, title and caption: what is known of an experiment without running it."""
    which = experiments.experiment(experiment_id)
    return {"id": which.id, "title": _(which.title), "caption": _(which.caption)}


def outcome_data(outcome: Outcome) -> dict[str, Any]:
    """An outcome as plain data; the colours of its specifications are CSS variables (rows carry no colours)."""
    table = outcome.table
    return {
        "summary": outcome.summary,
        "figures": [{"name": f.name, "title": f.title, "alt": f.alt, "spec": for_page(f.spec), "data": dict(f.data)}
                    for f in outcome.figures],
        "table": {"caption": table.caption, "columns": list(table.columns), "rows": [list(row) for row in table.rows]},
    }


def words() -> dict[str, str]:
    """Every sentence that the page script shows, translated; ``{name}`` is filled in by the script."""
    return {name: _(text) for name, text in _WORDS.items()}


def decimals(control: Slider) -> int:
    """How many decimal places the slider's steps need, at most six.

    >>> decimals(Slider("load", "Load", 0.5, 0.95, 0.05, 0.6))
    2
    """
    places = [len(f"{x:.6f}".rstrip("0").partition(".")[2]) for x in (control.low, control.step)]
    return max(places)


def _run(experiment_id: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    which: Experiment = experiments.experiment(experiment_id)
    values = which.settings(settings)
    return {"ok": True, "settings": values, **outcome_data(which.run(values))}


def _checked(exercise_id: str, answer: str) -> dict[str, Any]:
    item = checks.exercise(exercise_id)
    none = item.form in ("names", "order") and answer.strip().casefold() in {"none", _("none").casefold()}
    found = checks.judge(item, () if none else answer)
    message = found.message
    if found.verdict == "unusable":  # the notebook's way of writing is Python's
        message = _("This cannot be compared. {wanted}").format(wanted=answer_form(item)["wanted"])
    return {"ok": True, "verdict": found.verdict, "message": message}


def answer_form(item: checks.Exercise) -> dict[str, Any]:
    """How an answer is given in a page: the sentence that says it, and the options where there is one to choose."""
    listed = ", ".join(item.options)
    if item.form == "names":
        wanted = _("Answer: names, separated by commas, or none; of {names}.").format(names=listed)
    elif item.form == "order":
        wanted = _("Answer: names in order of time, separated by commas; of {names}.").format(names=listed)
    else:
        wanted = item.wanted
    return {"wanted": wanted, "options": list(item.options) if item.form == "choice" else []}


def _settings(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (TypeError, ValueError) as error:
        raise InputError(_("the setting"), str(error), _("a JSON object of control names and values")) from None
    if not isinstance(data, dict):
        raise InputError(_("the setting"), data, _("a JSON object of control names and values"))
    return data


def _control(control: Control, value: Value) -> dict[str, Any]:
    data: dict[str, Any] = {"kind": type(control).__name__.lower(), "name": control.name, "label": _(control.label),
                            "help": _(control.help) if control.help else "", "default": value}
    if isinstance(control, Slider):
        data |= {"low": control.low, "high": control.high, "step": control.step, "decimals": decimals(control),
                 "unit": _unit(control.unit, control.unit not in _SHORT), "spoken": _unit(control.unit, True)}
    elif isinstance(control, Choice):
        data["options"] = [[key, _(label)] for key, label in control.options]
    else:
        assert isinstance(control, Toggle)
    return data


def _unit(unit: str, full: bool) -> list[str]:
    """A unit after 1 and after another number: in full or as written; empty where there is none."""
    if not unit:
        return ["", ""]
    one, many = _UNITS.get(unit, (unit, unit)) if full else (unit, unit)
    return [_(one), _(many)]


def _answer(work: Any) -> str:
    try:
        return json.dumps(work(), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ClusterSimError as error:
        message = str(error)
    except Exception as error:  # the page can only show a message; a traceback would be lost in the worker
        message = _("The simulation failed ({kind}: {text}). This is a fault of the book, not of your setting.").format(
            kind=type(error).__name__, text=re.sub(r"\s+", " ", str(error))[:300])
    return json.dumps({"ok": False, "error": message}, ensure_ascii=False)


_SHORT = {"s", "min", "h", "d", "%", "×"}  # written as they are, spoken in full
_UNITS: dict[str, tuple[str, str]] = {
    "s": (N_("second"), N_("seconds")), "min": (N_("minute"), N_("minutes")), "h": (N_("hour"), N_("hours")),
    "d": (N_("day"), N_("days")), "GPUs": (N_("GPU"), N_("GPUs")), "jobs": (N_("job"), N_("jobs")),
    "nodes": (N_("node"), N_("nodes")), "cores": (N_("core"), N_("cores")), "%": (N_("percent"), N_("percent")),
    "×": (N_("times"), N_("times")),
}

_WORDS: dict[str, str] = {
    "start": N_("Start"),
    "start_shared": N_("Start with the shared setting"),
    "start_hint": N_("Runs this simulation in your browser. Nothing leaves your machine; about {mb} MB are loaded once."),
    "start_hint_plain": N_("Runs this simulation in your browser. Nothing leaves your machine."),
    "shared": N_("This link carries a setting: {list}. Until you start it, the figure shows the book's own."),
    "ignored": N_("Part of this link was ignored: {list}."),
    "ignored_unknown": N_("{name} is not a control of this figure"),
    "ignored_value": N_("{label} cannot be {value}"),
    "loading": N_("Loading Python (step {step} of {steps}: {what}) …"),
    "loading_manifest": N_("what to load"),
    "loading_runtime": N_("the interpreter"),
    "loading_packages": N_("the simulator"),
    "loading_charts": N_("the charts"),
    "running": N_("Simulating …"),
    "controls": N_("Change the setting"),
    "reset": N_("Reset"),
    "copy": N_("Copy link to this setting"),
    "copied": N_("Link copied."),
    "copy_by_hand": N_("Copy this address:"),
    "ready": N_("Live: change a control and the figure follows."),
    "retry": N_("Try again"),
    "failed": N_("The live figure cannot start: {why} The picture, the summary and the table stay as printed."),
    "failed_file": N_("this page was opened from a file, and browsers run modules only from a web address. Serve the folder, "
                      "for instance with: python3 -m http.server"),
    "failed_worker": N_("this browser does not allow module workers, or something blocks them."),
    "failed_wasm": N_("this browser does not allow WebAssembly, or something blocks it."),
    "failed_offline": N_("you are offline, and it has not been loaded on this device before."),
    "failed_fetch": N_("{name} could not be loaded."),
    "failed_python": N_("Python stopped with: {text}."),
    "cannot_check": N_("The answer cannot be checked: {why}"),
    "checking": N_("Checking …"),
    "yes": N_("yes"),
    "no": N_("no"),
}
