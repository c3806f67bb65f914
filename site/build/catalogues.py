"""The files that hold translations: where they are, and how they are read, written and compiled.

A page's messages are in ``book/locale/CODE/LC_MESSAGES/PAGE.po``. Those of the program, of the site and of the table of
contents are in ``clustersim/locale/CODE/LC_MESSAGES/clustersim.po``.
"""
from __future__ import annotations

import io
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "ext")]

from language import Language  # noqa: E402

WIDTH = 110
# Lines of a header that change without a change of the text, or that say who translated: the repository knows.
_NAMES = "POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|Generated-By|Report-Msgid-Bugs-To"
_HEADER = re.compile(rf'^"(?:{_NAMES}): .*\\n"\n', re.MULTILINE)


def program_path(root: Path, code: str) -> Path:
    return root / "clustersim" / "locale" / code / "LC_MESSAGES" / "clustersim.po"


def page_path(root: Path, code: str, page: str) -> Path:
    return root / "book" / "locale" / code / "LC_MESSAGES" / f"{page}.po"


def begun(root: Path, which: Language) -> list[str]:
    """The pages that are finished or begun in a language."""
    folder = root / "book" / "locale" / which.code / "LC_MESSAGES"
    found = {path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.po")}
    return sorted(found | set(which.pages))


def read(path: Path, code: str) -> Catalog:
    if not path.is_file():
        return Catalog(locale=code)
    with path.open("rb") as file:
        return read_po(file, locale=code)


def updated(path: Path, code: str, template: Catalog) -> Catalog:
    """The translations with the messages of ``template``: new ones empty or guessed (fuzzy), those no longer there gone."""
    catalogue = read(path, code)
    catalogue.update(template)
    catalogue.obsolete.clear()
    return catalogue


def text(catalogue: Catalog, name: str) -> str:
    """The catalogue as a file: no dates, no line numbers, so that it changes only when a message does."""
    catalogue.header_comment = f"# {name}"
    catalogue.fuzzy = False
    out = io.BytesIO()
    write_po(out, catalogue, width=WIDTH, include_lineno=False, ignore_obsolete=True)
    return _HEADER.sub("", out.getvalue().decode())


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_bytes() != content:
        path.write_bytes(content)


def compiled(catalogue: Catalog) -> bytes:
    """The form that programs read; the same translations give the same bytes."""
    catalogue.creation_date = catalogue.revision_date = datetime(2000, 1, 1, tzinfo=UTC)
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def compile_pages(root: Path, which: Language) -> None:
    """Compile the translations of pages where a change is due; Sphinx judges by dates, which a checkout does not keep."""
    folder = root / "book" / "locale" / which.code / "LC_MESSAGES"
    for path in sorted(folder.rglob("*.po")):
        put(path.with_suffix(".mo"), compiled(read(path, which.code)))
