"""What a reader sees or hears of a page, and which of it is left in plain letters: one reader of text for all tests."""
from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import Any

# A word in plain letters; not a part of a name such as gpu1, bf_interval or sched/backfill.
WORD = re.compile(r"(?<![\w/.:@=#+-])[A-Za-z][a-z]{2,}(?![\w/@=+]|[.:-]\w|\()")
# Three English words in a row; in quotation marks they are typed as they are, in brackets they are the original.
SENTENCE = re.compile(r"(?<!['（])\b[A-Za-z]+(?: [a-z]{2,}){2,}")
SILENT = {"script", "style", "code", "pre", "kbd", "samp", "math", "head"}
VOID = {"br", "hr", "img", "input", "link", "meta", "path", "rect", "use", "line", "circle", "polygon", "ellipse", "col", "wbr"}
ATTRIBUTES = ("aria-label", "title", "alt", "placeholder", "data-auto", "data-light", "data-dark", "data-copy", "data-copied",
              "data-again", "aria-valuetext")
CODE = re.compile(r"``.+?``|`[^`]*`")  # of a message as Markdown


class Seen(HTMLParser):
    """A page's text, its names and descriptions, and what its scripts will say; without code.

    With ``english`` also what says of itself that it is English.
    """

    def __init__(self, english: bool = True) -> None:
        super().__init__()
        self.english = english
        self.open: list[tuple[str, bool]] = []
        self.found: list[str] = []
        self.block = False

    def is_silent(self, tag: str, names: dict[str, str | None]) -> bool:
        return tag in SILENT or names.get("translate") == "no" or (not self.english and names.get("lang") == "en")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        here = self.is_silent(tag, names)
        self.block = tag == "script" and names.get("type") == "application/json"
        if tag not in VOID:
            self.open.append((tag, here))
        if here or self.silent() or (not self.english and names.get("hreflang") == "en"):
            return
        # The title of a cited fact names its source, which is a proper name.
        passed = {"title"} if "cs-fact" in (names.get("class") or "") else set()
        self.found += [text for name in ATTRIBUTES if (text := names.get(name)) and name not in passed]

    def silent(self) -> bool:
        return any(silent for _tag, silent in self.open)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        while any(name == tag for name, _silent in self.open) and self.open.pop()[0] != tag:
            pass
        self.block = False

    def handle_data(self, data: str) -> None:
        if self.block:
            held = json.loads(data)
            self.found += strings(held.get("words", held) if isinstance(held, dict) else held)
        elif not self.silent():
            self.found.append(data)


def seen(page: str, english: bool = True) -> list[str]:
    """The visible texts of a page."""
    reader = Seen(english)
    reader.feed(page)
    return reader.found


def strings(data: Any) -> list[str]:
    """Every string in plain data."""
    if isinstance(data, str):
        return [data]
    inside = data.values() if isinstance(data, dict) else data if isinstance(data, list | tuple) else ()
    return [text for item in inside for text in strings(item)]


def left(texts: Iterable[str], names: Iterable[str]) -> Iterator[str]:
    """What is in plain letters and none of ``names``, each with its text; fields of sentences, as ``{n}``, are no words."""
    named = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in sorted(names, key=len, reverse=True)) or "$^")
    for text in texts:
        words = WORD.findall(named.sub("", re.sub(r"\{\w*\}", "", CODE.sub("", text))))
        if words:
            yield f"{' '.join(words)}: {' '.join(text.split())[:160]}"
