"""The palette of the figures: the directive ``{palette}`` shows it, and says how far its colours are from each other.

How a colour looks to readers without red or green cones is computed by G. Machado, M. Oliveira and L. Fernandes, "A
Physiologically-based Model for Simulation of Color Vision Deficiency" (IEEE TVCG, 2009), severity 1.0, on linear light;
distances are Euclidean in B. Ottosson's Oklab, times 100. Grey is CIE L*, what a black-and-white printer has to go by.
"""
from __future__ import annotations

import math
from html import escape

from docutils import nodes
from pictures import dark_palette
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from clustersim.figures import PALETTE
from clustersim.messages import _

Triple = tuple[float, float, float]
EYES: dict[str, tuple[Triple, Triple, Triple]] = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
_TO_CONES = ((0.4122214708, 0.5363325363, 0.0514459929), (0.2119034982, 0.6806995451, 0.1073969566),
             (0.0883024619, 0.2817188376, 0.6299787005))
_TO_LAB = ((0.2104542553, 0.7936177850, -0.0040720468), (1.9779984951, -2.4285922050, 0.4505937099),
           (0.0259040371, 0.7827717662, -0.8086757660))


def linear(colour: str) -> Triple:
    """Linear light of ``#rrggbb``, each part from 0 to 1."""
    red, green, blue = (int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5))
    return _linear(red), _linear(green), _linear(blue)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _times(matrix: tuple[Triple, ...], value: Triple) -> Triple:
    first, second, third = (sum(a * b for a, b in zip(row, value, strict=True)) for row in matrix)
    return first, second, third


def oklab(light: Triple) -> Triple:
    long, medium, short = _times(_TO_CONES, light)
    return _times(_TO_LAB, (math.cbrt(long), math.cbrt(medium), math.cbrt(short)))


def distance(one: str, other: str, eyes: str = "all cones") -> float:
    """How different two colours look to these eyes; 2 is about the least that one notices."""
    return 100 * math.dist(*(oklab(_times(EYES[eyes], linear(colour))) for colour in (one, other)))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2), from 0 to 1."""
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def grey(colour: str) -> float:
    """CIE L*, from 0 (black) to 100 (white)."""
    light = luminance(colour)
    return 116 * math.cbrt(light) - 16 if light > 216 / 24389 else light * 24389 / 27


class Palette(SphinxDirective):
    """A table: name, light, dark, and its tone on a grey print."""

    def run(self) -> list[nodes.Node]:
        dark = dark_palette()
        rows = "".join(self._row(name, colour, dark[name]) for name, colour in PALETTE.items())
        heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in
                        (_("name"), _("light"), _("dark"), _("contrast with the page"), _("in grey print")))
        table = f'<table class="cs-palette"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        return [nodes.raw("", f'<div class="pst-scrollable-table-container">{table}</div>', format="html")]

    def _row(self, name: str, light: str, dark: str) -> str:
        swatches = "".join(f'<td><span class="cs-swatch" style="background:{colour}"></span> <code>{colour}</code></td>'
                           for colour in (light, dark))
        return (f"<tr><td><code>{name}</code></td>{swatches}<td>{contrast(light, PALETTE['paper']):.1f}, "
                f"{contrast(dark, dark_palette()['paper']):.1f}</td><td>L* {grey(light):.0f}</td></tr>")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("palette", Palette)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
