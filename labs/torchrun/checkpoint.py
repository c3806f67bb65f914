"""Checkpoints that a kill at any moment cannot spoil.

A file is written under another name, flushed to the disk and only then renamed, so that it is there as a whole or not at
all. It carries its length and SHA-256, so that a file torn in another way (a disk that lied, a copy that broke off) is
noticed and the one before it is used. Standard library only.
"""
from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

MAGIC = b"labs-checkpoint-1\n"
HEAD = len(MAGIC) + 8 + 32  # magic, length, SHA-256
KEEP = 2                    # the newest, and one to fall back to


def save(folder: Path, step: int, content: bytes) -> None:
    """Write the checkpoint of ``step`` (bytes in any form) and remove all but the newest ``KEEP``."""
    for left_over in folder.glob(".checkpoint-*"):
        left_over.unlink()
    name = f"checkpoint-{step:08d}"
    hidden = folder / f".{name}"
    with hidden.open("wb") as stream:
        stream.write(MAGIC + len(content).to_bytes(8, "big") + hashlib.sha256(content).digest() + content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(hidden, folder / name)
    _flush_folder(folder)
    for step_gone in steps(folder)[KEEP:]:
        (folder / f"checkpoint-{step_gone:08d}").unlink()


def steps(folder: Path) -> list[int]:
    """Steps of which there is a file, whole or not, newest first."""
    names = (re.fullmatch(r"checkpoint-(\d{8,})", path.name) for path in folder.iterdir())
    return sorted((int(name[1]) for name in names if name), reverse=True)


def load(folder: Path, step: int) -> bytes | None:
    """What was saved for ``step``, or None if the file is missing or not what was written."""
    try:
        raw = (folder / f"checkpoint-{step:08d}").read_bytes()
    except FileNotFoundError:
        return None
    head, content = raw[:HEAD], raw[HEAD:]
    whole = head == MAGIC + len(content).to_bytes(8, "big") + hashlib.sha256(content).digest()
    return content if whole else None


def newest(folder: Path) -> tuple[int, bytes] | None:
    """Step and content of the newest whole checkpoint; None if there is none."""
    for step in steps(folder):
        content = load(folder, step)
        if content is not None:
            return step, content
    return None


def _flush_folder(folder: Path) -> None:
    """Make the rename itself durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
