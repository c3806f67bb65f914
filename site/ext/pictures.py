"""Vega-Lite specifications as inline SVG, drawn at build time by vl-convert.

The same Vega-Lite version draws the live figure, so the picture does not jump when it comes alive.
"""
from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import vl_convert

VEGA_LITE = "5.21"
WIDE, NARROW = 600, 320  # px: a text column, and a phone of 390 px less its margins
_COORDINATES = re.compile(r'\b(?:d|transform|x[12]?|y[12]?|width|height|viewBox)="[^"]*"')
_LONG = re.compile(r"-?\d+\.\d{3,}(?:e-\d+)?")
SHEET = Path(__file__).parents[1] / "live" / "figures.css"
_kept: Path | None = None
MOST_SHAPES = 1_200  # a page stays light: about 1,000 marks, and the axes


def fitted(spec: Mapping[str, Any], data: Mapping[str, Sequence[Mapping[str, Any]]], width: int) -> dict[str, Any]:
    """``spec`` with its rows, ``width`` px wide in all (axes included).

    The page script does the same in ``chart.mjs``: keep the two alike.
    """
    config = {**(spec.get("config") or {}), "aria": False}  # the picture is named as a whole, by the element around it
    rows = {name: [dict(row) for row in values] for name, values in data.items()}
    return {**spec, "width": width, "autosize": {"type": "fit-x", "contains": "padding"}, "config": config, "datasets": rows}


def keep_in(folder: Path) -> None:
    """Keep drawings in ``folder``, named by a hash of all that they are made from: drawing is what takes longest."""
    global _kept
    _kept = folder
    folder.mkdir(parents=True, exist_ok=True)


def _drawn(spec: Mapping[str, Any]) -> str:
    drawer = importlib.metadata.version("vl-convert-python")
    key = hashlib.sha256(f"{VEGA_LITE} {drawer} {json.dumps(spec, sort_keys=True)}".encode()).hexdigest()
    file = _kept / f"{key}.svg" if _kept else None
    if file and file.is_file():
        return file.read_text("utf-8")
    text: str = vl_convert.vegalite_to_svg(dict(spec), vl_version=VEGA_LITE)
    if file:
        part = file.with_suffix(".part")  # a build that breaks off leaves no half drawing
        part.write_text(text, "utf-8")
        part.replace(file)
    return text


def svg(figure: Mapping[str, Any], width: int, prefix: str, css_class: str) -> str:
    """One figure (``spec`` and ``data``) as an SVG element, hidden from screen readers; its ids begin with ``prefix``."""
    text = _drawn(fitted(figure["spec"], figure["data"], width))
    text = _COORDINATES.sub(lambda m: _LONG.sub(lambda n: f"{float(n[0]):.2f}", m[0]), text)
    # vl-convert counts its ids on from picture to picture: number them anew, so that the same input gives the same text
    for number, name in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', text))):
        text = re.sub(rf'(\bid="|url\(#|href="#){re.escape(name)}(?=[")])', rf"\g<1>{prefix}{number}", text)
    head = re.search(r'width="([\d.]+)" height="([\d.]+)" viewBox="[^"]*"', text)
    assert head is not None, "vl-convert gives width, height and viewBox"
    start = (f'<svg xmlns="http://www.w3.org/2000/svg" class="{css_class}" {head[0]} aria-hidden="true" focusable="false">')
    body = text[text.index(">") + 1:]
    return start + re.sub(r' (?:role|aria-[a-z]+)="[^"]*"', "", body)


@cache
def dark_palette() -> dict[str, str]:
    """The colours of the dark page, by name, from the style sheet that has them."""
    return dict(re.findall(r"--cs-([\w-]+): (#[0-9a-f]{6});", SHEET.read_text("utf-8")))


def file(figure: Mapping[str, Any], dark: bool) -> str:
    """One figure as an SVG file of its own, narrow; no style sheet reaches it, so its colours are plain."""
    other = dark_palette() if dark else {}
    text = svg(figure, NARROW, "p", "")
    return re.sub(r"var\(--cs-([\w-]+), ([^()]+)\)", lambda match: other.get(match[1], match[2]), text)


def shapes(text: str) -> int:
    """How many shapes and words an SVG text draws."""
    return len(re.findall(r"<(?:path|rect|line|text|circle)\b(?! class=\"(?:back|fore)ground\")", text))


def picture(figure: Mapping[str, Any], prefix: str) -> str:
    """A figure's title and its drawing twice, for a wide and a narrow column; a style sheet shows one of them."""
    wide = svg(figure, WIDE, f"{prefix}-w-", "cs-wide")
    narrow = svg(figure, NARROW, f"{prefix}-n-", "cs-narrow")
    return (f'<div class="cs-figure" data-figure="{escape(figure["name"])}">'
            f'<p class="cs-title">{escape(figure["title"])}</p>'
            f'<div class="cs-picture" role="img" aria-label="{escape(figure["alt"])}">{wide}{narrow}</div></div>')
