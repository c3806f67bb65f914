"""Starting the lab as a reader does, and seeing what it leaves: for the tests of real runs."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.conftest import ROOT

MARK = "LABS_TEST_MARK"


@dataclass
class Lab:
    """A running ``labs`` whose temporary files go to ``scratch``; every process that it starts carries ``mark``."""

    process: subprocess.Popen[str]
    scratch: Path
    mark: str

    def processes(self) -> list[psutil.Process]:
        """All living ones, ``labs`` itself included."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue  # ended, or of another user
        return found

    def lines_until(self, wanted: str) -> list[str]:
        """What it says, up to the first line with ``wanted``."""
        lines: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            lines.append(line)
            if wanted in line:
                return lines
        raise AssertionError(f"the lab ended without saying {wanted!r}:\n{''.join(lines)}")


@contextmanager
def lab(scratch: Path, *arguments: str) -> Iterator[Lab]:
    """``labs`` with the arguments, in ``scratch``; at the end of the block nothing of it is left, come what may."""
    mark = uuid.uuid4().hex
    environment = {**os.environ, MARK: mark, "TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1"}
    environment["PYTHONPATH"] = str(ROOT)
    process = subprocess.Popen([sys.executable, "-m", "labs.cli", *arguments], cwd=scratch, env=environment, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))  # under nohup it is ignored
    running = Lab(process, scratch, mark)
    try:
        yield running
    finally:
        for left in running.processes():
            left.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def wait_for(what: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether it comes true in time."""
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
