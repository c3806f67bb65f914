"""The index behind the search page, made by Pagefind from the finished pages: one for the book, one for each edition.

An index lies in a folder ``pagefind`` beside the pages it is made from, in small pieces, of which a search loads those that
it needs. Languages without spaces need no words: the page looks for what is typed in the text that the index holds.
"""
from __future__ import annotations

import asyncio
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

FOLDER = "pagefind"
NOT_SEARCHED = ("_static", "lite", FOLDER)
NO_TEXT = ("svg", ".headerlink", ".cs-launch", ".lv-notebook", "[aria-hidden=true]")
LETTERS = "_"  # bf_interval is one word
UNUSED = ("pagefind-*ui.*", "pagefind-highlight.js")  # Pagefind's own search boxes; ours is site/styles/search.js
_SECTION = re.compile(r'<section (?:class="[^"]*" )?id="([^"]+)">((?:\s*<span id="[^"]*"></span>)*\s*)<(h[1-6])>')


def searchable(page: str) -> str:
    """The page with each section's id on its heading, where Pagefind looks for the places that a result can lead to."""
    placed = _SECTION.sub(r'<section>\2<\3 id="\1">', page)
    return placed.replace('class="cs-facts', 'data-pagefind-weight="0.3" class="cs-facts')  # it names everything


def pages(folder: Path, editions: Iterable[str]) -> list[Path]:
    """The pages of the book or of one edition: those with a text to search."""
    left_out = {*NOT_SEARCHED, *editions}
    found = [path for path in sorted(folder.rglob("*.html")) if path.relative_to(folder).parts[0] not in left_out]
    return [path for path in found if "data-pagefind-body" in path.read_text("utf-8")]


async def make(folder: Path, files: list[Path]) -> None:
    from pagefind.index import IndexConfig, PagefindIndex

    out = folder / FOLDER
    shutil.rmtree(out, ignore_errors=True)
    config = IndexConfig(output_path=str(out), exclude_selectors=NO_TEXT, include_characters=LETTERS, keep_index_url=True)
    async with PagefindIndex(config) as index:
        for path in files:
            await index.add_html_file(content=searchable(path.read_text("utf-8")),
                                      source_path=path.relative_to(folder).as_posix())
    for pattern in UNUSED:
        for path in out.glob(pattern):
            path.unlink()


def build(html: Path, editions: Iterable[str]) -> None:
    """Index the finished site."""
    codes = list(editions)
    for folder in [html, *(html / code for code in codes)]:
        asyncio.run(make(folder, pages(folder, codes)))


if __name__ == "__main__":
    build(Path(sys.argv[1]), sys.argv[2:])
