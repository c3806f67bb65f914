"""File locks that say who is alive; the kernel drops them when a process ends, however it ends.

The lab holds the lease of a run while it watches over it. A training process ends itself when nobody holds the lease any
more, so not even ``kill -9`` of the lab leaves one behind. In turn each training process holds a lock on a file with its
process id, so the lab kills only what is certainly alive and its own. Linux and macOS.
"""
from __future__ import annotations

import fcntl
import os
import threading
import time
from pathlib import Path

PERIOD_S = 0.2


class Lock:
    """An exclusive lock on a file, with a text in it; held until ``release`` or the end of the process."""

    def __init__(self, path: Path, text: str = "") -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX)  # waits at most for a look by is_held
        os.write(self._handle, text.encode())

    def release(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock; False if there is no such file."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(handle)


def lease_of(folder: Path) -> Path:
    return folder / "lease"


def badge_of(folder: Path, attempt: int, rank: int) -> Path:
    """The file that a training process locks; it holds the process id."""
    return folder / f"process-{attempt:03d}-{rank}"


def pid_if_alive(badge: Path) -> int | None:
    """The process id in a badge whose owner is alive."""
    if not is_held(badge):
        return None
    text = badge.read_text()
    return int(text) if text else None  # locked, not yet written: too young to be known


def waited_ns(pid: int) -> int:
    """How long a process stood ready to run and no core was free, so far; 0 where the system does not say (Linux does)."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def end_with_the_lease(folder: Path) -> None:
    """End this process, now or later, as soon as nobody holds the lease: from a thread, whatever the process is doing.

    The exit code is 0, because torchrun starts a failed process again.
    """
    lease = lease_of(folder)

    def watch() -> None:
        while is_held(lease):
            time.sleep(PERIOD_S)
        os._exit(0)

    if not is_held(lease):
        os._exit(0)
    threading.Thread(target=watch, daemon=True).start()
