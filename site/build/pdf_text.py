"""The letters that a PDF tells for its drawn signs, mended so that Japanese text can be searched and copied.

A font draws some characters and a radical of the same form, such as U+76EE and U+2F6C, by one sign, and Chromium notes the
radical. Nobody types it, so a search for the word would find nothing.
"""
from __future__ import annotations

import re
import unicodedata
from typing import Any

from pypdf import PdfWriter

RADICALS = range(0x2E80, 0x2FE0)
# Those for which Unicode has no plain form of its own; the rest is NFKC.
SUPPLEMENT = dict(zip("⻁⻄⻆⻑⻘⻝⻤⻨⻩⻫⻭⻯⻲", "虎西角長青食鬼麦黄斉歯竜亀", strict=True))
CHAR = re.compile(r"(<[0-9A-Fa-f]+>\s*)<([0-9A-Fa-f]{4})>(?=\s*\n)")
RANGE = re.compile(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]{4})>")


def plain(letter: str) -> str:
    """The character that people write in place of a radical; any other letter as it is."""
    if ord(letter) not in RADICALS:
        return letter
    return SUPPLEMENT.get(letter, unicodedata.normalize("NFKC", letter))


def _code(letter: str) -> str:
    return f"<{ord(plain(letter)):04X}>"


def mended(cmap: str) -> str:
    """A table from signs to letters without radicals."""
    def one(match: re.Match[str]) -> str:
        return match[1] + _code(chr(int(match[2], 16)))

    def many(match: re.Match[str]) -> str:
        first, last, start = (int(part, 16) for part in match.groups())
        letters = [chr(start + i) for i in range(last - first + 1)]
        if not any(ord(letter) in RADICALS for letter in letters):
            return match[0]
        return f"<{match[1]}> <{match[2]}> [{' '.join(map(_code, letters))}]"

    parts = re.split(r"(beginbfrange.*?endbfrange)", cmap, flags=re.DOTALL)
    return "".join(RANGE.sub(many, part) if part.startswith("beginbfrange") else CHAR.sub(one, part) for part in parts)


def mend(writer: PdfWriter) -> None:
    """Mend the tables of all fonts of a file."""
    done: set[int] = set()
    for sheet in writer.pages:
        resources: Any = sheet["/Resources"]
        for entry in resources.get("/Font", {}).values():
            table: Any = entry.get_object().get("/ToUnicode")
            if table is None or table.idnum in done:
                continue
            done.add(table.idnum)
            stream = table.get_object()
            before = stream.get_data().decode("ascii")
            after = mended(before)
            if after != before:
                stream.set_data(after.encode("ascii"))
