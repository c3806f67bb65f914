"""Bring the translations up to date with the text: ``make messages``; say what is missing: ``make translations``.

A page's messages are in ``book/locale/CODE/LC_MESSAGES/PAGE.po``. Those of the program, of the site and of the table of
contents are in ``clustersim/locale/CODE/LC_MESSAGES/clustersim.po``, and compiled beside it: the wheel carries the
compiled form into the reader's browser. ``site/translations.toml`` says which pages are finished, and which files' messages
they show; only those are kept.
"""
from __future__ import annotations

import argparse
import ast
import csv
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import yaml
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "ext")]

import language  # noqa: E402
import make_site  # noqa: E402
from catalogues import begun, compiled, page_path, program_path, put, read, text, updated  # noqa: E402
from language import Language  # noqa: E402

PYTHON = ("clustersim/**/*.py", "labs/**/*.py", "site/ext/*.py", "site/build/*.py")
TABLES = {"fault_causes": ("cause",), "node_failure_rates": ("kind", "how")}  # columns that a live figure shows
TEMPLATES = ("site/templates/*.html",)
KEYWORDS = {"_": 1, "N_": 1, "ngettext": 2}  # how many of the arguments are messages
Found = tuple[str, str | tuple[str, ...]]  # where a message stands, and the message (one and many, where it counts)


# --- what there is to translate --------------------------------------------------------------------------------------

def python_messages(source: str) -> list[str | tuple[str, ...]]:
    """The messages of a Python file, in their order; also those inside f-strings, which Babel's own reader does not see."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS:
            texts = [part.value for part in node.args[: KEYWORDS[node.func.id]] if isinstance(part, ast.Constant)]
            if len(texts) == KEYWORDS[node.func.id] and all(isinstance(text, str) for text in texts):
                found.append(((node.lineno, node.col_offset), str(texts[0]) if len(texts) == 1 else tuple(map(str, texts))))
    return [message for _place, message in sorted(found, key=lambda pair: pair[0])]


def program_messages(root: Path) -> Iterator[Found]:
    """Every message that does not stand in a page."""
    for path in (path for pattern in PYTHON for path in sorted(root.glob(pattern))):
        yield from ((path.relative_to(root).as_posix(), message) for message in python_messages(path.read_text("utf-8")))
    for path in (path for pattern in TEMPLATES for path in sorted(root.glob(pattern))):
        with path.open("rb") as file:
            for _line, message, _comments, _context in extract("jinja2", file):
                yield path.relative_to(root).as_posix(), message
    for name, columns in TABLES.items():
        path = root / "clustersim" / "data" / f"{name}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            yield from ((path.relative_to(root).as_posix(), row[column]) for row in csv.DictReader(file) for column in columns)
    config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    yield from (("_config.yml", config[name]) for name in ("title", "author"))
    toc = yaml.safe_load((root / "_toc.yml").read_text("utf-8"))
    yield from (("_toc.yml", part["caption"]) for part in toc.get("parts", ()) if "caption" in part)
    facts = tomllib.loads((root / "clustersim" / "facts.toml").read_text("utf-8"))
    for field in ("unit", "note"):
        for entry in (entry for group in facts.values() for entry in group.values()):
            if re.search("[a-z]", entry.get(field, "")):
                yield f"clustersim/facts.toml({field})", entry[field]
    for entry in tomllib.loads((root / "site" / "third-party.toml").read_text("utf-8")).values():
        yield "site/third-party.toml", entry["use"]


def program_template(root: Path, patterns: Iterable[str]) -> Catalog:
    """The program's messages whose file matches one of ``patterns``."""
    template = Catalog()
    for place, message in program_messages(root):
        if any(fnmatch(place, pattern) for pattern in patterns) and message:
            template.add(message, locations=[(place, 0)])
    return template


def page_template(root: Path, page: str) -> Catalog:
    """A page's messages as Sphinx has found them."""
    path = root / "_build" / "gettext" / f"{page}.pot"
    with path.open("rb") as file:
        return read_po(file)


def find_page_messages(root: Path) -> bool:
    """Let Sphinx look for the messages of all pages; whether it went well."""
    return make_site.run_jupyter_book(root, True, out=root / "_build" / "gettext", trees=root / "_build" / ".doctrees-gettext",
                                      builder="gettext", overrides={"nb_execution_mode": "off"})


# --- the files of a language -----------------------------------------------------------------------------------------

def update(root: Path, which: Language) -> None:
    """Bring every file of a language up to date."""
    path = program_path(root, which.code)
    catalogue = updated(path, which.code, program_template(root, which.program))
    put(path, text(catalogue, f"{which.name}: the messages of the program and of the site").encode())
    put(path.with_suffix(".mo"), compiled(read(path, which.code)))
    for page in begun(root, which):
        place = page_path(root, which.code, page)
        put(place, text(updated(place, which.code, page_template(root, page)), f"{which.name}: {page}").encode())


# --- the report ------------------------------------------------------------------------------------------------------

def is_open(message: Message) -> bool:
    """Whether a message has no translation that is used."""
    strings = message.string if isinstance(message.string, tuple) else (message.string,)
    return bool(message.id) and (message.fuzzy or not all(strings))


def report(root: Path, which: Language) -> Iterator[str]:
    """A line for each file of a language, and one for each message that is not translated."""
    names = {"program and site": program_path(root, which.code),
             **{page: page_path(root, which.code, page) for page in begun(root, which)}}
    for name, path in names.items():
        messages = [message for message in read(path, which.code) if message.id]
        missing = [message for message in messages if is_open(message)]
        done = len(messages) - len(missing)
        state = "" if name not in which.pages or not missing else "  (listed as finished)"
        yield f"{which.code}  {name}: {done} of {len(messages)} messages translated{state}"
        for message in missing:
            first = message.id if isinstance(message.id, str) else message.id[0]
            yield f"      {'fuzzy' if message.fuzzy else 'missing'}: {first}"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Bring the translations up to date and say what is missing.")
    parser.add_argument("--report", action="store_true", help="only say what is missing")
    parser.add_argument("--begin", nargs=2, metavar=("CODE", "PAGE"), help="begin a page: ja book/05-backfill")
    options = parser.parse_args(argv)
    if options.begin:
        code, page = options.begin
        put(page_path(ROOT, code, page), text(Catalog(locale=code), page).encode())
    if not options.report and not find_page_messages(ROOT):
        return 1
    for which in language.languages().values():
        if not options.report:
            update(ROOT, which)
        print("\n".join(report(ROOT, which)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
