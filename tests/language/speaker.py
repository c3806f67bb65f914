"""What the program says to readers, as JSON by place: run in the made-up language by test_pseudo_program.py.

Every experiment at its defaults and at the end of each control, as a page and as a notebook show it; every exercise, its
hints and what is said to each kind of answer.
"""
from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from clustersim import checks, experiments, notebook, page
from clustersim.experiments.base import Choice, Slider
from clustersim.messages import _

CHAPTERS = range(1, 28)


def settings(which: Any) -> Iterator[dict[str, Any]]:
    """The defaults; all sliders at one end and at the other; each option of a choice, each toggle turned; the presets."""
    sliders = [control for control in which.controls if isinstance(control, Slider)]
    yield {}
    yield {control.name: control.low for control in sliders}
    yield {control.name: control.high for control in sliders}
    for control in which.controls:
        if isinstance(control, Choice):
            yield from ({control.name: key} for key, _label in control.options)
        elif not isinstance(control, Slider):
            yield {control.name: not control.default}
    yield from (dict(preset.values) for preset in which.presets)


def drawn(spec: Any) -> Iterator[str]:
    """The words of a specification: titles, labels, texts, the names in a legend."""
    if isinstance(spec, dict):
        for name, value in spec.items():
            if name in ("title", "text", "description", "subtitle") and isinstance(value, str | list):
                yield from [value] if isinstance(value, str) else [part for part in value if isinstance(part, str)]
            yield from drawn(value)
    elif isinstance(spec, list):
        for part in spec:
            yield from drawn(part)


def figures(outcome: dict[str, Any]) -> Iterator[str]:
    yield outcome["summary"]
    table = outcome["table"]
    yield from [table["caption"], *table["columns"], *(cell for row in table["rows"] for cell in row)]
    for figure in outcome["figures"]:
        yield from [figure["title"], figure["alt"], *drawn(figure["spec"])]


def experiment(name: str) -> list[str]:
    which = experiments.experiment(name)
    about = json.loads(page.describe(name))
    texts = [about["title"], about["caption"], *about["words"].values(), *(label for label, _values in page.presets(name))]
    for control in about["controls"]:
        texts += [control["label"], control["help"], *control.get("unit", ()), *control.get("spoken", ())]
        texts += [label for _key, label in control.get("options", ())]
    for values in settings(which):
        answer = json.loads(page.run(name, json.dumps(values)))
        texts += figures(answer) if answer["ok"] else [answer["error"]]
    return texts


def panel(name: str) -> list[str]:
    """What the widgets of a panel show and say."""
    shown: list[Any] = []
    notebook._svg_maker = lambda: None  # a picture's words are those of its specification
    notebook._display = lambda: lambda bundle, raw, display_id=False: shown.append(bundle)  # type: ignore[assignment]
    made = notebook.panel(name)
    made._ipython_display_()
    texts = []
    for widget in widgets():
        traits = ["description", "tooltip", "placeholder", *(["value"] if type(widget).__name__ in ("HTML", "Label") else [])]
        texts += [value for trait in traits if isinstance(value := getattr(widget, trait, ""), str)]
        texts += getattr(widget, "_options_labels", ())
    return texts


def widgets() -> list[Any]:
    from ipywidgets import Widget
    from ipywidgets.widgets.widget import _instances

    found = list(_instances.values())
    Widget.close_all()
    return found


def exercise(item: checks.Exercise) -> list[str]:
    checks.forget()
    wrong: list[Any] = [..., item.options[0] if item.options else 10**9, -1, "?"]
    wrong += [case.answer() if callable(case.answer) else case.answer for case in item.misconceptions]
    said = [checks.check(item.id, answer) for answer in wrong for _twice in (1, 2)]
    right = checks.truth(item.id)
    said += [checks.predict(item.id, right), checks.compare(item.id), checks.check(item.id, right), checks.reveal(item.id)]
    texts = [_(item.question), page.answer_form(item)["wanted"], item.wanted, *(feedback.message for feedback in said)]
    return [text.partition("\n    ")[0] for text in texts]  # what is indented is code


def main() -> None:
    found: dict[str, list[str]] = {}
    for name in experiments.IDS:
        found[f"experiment {name}"] = experiment(name)
        found[f"panel {name}"] = panel(name)
    for chapter in CHAPTERS:
        try:
            items = checks.exercises(chapter)
        except Exception:
            continue
        found |= {f"exercise {item.id}": exercise(item) for item in items}
    json.dump({place: sorted(set(filter(None, texts))) for place, texts in found.items()}, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
