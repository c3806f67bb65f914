"""The PDF of the Japanese edition: its fonts are in it, and its text and bookmarks are Japanese when they are taken out."""
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import language
import make_pdf
import pdf_text
import pytest
from pypdf import PdfReader

from clustersim.messages import set_language
from tests.browser.test_pdf import elements

JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
PAGES = language.languages()["ja"].pages


def test_a_radical_becomes_the_character_that_people_write() -> None:
    cmap = "1 beginbfchar\n<15> <2F6C>\nendbfchar\n1 beginbfrange\n<01> <03> <2F04>\n<04> <05> <3042>\nendbfrange\n"
    assert pdf_text.mended(cmap) == (
        "1 beginbfchar\n<15> <76EE>\nendbfchar\n"
        "1 beginbfrange\n<01> <03> [<4E59> <4E85> <4E8C>]\n<04> <05> <3042>\nendbfrange\n")
    assert pdf_text.plain("⻑") == "長" and pdf_text.plain("a") == "a"


@pytest.fixture(scope="module")
def made(site: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("pdf") / "ja.pdf"
    set_language("ja")
    try:
        return {**make_pdf.make(site, "ja/book/index.html", out), "reader": PdfReader(out)}
    finally:
        set_language(None)


def fonts(reader: PdfReader) -> Iterator[tuple[str, bool]]:
    """Name of every font that a sheet uses, and whether the file holds it: as drawings of its letters or as a font's file."""
    for sheet in reader.pages:
        for entry in sheet["/Resources"].get("/Font", {}).values():
            font = entry.get_object()
            inner = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
            about = inner["/FontDescriptor"].get_object()
            yield (str(font.get("/BaseFont", font["/Subtype"])),
                   "/CharProcs" in font or bool({"/FontFile", "/FontFile2", "/FontFile3"} & set(about)))


def test_every_font_is_in_the_file(made: dict[str, Any]) -> None:
    found = list(fonts(made["reader"]))
    assert found and [name for name, inside in found if not inside] == []


def test_its_text_comes_out_as_japanese(made: dict[str, Any]) -> None:
    words = "".join("".join(sheet.extract_text().split()) for sheet in made["reader"].pages)
    assert len(JAPANESE.findall(words)) > 5000
    assert [letter for letter in words if ord(letter) in pdf_text.RADICALS] == [], "a search would not find these"
    headings = ["".join(heading["text"].split()) for heading in made["headings"]]
    assert [heading for heading in headings if heading not in words] == []


def test_it_is_tagged_and_says_its_language(made: dict[str, Any]) -> None:
    root = made["reader"].root_object
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == "ja"
    assert {"/H1", "/H2", "/P", "/Table", "/Figure", "/Link"} <= {str(item["/S"]) for item in elements(made["reader"])}
    alternatives = [str(item["/Alt"]) for item in elements(made["reader"]) if item["/S"] == "/Figure"]
    assert len(alternatives) >= 5 and [words for words in alternatives if not JAPANESE.search(words)] == []


def test_its_bookmarks_are_in_japanese_and_name_every_page(made: dict[str, Any]) -> None:
    marks = [str(mark.title) for mark in make_pdf.bookmarks(made["reader"].outline)]
    assert marks == [heading["text"] for heading in made["headings"]]
    assert made["pages"] == len(PAGES) == len([heading for heading in made["headings"] if heading["key"]])
    assert sum(bool(JAPANESE.search(mark)) for mark in marks) > 0.9 * len(marks)
    assert made["cut"] == made["errors"] == []
