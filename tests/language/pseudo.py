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
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LANGUAGE = "en_XA"  # the code that is kept for this purpose
WIDE = {code: code + 0xFEE0 for code in [*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1)]}
COPIED = ("book", "notebooks", "clustersim", "_config.yml", "_toc.yml", "pyproject.toml", "README.md", "LICENSE-CODE", "labs")
# What of a page's message is no text: code, math, roles, targets of links, addresses, entities, attributes.
MARKUP = re.compile(r"``.+?``|`[^`]*`|\$[^$]+\$|\{[^{}`]*\}(?:`[^`]*`)?|\]\([^)]*\)|<[^<>\s]+>|https?://\S+|&\w+;")
TERM = re.compile(r"\{term\}`(?:([^`<]+?) <([^`<>]+)>|([^`<>]+))`")
FIELD = re.compile(r"\{\{|\}\}|\{[^{}]*\}|%[a-z]")


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

def copy(out: Path) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, out / name, ignore=shutil.ignore_patterns("__pycache__", "locale", ".ipynb_checkpoints"))
        else:
            shutil.copy(source, out / name)
    for name in ("site", "node_modules"):
        (out / name).symlink_to(ROOT / name)


def translate_all(out: Path) -> None:
    """Extract the messages, and put the made-up translation of each where the build looks for it."""
    import catalogues
    import translate
    from babel.messages.catalog import Catalog

    assert translate.find_page_messages(out), "the messages of the pages were not found"
    program, pages = translate.program_template(out, ["*"]), sorted((out / "_build" / "gettext").rglob("*.pot"))
    for path in [None, *pages]:
        template = program if path is None else translate.read_po(path.open("rb"))
        made = Catalog(locale="en")
        for message in template:
            if message.id and path is None:
                many = message.id if isinstance(message.id, tuple) else None
                made.add(message.id, tuple(map(program_message, many)) if many else program_message(str(message.id)))
            elif message.id:
                made.add(message.id, page_message(str(message.id)))
        folder = out / ("clustersim" if path is None else "book") / "locale" / LANGUAGE / "LC_MESSAGES"
        name = "clustersim" if path is None else path.relative_to(out / "_build" / "gettext").with_suffix("").as_posix()
        catalogues.put(folder / f"{name}.po", catalogues.text(made, name).encode())
        catalogues.put(folder / f"{name}.mo", catalogues.compiled(made))


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


# --- what is left ----------------------------------------------------------------------------------------------------

# A word in plain letters; not a part of a name such as gpu1, bf_interval or sched/backfill.
WORD = re.compile(r"(?<![\w/.:@=#+-])[A-Za-z][a-z]{2,}(?![\w/@=+]|[.:-]\w|\()")
SILENT = {"script", "style", "code", "pre", "kbd", "samp", "math", "head"}
VOID = {"br", "hr", "img", "input", "link", "meta", "path", "rect", "use", "line", "circle", "polygon", "ellipse", "col", "wbr"}
ATTRIBUTES = ("aria-label", "title", "alt", "placeholder", "data-auto", "data-light", "data-dark", "data-copy", "data-copied",
              "data-again", "aria-valuetext")


class Seen(HTMLParser):
    """What a reader sees or hears of a page: its text, its names and descriptions, and what its scripts will say."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag not in VOID:
            self.open.append((tag, tag in SILENT or names.get("translate") == "no"))
        if not self.silent():
            source = "cs-fact-link" in (names.get("class") or "")  # its title names the source, which is a proper name
            self.found += [text for name in ATTRIBUTES if (text := names.get(name)) and not (source and name == "title")]

    def silent(self) -> bool:
        return any(silent for _tag, silent in self.open)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self.silent():
            self.found.append(data)


def seen(page: str) -> list[str]:
    reader = Seen()
    reader.feed(page)
    return reader.found


def left(texts: Iterable[str], names: Iterable[str]) -> Iterator[str]:
    """What is in plain letters and none of ``names``, each with its text."""
    named = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in sorted(names, key=len, reverse=True)))
    for text in texts:
        words = WORD.findall(named.sub("", text))
        if words:
            yield f"{' '.join(words)}: {' '.join(text.split())[:120]}"


def main(target: Path, pages: tuple[str, ...]) -> int:
    """Two processes: the second, told by its environment, has the made-up catalogue from its first import on."""
    if os.environ.get("CLUSTERSIM_LANGUAGE") == LANGUAGE:
        return 0 if build(target, pages) else 1
    copy(target)
    translate_all(target)
    paths = os.pathsep.join([str(target), str(ROOT / "site" / "build")])  # for the kernels of notebooks
    environment = {**os.environ, "CLUSTERSIM_LANGUAGE": LANGUAGE, "PYTHONPATH": paths}
    return subprocess.run([sys.executable, __file__, str(target), *pages], env=environment).returncode


if __name__ == "__main__":
    sys.path[:0] = [sys.argv[1], str(ROOT / "site" / "build"), str(ROOT / "site" / "ext")]
    sys.exit(main(Path(sys.argv[1]), tuple(sys.argv[2:])))
