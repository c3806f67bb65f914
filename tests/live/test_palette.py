"""The palette in the light and in the dark: words on fills are legible, fills or their edges stand out from the page."""
from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import palette
import pytest

from clustersim.figures import PALETTE, job_fill

contrast = palette.contrast

SHEET = Path(__file__).resolve().parents[2] / "site" / "live" / "figures.css"
DARK = dict(re.findall(r"--cs-([\w-]+): (#[0-9a-f]{6});", SHEET.read_text("utf-8")))
TEXT, SHAPE = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11


def test_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_the_dark_palette_has_exactly_the_colours_of_the_light_one() -> None:
    assert DARK.keys() == PALETTE.keys()


@pytest.mark.parametrize("colours", [PALETTE, DARK], ids=["light", "dark"])
def test_contrast(colours: dict[str, str]) -> None:
    paper, ink = colours["paper"], colours["ink"]
    for name in ("ink", "muted"):
        assert contrast(colours[name], paper) >= TEXT, name
    for name in ("edge", "bad"):
        assert contrast(colours[name], paper) >= SHAPE, name
    for name in [n for n in colours if n.startswith(("job-", "tint-"))]:
        assert contrast(ink, colours[name]) >= TEXT, name
        assert max(contrast(colours[name], paper), contrast(colours["edge"], paper)) >= SHAPE, name


def test_paper_gets_the_light_colours_back() -> None:
    printed = SHEET.read_text("utf-8").partition("@media print")[2]
    assert set(re.findall(r"--cs-([\w-]+):\s+initial;", printed)) == set(PALETTE)


# --- readers who see colours otherwise, and grey printers ----------------------------------------------------------

# Which colours stand for different things with nothing but the colour between them: the fills of jobs with the same
# stripes (every fourth), and the marks of series and of what went wrong.
SAME_STRIPES = [(f"job-{n}", f"job-{n + 4}") for n in range(1, 5)]
ALONE = [*SAME_STRIPES, *combinations(("in-order", "ahead", "bad"), 2)]
LEAST = {"all cones": 9, "protanopia": 7, "deuteranopia": 7, "tritanopia": 5}  # in Oklab x 100, where 2 is just noticed
GREY = 9  # L*: neighbouring tones of a ten-step grey scale


def test_the_model_of_eyes_against_what_is_known() -> None:
    """White stays white; red and green of one lightness come nearer without red or green cones, blue and yellow do not."""
    for eyes in palette.EYES:
        assert palette.distance("#ffffff", "#808080", eyes) == pytest.approx(palette.distance("#ffffff", "#808080"), rel=0.01)
    assert palette.distance("#ffffff", "#000000") == pytest.approx(100, abs=0.1)  # Oklab's L runs from 0 to 1
    red, green = "#c06050", "#6f8a3c"
    for eyes in ("protanopia", "deuteranopia"):
        assert palette.distance(red, green, eyes) < 0.6 * palette.distance(red, green)
        assert palette.distance("#3050c0", "#c0b030", eyes) > 0.8 * palette.distance("#3050c0", "#c0b030")
    assert palette.grey("#ffffff") == pytest.approx(100) and palette.grey("#777777") == pytest.approx(50, abs=0.5)


def test_jobs_with_the_same_stripes_are_four_apart() -> None:
    """What SAME_STRIPES rests on: within four the stripes differ, after four they come again in another colour."""
    shapes = [str(job_fill(n)).replace(PALETTE[f"job-{n % 8 + 1}"], "fill").replace(PALETTE[f"tint-{n % 8 + 1}"], "tint")
              for n in range(8)]
    assert len(set(shapes[:4])) == 4 and shapes[:4] == shapes[4:]


@pytest.mark.parametrize("eyes", LEAST)
@pytest.mark.parametrize("colours", [PALETTE, DARK], ids=["light", "dark"])
def test_colours_that_stand_alone_differ_for_all_eyes(colours: dict[str, str], eyes: str) -> None:
    near = {pair: palette.distance(colours[pair[0]], colours[pair[1]], eyes) for pair in ALONE}
    assert {pair: found for pair, found in near.items() if found < LEAST[eyes]} == {}


def test_colours_that_stand_alone_differ_on_a_grey_print() -> None:
    """Paper has the light palette, so it alone matters."""
    near = {pair: abs(palette.grey(PALETTE[pair[0]]) - palette.grey(PALETTE[pair[1]])) for pair in ALONE}
    assert {pair: found for pair, found in near.items() if found < GREY} == {}


@pytest.mark.parametrize("colours", [PALETTE, DARK], ids=["light", "dark"])
def test_stripes_show(colours: dict[str, str]) -> None:
    pairs = [(colours[f"job-{n}"], colours[f"tint-{n}"]) for n in range(1, 9)]
    assert min(abs(palette.grey(fill) - palette.grey(tint)) for fill, tint in pairs) >= 6


def test_fall_backs_in_style_sheets_and_scripts_are_the_light_palette() -> None:
    site = SHEET.parents[1]
    files = [path for pattern in ("*.css", "*.js", "*.mjs", "*.py") for path in site.rglob(pattern)]
    found = [use for path in files for use in re.findall(r"var\(--cs-([\w-]+), (#[0-9a-f]{6})\)", path.read_text("utf-8"))]
    known = [(name, colour) for name, colour in found if name in PALETTE]
    assert len(known) > 20 and {(name, colour) for name, colour in known if PALETTE[name] != colour} == set()
