"""Still pictures hold all that they show, whatever their width: no word outside of its picture, no label on another."""
from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import pictures
import pytest

from clustersim.experiments import IDS, experiment
from clustersim.figures import gantt_spec, job_fill
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


@cache
def drawings(name: str) -> list[tuple[str, int, ET.Element]]:
    """(figure, width, drawing) of an experiment at its defaults."""
    return [(figure["name"], width, ET.fromstring(pictures.svg(figure, width, "x", "wide")))
            for figure in outcome_data(experiment(name)())["figures"] for width in (pictures.WIDE, pictures.NARROW)]


@pytest.mark.parametrize("name", IDS)
def test_every_word_is_inside_its_picture(name: str) -> None:
    for figure, width, drawing in drawings(name):
        _left, _top, right, bottom = map(float, drawing.attrib["viewBox"].split())
        found = list(words(drawing))
        assert found
        assert [word for word, x, y in found if not (0 <= x <= right and 0 <= y <= bottom)] == [], (figure, width)


DIGIT, ROOM = 6.7, 3.0  # px that a figure of an axis takes at 12 px, and that there are at least between two numbers


def rows_of_numbers(drawing: ET.Element) -> Iterator[list[tuple[float, float, str]]]:
    """The numbers below each horizontal axis, from left to right: where each begins and ends, and what it says."""
    for group in drawing.iter():
        if "role-axis-label" not in group.get("class", ""):
            continue
        found, heights = [], set()
        for text in group:
            word, [(x, y)] = "".join(text.itertext()), MOVE.findall(text.get("transform", ""))
            if text.get("opacity") != "0" and re.fullmatch(r"[-\u2212\d.,]+", word):
                size = DIGIT * len(word.replace(",", ""))  # a comma takes next to nothing
                left = float(x) - {"middle": size / 2, "end": size}.get(text.get("text-anchor", ""), 0.0)
                found.append((left, left + size, word))
                heights.add(y)
        if len(heights) == 1:
            yield sorted(found)


@pytest.mark.parametrize("name", IDS)
def test_numbers_of_an_axis_keep_apart(name: str) -> None:
    for figure, width, drawing in drawings(name):
        pairs = (pair for row in rows_of_numbers(drawing) for pair in pairwise(row))
        near = [(one[2], other[2]) for one, other in pairs if other[0] - one[1] < ROOM]
        assert near == [], (figure, width)


def test_stripes_are_in_a_drawing_once_however_many_jobs_there_are() -> None:
    """Otherwise a figure of 300 jobs would be four times as large, most of it stripes."""
    rows = [{"row": f"n{i % 30}", "job": str(i), "n": i, "start": i, "end": i + 20, "middle": i + 10, "label": ""}
            for i in range(300)]
    figure = {"spec": gantt_spec("node", [f"n{i}" for i in range(30)], 14), "data": {"bars": rows, "deaths": [], "marks": []}}
    drawing = pictures.svg(figure, pictures.WIDE, "x", "wide")
    assert drawing.count("<linearGradient") == sum(isinstance(job_fill(n), dict) for n in range(8)) == 6
    assert len(set(re.findall(r'fill="([^"]*)"', drawing))) >= 8
