"""What JupyterLite shows as files: the notebooks of the book, and one small notebook for each live figure."""
from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

KERNEL = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
FIGURES = "figures"
BOOK_LINK = re.compile(r"\]\(\.\./book/([\w-]+)\.md(#[\w-]+)?\)")
Notebook = dict[str, Any]


def notebooks(root: Path) -> list[Path]:
    return sorted((root / "notebooks").glob("*.ipynb"))


def put_notebooks(out: Path, root: Path) -> None:
    """The notebooks, and the listings by which JupyterLite finds them (the form of Jupyter's contents API)."""
    files, api = out / "files", out / "api" / "contents"
    made = {path.name: for_browser(json.loads(path.read_text("utf-8"))) for path in notebooks(root)}
    newest = max(path.stat().st_mtime for path in notebooks(root))
    top = [_put(files, path.name, made[path.name], path.stat().st_mtime) for path in notebooks(root)]
    figures = [_put(files, f"{FIGURES}/{name}.ipynb", notebook, newest) for name, notebook in figure_notebooks().items()]
    _list(api / FIGURES, entry(FIGURES, "directory", newest), figures)
    _list(api, entry("", "directory", newest), [*top, entry(FIGURES, "directory", newest)])


def _put(files: Path, path: str, notebook: Notebook, changed: float) -> dict[str, Any]:
    text = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    (files / path).parent.mkdir(parents=True, exist_ok=True)
    (files / path).write_text(text, "utf-8")
    return entry(path, "notebook", changed, size=len(text.encode()))


def _list(folder: Path, about: dict[str, Any], content: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**about, "content": content, "format": "json"}, indent=1, sort_keys=True)
    (folder / "all.json").write_text(text + "\n", "utf-8")


def entry(path: str, kind: str, changed: float, size: int | None = None) -> dict[str, Any]:
    """One line of a listing; ``changed`` in seconds since 1970."""
    when = datetime.fromtimestamp(int(changed), UTC).isoformat().replace("+00:00", "Z")
    return {"name": path.rpartition("/")[2], "path": path, "type": kind, "created": when, "last_modified": when,
            "content": None, "format": None, "mimetype": None, "size": size, "writable": True}


# --- the book's notebooks --------------------------------------------------------------------------------------------

def for_browser(notebook: Notebook) -> Notebook:
    """The notebook with the kernel that JupyterLite has, and links to chapters as its pages are named."""
    cells = [{**cell, "source": linked(cell["source"])} if cell["cell_type"] == "markdown" else cell
             for cell in notebook["cells"]]
    return {**notebook, "cells": cells, "metadata": {**notebook["metadata"], "kernelspec": KERNEL}}


def linked(source: str | list[str]) -> list[str]:
    text = BOOK_LINK.sub(lambda match: f"](../book/{match[1]}.html{match[2] or ''})", "".join(source))
    return text.splitlines(keepends=True)


# --- one for each live figure ----------------------------------------------------------------------------------------

def figure_notebooks() -> dict[str, Notebook]:
    """By the id of the experiment: its panel, and its numbers in code."""
    from clustersim.experiments import IDS, experiment

    return {name: figure_notebook(experiment(name)) for name in IDS}


def figure_notebook(experiment: Any) -> Notebook:
    from clustersim.messages import _

    settings = ",\n    ".join(f"{name}={value!r}" for name, value in experiment.defaults().items())
    run = (f"from clustersim.experiments import experiment\n\noutcome = experiment({experiment.id!r})(\n    {settings},\n)\n"
           "print(outcome.summary)\nfor name, value in outcome.values.items():\n    print(name, value, sep=\": \")")
    return made_of([
        ("markdown", f"# {_(experiment.title)}\n\n{_(experiment.caption)}\n\n"
                     + _("Run the cells (menu Run, Run All Cells), then move the controls.")),
        ("code", f'from clustersim.notebook import panel\n\npanel("{experiment.id}")'),
        ("markdown", f"## {_('The same in code')}\n\n"
                     + _("Change a value and run the cell again. If a value is impossible, the message says which are not.")),
        ("code", run),
    ])


def made_of(parts: Iterable[tuple[str, str]]) -> Notebook:
    """A notebook of these cells, each a kind and its text; the ids depend on the text alone."""
    cells: list[dict[str, Any]] = []
    for number, (kind, text) in enumerate(parts):
        cell: dict[str, Any] = {"cell_type": kind, "id": hashlib.sha256(f"{number}:{text}".encode()).hexdigest()[:12],
                                "metadata": {}, "source": text.splitlines(keepends=True)}
        cells.append(cell if kind == "markdown" else {**cell, "execution_count": None, "outputs": []})
    return {"cells": cells, "metadata": {"kernelspec": KERNEL, "language_info": {"name": "python"}}, "nbformat": 4,
            "nbformat_minor": 5}
