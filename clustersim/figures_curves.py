"""Charts of a number over a number: smooth curves, upright marks, dots of single runs. Plain data, as in ``figures``."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clustersim.figures import PALETTE, base, mark_layers
from clustersim.figures_queue import DASHES, LINES


def curve_spec(names: Sequence[str], x_title: str, y_title: str, log_x: Sequence[float] = (), y_format: str = "",
               height: int = 220) -> dict[str, Any]:
    """A curve a name: colour and dashes differ. ``log_x``: the ticks of a logarithmic x axis.

    Datasets: ``points`` (x, value, name, in order of x), ``marks`` (x, label: an upright line) and ``dots`` (x, value:
    single runs).
    """
    axis: dict[str, Any] = {"values": list(log_x)} if log_x else {"tickCount": 8}
    scale: dict[str, Any] = {"type": "log", "nice": False} if log_x else {"nice": False, "zero": False}
    x = {"field": "x", "type": "quantitative", "title": x_title, "axis": {**axis, "format": ",~f"}, "scale": scale}
    y_axis: dict[str, Any] = {"tickCount": 5, **({"format": y_format} if y_format else {})}
    y = {"field": "value", "type": "quantitative", "title": y_title, "axis": y_axis, "scale": {"zero": True}}
    by_name = {"field": "name", "type": "nominal", "title": None}
    domain = {"domain": list(names)}
    count = range(len(names))
    line = {
        "data": {"name": "points"}, "mark": {"type": "line", "strokeWidth": 2.6, "clip": True},
        "encoding": {
            "x": x, "y": y,
            "stroke": {**by_name, "scale": {**domain, "range": [PALETTE[LINES[i % 6]] for i in count]}},
            "strokeDash": {**by_name, "scale": {**domain, "range": [DASHES[i % 6] for i in count]}},
        },
    }
    dot = {"type": "point", "filled": False, "stroke": PALETTE["bad"], "size": 46, "strokeWidth": 1.6, "clip": True}
    dots = {"data": {"name": "dots"}, "mark": dot, "encoding": {"x": x, "y": y}}
    return base(height, [line, dots, *mark_layers("x", x)])
