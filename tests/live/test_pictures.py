"""Still pictures hold all that they show: no word begins outside of its picture, whatever its width."""
from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pictures
import pytest

from clustersim.experiments import IDS, experiment
from clustersim.page import outcome_data

MOVE = re.compile(r"translate\(([-\d.e]+),\s*([-\d.e]+)\)")


def words(element: ET.Element, x: float = 0.0, y: float = 0.0) -> Iterator[tuple[str, float, float]]:
    """Each text of a drawing with its place."""
    for dx, dy in MOVE.findall(element.get("transform", "")):
        x, y = x + float(dx), y + float(dy)
    if element.tag.endswith("text") and "".join(element.itertext()).strip() and element.get("opacity") != "0":
        yield "".join(element.itertext()), x, y
    for child in element:
        yield from words(child, x, y)


@pytest.mark.parametrize("name", IDS)
def test_every_word_is_inside_its_picture(name: str) -> None:
    for figure in outcome_data(experiment(name)())["figures"]:
        for width in (pictures.WIDE, pictures.NARROW):
            drawing = ET.fromstring(pictures.svg(figure, width, "x", "wide"))
            _left, _top, right, bottom = map(float, drawing.attrib["viewBox"].split())
            found = list(words(drawing))
            assert found
            assert [word for word, x, y in found if not (0 <= x <= right and 0 <= y <= bottom)] == [], (figure["name"], width)
