"""The palette in the light and in the dark: words on fills are legible, fills or their edges stand out from the page."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from clustersim.figures import PALETTE

SHEET = Path(__file__).resolve().parents[2] / "site" / "live" / "figures.css"
DARK = dict(re.findall(r"--cs-([\w-]+): (#[0-9a-f]{6});", SHEET.read_text("utf-8")))
TEXT, SHAPE = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11


def contrast(one: str, other: str) -> float:
    lights = sorted((_light(one), _light(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _light(colour: str) -> float:
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_the_dark_palette_has_exactly_the_colours_of_the_light_one() -> None:
    assert DARK.keys() == PALETTE.keys()


@pytest.mark.parametrize("palette", [PALETTE, DARK], ids=["light", "dark"])
def test_contrast(palette: dict[str, str]) -> None:
    paper, ink = palette["paper"], palette["ink"]
    for name in ("ink", "muted"):
        assert contrast(palette[name], paper) >= TEXT, name
    for name in ("edge", "bad"):
        assert contrast(palette[name], paper) >= SHAPE, name
    for name in [n for n in palette if n.startswith(("job-", "tint-"))]:
        assert contrast(ink, palette[name]) >= TEXT, name
        assert max(contrast(palette[name], paper), contrast(palette["edge"], paper)) >= SHAPE, name


def test_paper_gets_the_light_colours_back() -> None:
    printed = SHEET.read_text("utf-8").partition("@media print")[2]
    assert set(re.findall(r"--cs-([\w-]+):\s+initial;", printed)) == set(PALETTE)
