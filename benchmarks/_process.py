"""What a command costs: its own CPU time and memory, without the process that measures."""
from __future__ import annotations

import compileall
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import clustersim


@dataclass(frozen=True)
class Cost:
    """User CPU seconds and peak memory (MB) of a process, and the JSON object that it printed."""

    user_s: float
    peak_mb: float
    said: dict[str, Any]


def compile_package() -> None:
    """Compile ``clustersim`` to bytecode, as installing it does. Where Python is told to keep none, every run would compile
    all modules anew (a tenth of a second), while the reference is one short file."""
    compileall.compile_dir(Path(clustersim.__file__).parent, quiet=1)


def measure(command: list[str]) -> Cost:
    """Run ``command``, which prints one JSON object; anything but exit code 0 ends the benchmark."""
    read, write = os.pipe()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, write, 1)])
    os.close(write)
    with open(read, encoding="utf-8") as stream:
        text = stream.read()
    _pid, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(usage.ru_utime, usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024), json.loads(text))
