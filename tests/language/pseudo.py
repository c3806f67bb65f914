"""The book in a made-up language: every message in full-width letters, so that what is not a message shows.

``python pseudo.py OUT PAGE...`` copies what the book is made of into ``OUT``, extracts its messages, "translates" them and
builds the pages there: all that a translator does, by a rule.
"""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LANGUAGE = "en_XA"  # the code that is kept for this purpose
WIDE = {code: code + 0xFEE0 for code in [*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1)]}
COPIED = ("book", "notebooks", "clustersim", "_config.yml", "_toc.yml", "pyproject.toml", "README.md", "LICENSE-CODE", "labs")
# What of a page's message is no text: code, math, roles, targets of links, addresses, entities, attributes.
MARKUP = re.compile(r"``.+?``|`[^`]*`|\$[^$]+\$|\{[^{}`]*\}(?:`[^`]*`)?|\]\([^)]*\)|<[^<>\s]+>|https?://\S+|&\w+;")
TERM = re.compile(r"\{term\}`(?:([^`<]+?) <([^`<>]+)>|([^`<>]+))`")
FIELD = re.compile(r"\{\{|\}\}|\{[^{}]*\}|%(?:\(\w+\))?[a-z]")


def wide(text: str) -> str:
    return text.translate(WIDE)


def page_message(text: str) -> str:
    """A page's message in the made-up language."""
    parts, done = [], 0
    for match in MARKUP.finditer(text):
        parts += [wide(text[done:match.start()]), TERM.sub(term, match[0])]
        done = match.end()
    return "".join([*parts, wide(text[done:])])


def term(match: re.Match[str]) -> str:
    words, target = (match[1], match[2]) if match[1] else (match[3], match[3])
    return f"{{term}}`{wide(words)} <{target}>`"


def program_message(text: str) -> str:
    """A message of the program: its fields stay."""
    parts, done = [], 0
    for match in FIELD.finditer(text):
        parts += [wide(text[done:match.start()]), match[0]]
        done = match.end()
    return "".join([*parts, wide(text[done:])])


# --- the build -------------------------------------------------------------------------------------------------------

def copy(out: Path, names: Iterable[str] = (*COPIED, "site", "node_modules")) -> None:
    """What the book, or the program, is made of."""
    for name in names:
        source = ROOT / name
        if name in ("site", "node_modules"):
            (out / name).symlink_to(source)
        elif source.is_dir():
            shutil.copytree(source, out / name, ignore=shutil.ignore_patterns("__pycache__", "locale", ".ipynb_checkpoints"))
        else:
            shutil.copy(source, out / name)


def put(folder: Path, name: str, messages: Iterable[Any], how: Callable[[str], str]) -> None:
    """The made-up translation of each message, as a source and compiled."""
    import catalogues
    from babel.messages.catalog import Catalog

    made = Catalog(locale="en")
    for message in messages:
        if message.id:
            many = message.id if isinstance(message.id, tuple) else None
            made.add(message.id, tuple(map(how, many)) if many else how(str(message.id)))
    catalogues.put(folder / f"{name}.po", catalogues.text(made, name).encode())
    catalogues.put(folder / f"{name}.mo", catalogues.compiled(made))


def folder_of(out: Path, part: str) -> Path:
    return out / part / "locale" / LANGUAGE / "LC_MESSAGES"


def translate_program(out: Path) -> None:
    """Put the made-up translation of the program's messages where the program looks for it."""
    import translate

    put(folder_of(out, "clustersim"), "clustersim", translate.program_template(ROOT, ["*"]), program_message)


def translate_pages(out: Path) -> None:
    """Extract the messages of all pages, and put the made-up translation of each where Sphinx looks for it."""
    import translate

    assert translate.find_page_messages(out), "the messages of the pages were not found"
    for path in sorted((out / "_build" / "gettext").rglob("*.pot")):
        name = path.relative_to(out / "_build" / "gettext").with_suffix("").as_posix()
        put(folder_of(out, "book"), name, translate.read_po(path.open("rb")), page_message)


def build(out: Path, pages: tuple[str, ...]) -> bool:
    """Build these pages, as an edition is built: the others are read for their references only."""
    import editions
    import language
    import make_site

    language.languages()[LANGUAGE] = language.Language(LANGUAGE, "Pseudo", pages, ("*",))
    make_site.quiet_kernels(out)
    os.environ["BOOK_DRAW_DIAGRAMS"] = "1"
    return make_site.run_jupyter_book(out, True, out=out / "_build" / "html" / LANGUAGE, trees=editions.doctrees(out, LANGUAGE),
                                      overrides={**editions.settings(out, LANGUAGE), "editions": []},
                                      files=editions.sources(out, pages))


def main(target: Path, pages: tuple[str, ...]) -> int:
    """Two processes: the second, told by its environment, has the made-up catalogue from its first import on."""
    if os.environ.get("CLUSTERSIM_LANGUAGE") == LANGUAGE:
        return 0 if build(target, pages) else 1
    copy(target)
    translate_program(target)
    translate_pages(target)
    paths = os.pathsep.join([str(target), str(ROOT / "site" / "build")])  # for the kernels of notebooks
    environment = {**os.environ, "CLUSTERSIM_LANGUAGE": LANGUAGE, "PYTHONPATH": paths}
    return subprocess.run([sys.executable, __file__, str(target), *pages], env=environment).returncode


if __name__ == "__main__":
    sys.path[:0] = [sys.argv[1], str(ROOT / "site" / "build"), str(ROOT / "site" / "ext")]
    sys.exit(main(Path(sys.argv[1]), tuple(sys.argv[2:])))
