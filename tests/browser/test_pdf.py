"""The PDF of the whole book: tagged, with bookmarks and contents, every figure with its words, nothing cut."""
from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import make_pdf
import page_check
import pytest
import yaml
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject

from tests.conftest import ROOT

A4 = (595, 842)  # points
MARGIN = 50  # points; the sheets' own margins are wider


@pytest.fixture(scope="module")
def made(site: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the program told, and the file that it wrote."""
    out = tmp_path_factory.mktemp("pdf") / "book.pdf"
    return {**make_pdf.make(site, "book/index.html", out), "reader": PdfReader(out)}


def elements(reader: PdfReader) -> Iterator[DictionaryObject]:
    """Every element of the tree of tags."""
    waiting: list[Any] = [reader.root_object["/StructTreeRoot"].get("/K")]
    while waiting:
        item = waiting.pop()
        item = item.get_object() if item is not None else None
        if isinstance(item, ArrayObject):
            waiting += list(item)
        elif isinstance(item, DictionaryObject) and "/S" in item:
            yield item
            waiting.append(item.get("/K"))


def text(reader: PdfReader, sheet: int) -> str:
    """The words of a sheet; fonts may have drawn "fi" as one letter."""
    return " ".join(unicodedata.normalize("NFKC", reader.pages[sheet - 1].extract_text()).split())


def test_it_is_tagged_and_says_what_it_is(made: dict[str, Any]) -> None:
    root, about = made["reader"].root_object, made["reader"].metadata
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == "en"
    assert (about.title, about.author) == (config["title"], config["author"])
    tags = {str(item["/S"]) for item in elements(made["reader"])}
    assert {"/H1", "/H2", "/P", "/L", "/Table", "/TH", "/Link", "/Figure", "/Code"} <= tags


def test_every_heading_is_a_bookmark_in_its_own_words(made: dict[str, Any]) -> None:
    marks = [str(mark.title) for mark in make_pdf.bookmarks(made["reader"].outline)]
    assert marks == [heading["text"] for heading in made["headings"]]
    assert len(marks) > 100


def test_every_page_of_the_book_is_in_it_in_order(made: dict[str, Any], site: Path) -> None:
    listed = list(page_check.toc_pages(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))))
    titles = [page_title(site / f"{name}.html") for name in listed]
    begins = [heading["text"] for heading in made["headings"] if heading["key"]]
    assert begins == titles
    top = [str(mark.title) for mark in made["reader"].outline if not isinstance(mark, list)]
    assert top[1:] == titles, "after the contents, each is a bookmark of the highest level"


def page_title(path: Path) -> str:
    found = re.search(r"<h1>(.*?)<a class=\"headerlink\"", path.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"<[^>]*>", "", found[1]).split()).replace("&amp;", "&")


def test_the_contents_name_the_sheet_on_which_each_begins(made: dict[str, Any]) -> None:
    numbers = list(made["numbers"].values())
    assert numbers == sorted(numbers) and len(set(numbers)) == len(numbers) == made["pages"]
    contents = " ".join(text(made["reader"], sheet) for sheet in range(2, numbers[0]))
    for heading in [heading for heading in made["headings"] if heading["key"]]:
        number = made["numbers"][heading["key"]]
        assert re.search(rf"{re.escape(heading['text'])} *{number}\b", contents), heading
        sheet = text(made["reader"], number)
        assert sheet.replace(" ", "").startswith(f"{number}{heading['text']}".replace(" ", "")), "the sheet's number, the title"


def test_every_picture_is_in_it_with_its_words(made: dict[str, Any], site: Path) -> None:
    listed = list(page_check.toc_pages(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))))
    pictures = sum((site / f"{name}.html").read_text("utf-8").count('role="img"') for name in listed)
    figures = [item for item in elements(made["reader"]) if item["/S"] == "/Figure"]
    assert len(figures) == len(made["pictures"]) == pictures > 50
    assert sorted(str(figure["/Alt"]) for figure in figures) == sorted(made["pictures"])


def test_nothing_is_cut(made: dict[str, Any]) -> None:
    """The browser finds no box beyond the sheet; and no text begins outside the margins of the first chapters' sheets."""
    assert made["cut"] == made["errors"] == []
    outside: list[tuple[int, str]] = []
    for number, sheet in enumerate(made["reader"].pages[:40], 1):
        assert (round(sheet.mediabox.width), round(sheet.mediabox.height)) == A4

        def see(words: str, cm: list[float], tm: list[float], _font: object, _size: float, number: int = number) -> None:
            x, y = tm[4] * cm[0] + cm[4], tm[5] * cm[3] + cm[5]
            if words.strip() and not (MARGIN <= x <= A4[0] - MARGIN and 20 <= y <= A4[1] - 40):
                outside.append((number, words))

        sheet.extract_text(visitor_text=see)
    assert outside == []


def test_links_inside_the_book_stay_inside(made: dict[str, Any]) -> None:
    links = [note.get_object() for sheet in made["reader"].pages for note in sheet.get("/Annots", [])]
    addresses = [str(link["/A"]["/URI"]) for link in links if "/A" in link and "/URI" in link["/A"]]
    assert [address for address in addresses if "127.0.0.1" in address or address.startswith("file:")] == []
    assert len([link for link in links if "/Dest" in link or link.get("/A", {}).get("/D")]) > 100
