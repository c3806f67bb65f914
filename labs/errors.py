"""Errors of the labs, beside those of ``clustersim.errors``."""
from __future__ import annotations

from clustersim.errors import ClusterSimError


class MissingTool(ClusterSimError):
    """A program or package that a lab needs is not installed; the text names it and the command that installs it."""


class Stopped(BaseException):
    """Signal ``number`` asked a lab to stop, and the lab has left nothing behind."""

    def __init__(self, number: int) -> None:
        self.number = number
