"""A notebook in another language: the words of its text cells, from the translations that Sphinx uses for its page."""
from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "ext")]

import catalogues  # noqa: E402
from language import Language  # noqa: E402

Notebook = dict[str, Any]
FOLDER = "notebooks/"


def finished(which: Language) -> list[str]:
    """The names of the notebooks that are finished in a language."""
    return [page.removeprefix(FOLDER) for page in which.pages if page.startswith(FOLDER)]


def path(root: Path, which: Language, name: str) -> Path:
    """The file that holds the translations of a notebook."""
    return catalogues.page_path(root, which.code, FOLDER + name)


def words(root: Path, which: Language, name: str) -> dict[str, str]:
    """The messages of a notebook that are translated, with their translations."""
    found = catalogues.read(path(root, which, name), which.code)
    return {str(message.id): str(message.string) for message in found if message.id and message.string and not message.fuzzy}


def translated(notebook: Notebook, held: Mapping[str, str]) -> Notebook:
    """The notebook with every text that ``held`` translates; what was printed when it was made, in English, is left out."""
    return {**notebook, "cells": [_cell(cell, held) for cell in notebook["cells"]]}


def _cell(cell: dict[str, Any], held: Mapping[str, str]) -> dict[str, Any]:
    if cell["cell_type"] != "markdown":
        return {**cell, "outputs": [], "execution_count": None}
    return {**cell, "source": text("".join(cell["source"]), held).splitlines(keepends=True)}


def text(source: str, held: Mapping[str, str]) -> str:
    """Markdown with its headings, paragraphs, items and cells of tables translated; what is around them stays."""
    lines = source.splitlines(keepends=True)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines))]
    made, done = [], 0
    for token in MarkdownIt("commonmark").enable("table").parse(source):
        if token.type != "inline" or token.map is None or not token.content:
            continue
        place = source.find(token.content, max(done, starts[token.map[0]]))
        if place >= 0 and token.content in held:
            made += [source[done:place], held[token.content]]
            done = place + len(token.content)
    return "".join([*made, source[done:]])
