"""What the training processes say and how the lab listens: one JSON object a line, a file for each attempt.

Times are nanoseconds of the monotonic clock, which all processes of a machine share. A line is one write call, and an
attempt has a file of its own, so a kill can only ever leave an unfinished last line, which is not read.
"""
from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any


def file_of(folder: Path, attempt: int) -> Path:
    return folder / f"events-{attempt:03d}.jsonl"


class Log:
    """The writing end, for rank 0 of one attempt."""

    def __init__(self, folder: Path, attempt: int) -> None:
        self._handle = os.open(file_of(folder, attempt), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def say(self, what: str, **more: object) -> None:
        line = json.dumps({"what": what, "ns": time.monotonic_ns(), **more}) + "\n"
        os.write(self._handle, line.encode())


class Tail:
    """The reading end of a file that grows: whole lines, each once; nothing while the file is not there."""

    def __init__(self, path: Path) -> None:
        self._path, self._at, self._rest = path, 0, b""

    def lines(self) -> list[str]:
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._at)
                new = stream.read()
        except FileNotFoundError:
            return []
        self._at += len(new)
        *whole, self._rest = (self._rest + new).split(b"\n")
        return [line.decode("utf-8", "replace") for line in whole]


class Events:
    """The events of all attempts of a run, in order, as they come in."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._attempt = folder, 0
        self._tail = Tail(file_of(folder, 0))

    def new(self) -> list[tuple[int, dict[str, Any]]]:
        """Attempt and event, for each event since the last call."""
        found: list[tuple[int, dict[str, Any]]] = []
        while True:
            # Looked up before reading: once a later attempt has a file, this one says no more.
            later = self._next()
            found += [(self._attempt, json.loads(line)) for line in self._tail.lines()]
            if later is None:
                return found
            self._attempt = later
            self._tail = Tail(file_of(self._folder, later))

    def _next(self) -> int | None:
        """The next attempt with a file; one that died before its first word has none."""
        numbers = (int(path.stem.removeprefix("events-")) for path in self._folder.glob("events-*.jsonl"))
        return min((number for number in numbers if number > self._attempt), default=None)
