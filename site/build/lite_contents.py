"""What JupyterLite shows as files: the notebooks of the book, and one small notebook for each live figure.

Those that are finished in another language stand in a folder of its name, ``ja/``, and begin by choosing that language.
"""
from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "ext")]

import notebook_words  # noqa: E402
from language import Language  # noqa: E402

KERNEL = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
FIGURES = "figures"
BOOK_LINK = re.compile(r"\]\(\.\./book/([\w-]+)\.md(#[\w-]+)?\)")
NOTEBOOK_LINK = re.compile(r"\]\(([\w-]+)\.ipynb\)")
Notebook = dict[str, Any]


def notebooks(root: Path) -> list[Path]:
    return sorted((root / "notebooks").glob("*.ipynb"))


def sources(root: Path, others: Iterable[Language]) -> list[Path]:
    """What the files are made from, besides the programs."""
    held = [notebook_words.path(root, which, name) for which in others for name in notebook_words.finished(which)]
    return [*notebooks(root), *(path for path in held if path.is_file())]


def put_notebooks(out: Path, root: Path, others: Iterable[Language] = ()) -> None:
    """The notebooks, and the listings by which JupyterLite finds them (the form of Jupyter's contents API)."""
    files, api = out / "files", out / "api" / "contents"
    newest = max(path.stat().st_mtime for path in notebooks(root))
    top = [_put(files, path.name, for_browser(_read(path)), path.stat().st_mtime) for path in notebooks(root)]
    top.append(_put_figures(files, api, FIGURES, figure_notebooks(), newest))
    top += [_put_language(files, api, root, which, newest) for which in others]
    _list(api, entry("", "directory", newest), top)


def _read(path: Path) -> Notebook:
    found: Notebook = json.loads(path.read_text("utf-8"))
    return found


def _put_figures(files: Path, api: Path, folder: str, made: dict[str, Notebook], newest: float) -> dict[str, Any]:
    listed = [_put(files, f"{folder}/{name}.ipynb", notebook, newest) for name, notebook in made.items()]
    _list(api / folder, entry(folder, "directory", newest), listed)
    return entry(folder, "directory", newest)


def _put_language(files: Path, api: Path, root: Path, which: Language, newest: float) -> dict[str, Any]:
    from clustersim.messages import set_language

    there = [path for path in notebooks(root) if path.stem in notebook_words.finished(which)]
    set_language(which.code)
    try:
        first = language_cell(which.code)
        listed = [_put(files, f"{which.code}/{path.name}", in_language(_read(path), root, which, path.stem, first), newest)
                  for path in there]
        figures = {name: {**made, "cells": [first, *made["cells"]]} for name, made in figure_notebooks(which).items()}
        listed.append(_put_figures(files, api, f"{which.code}/{FIGURES}", figures, newest))
    finally:
        set_language(None)
    _list(api / which.code, entry(which.code, "directory", newest), listed)
    return entry(which.code, "directory", newest)


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
    return with_text(notebook, lambda text: BOOK_LINK.sub(r"](../book/\1.html\2)", text))


def with_text(notebook: Notebook, change: Callable[[str], str]) -> Notebook:
    """The notebook with every text cell changed and with the kernel that JupyterLite has."""
    cells = [{**cell, "source": change("".join(cell["source"])).splitlines(keepends=True)}
             if cell["cell_type"] == "markdown" else cell for cell in notebook["cells"]]
    return {**notebook, "cells": cells, "metadata": {**notebook["metadata"], "kernelspec": KERNEL}}


def in_language(notebook: Notebook, root: Path, which: Language, name: str, first: dict[str, Any]) -> Notebook:
    """A notebook in another language, ``first`` before its first cell of code."""
    made = with_text(notebook_words.translated(notebook, notebook_words.words(root, which, name)),
                     lambda text: linked(text, which))
    cells = made["cells"]
    place = next((number for number, cell in enumerate(cells) if cell["cell_type"] == "code"), len(cells))
    return {**made, "cells": [*cells[:place], first, *cells[place:]]}


def linked(text: str, which: Language) -> str:
    """Links of a notebook in the folder of a language: to its pages and notebooks that are finished, else to the English."""
    def chapter(match: re.Match[str]) -> str:
        folder = f"{which.code}/book" if f"book/{match[1]}" in which.pages else "book"
        return f"](../{folder}/{match[1]}.html{match[2] or ''})"

    def other(match: re.Match[str]) -> str:
        return match[0] if match[1] in notebook_words.finished(which) else f"](../{match[1]}.ipynb)"

    return NOTEBOOK_LINK.sub(other, BOOK_LINK.sub(chapter, text))


def language_cell(code: str) -> dict[str, Any]:
    """A cell of code after which the program speaks a language."""
    from clustersim.messages import _

    why = _("Figures, hints and messages in this language.")
    text = f'# {why}\nfrom clustersim.messages import set_language\n\nset_language("{code}")'
    cell: dict[str, Any] = made_of([("code", text)])["cells"][0]
    return cell


# --- one for each live figure ----------------------------------------------------------------------------------------

def figure_notebooks(which: Language | None = None) -> dict[str, Notebook]:
    """By the id of the experiment: its panel, and its numbers in code; of a language, those whose messages are translated."""
    from clustersim.experiments import IDS, experiment

    wanted = [name for name in IDS if which is None
              or any(fnmatch(f"clustersim/experiments/{name}.py", pattern) for pattern in which.program)]
    return {name: figure_notebook(experiment(name)) for name in wanted}


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
