"""``labs torchrun``: the command line of lab L3."""
from __future__ import annotations

import argparse
import errno
import importlib.util
import json
import os
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from clustersim.errors import InputError
from clustersim.messages import N_, _
from labs.errors import MissingTool
from labs.torchrun.settings import TORCH, Settings

DEFAULTS = Settings()
ROOM = 50_000_000  # bytes: three runs, each with two checkpoints, logs and torchrun's own files, took 7 MB
NO_TORCH = N_("this lab needs PyTorch {torch}: run `{python} -m pip install torch=={torch}` (on Linux that may be a build for "
              "GPUs of several gigabytes; labs/README.md says how to get the one for the CPU).")
NO_LOCKS = N_("this lab needs Linux or macOS (on Windows, use the Windows Subsystem for Linux).")


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = _("L3: train with real processes, kill them, and compare goodput with a prediction")
    parser = commands.add_parser("torchrun", help=text, description=text)
    parser.add_argument("--processes", type=int, choices=(2, 3, 4), default=DEFAULTS.processes,
                        help=_("how many train together (default %(default)s)"))
    parser.add_argument("--minutes", type=_between(0.5, 120), default=DEFAULTS.minutes, metavar="N",
                        help=_("about how long the lab takes (default %(default)s; longer if restarts are slow)"))
    parser.add_argument("--rate", type=_between(0.01, 600), default=DEFAULTS.rate_per_min, metavar="R",
                        help=_("kills a minute of training, on average (default %(default)s)"))
    parser.add_argument("--seed", type=int, default=DEFAULTS.seed, metavar="N", help=_("draws the kills (default %(default)s)"))
    parser.add_argument("--checkpoint-every", type=_whole, default=DEFAULTS.checkpoint_every, metavar="STEPS",
                        help=_("steps between checkpoints (default %(default)s; a step takes 0.1 s)"))
    parser.add_argument("--json", type=Path, metavar="FILE", help=_("write the result, with every number, as JSON"))
    parser.add_argument("--folder", type=Path, metavar="DIR",
                        help=_("work in DIR and keep everything there (default: a temporary folder, removed at the end)"))
    parser.set_defaults(run=main)


def main(args: argparse.Namespace) -> int:
    """0: done, losses equal. 1: they differ. The caller turns errors and signals into words and exit codes."""
    _check_tools()
    from labs.torchrun import report
    from labs.torchrun.lab import measure, plan
    from labs.torchrun.run import Signals

    settings = Settings(args.processes, args.minutes, args.rate, args.seed, args.checkpoint_every)
    planned = plan(settings)
    if args.json:
        _check_place(args.json)
    _check_room(args.folder)
    story = report.Story(sys.stdout)
    with Signals() as signals:
        folder = _make(args.folder)
        try:
            for line in [*report.opening(planned), _("Working in {folder}").format(folder=folder)]:
                story.line(line)
            result = measure(planned, folder, story, signals)
        finally:
            if not args.folder:
                shutil.rmtree(folder)
    if args.json:
        _write(args.json, json.dumps(report.record(result), indent=1) + "\n")
    for line in [*report.comparison(result), *report.explanation(result), *report.verdict(result)]:
        story.line(line)
    return 0 if result.same_loss else 1


def _check_tools() -> None:
    if importlib.util.find_spec("fcntl") is None:
        raise MissingTool(_(NO_LOCKS))
    if importlib.util.find_spec("torch") is None:
        raise MissingTool(_(NO_TORCH).format(torch=TORCH, python=sys.executable))
    found = version("torch")
    if found.split("+")[0] != TORCH:
        print(_("labs: tried with PyTorch {torch}; this is {found}").format(torch=TORCH, found=found), file=sys.stderr)


def _make(wanted: Path | None) -> Path:
    """The work folder: new, or the reader's own if it is empty."""
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix="labs-torchrun-")).resolve()
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        empty = not any(wanted.iterdir())
    except OSError as error:
        raise InputError(f"--folder {wanted}", error.strerror or str(error), _("a folder that can be made")) from None
    if not empty:
        raise InputError(f"--folder {wanted}", _("files"), _("an empty or new folder"))
    return wanted.resolve()


def _check_place(path: Path) -> None:
    """Before minutes are spent: can the result be written?"""
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with tempfile.NamedTemporaryFile(dir=path.resolve().parent, prefix=f".{path.name}."):
            pass  # rights alone do not tell: a disk may be read-only
    except OSError as error:
        raise InputError(f"--json {path}", error.strerror or str(error), _("a file that can be written")) from None


def _check_room(wanted: Path | None) -> None:
    """On a full disk the training would neither write nor say anything, so it is not begun."""
    remedy = _("Name a folder on another disk with --folder.")
    try:
        place = wanted.resolve() if wanted else Path(tempfile.gettempdir())
    except FileNotFoundError as error:  # no folder for temporary files can be written to
        raise InputError(_("temporary folder"), error.strerror, _("one that can be written to"), remedy) from None
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < ROOM:
        raise InputError(str(place), _("{n:.1f} MB free").format(n=free / 1e6), _("{n:.0f} MB").format(n=ROOM / 1e6), remedy)


def _write(path: Path, text: str) -> None:
    """All or nothing."""
    hidden = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        hidden.write_text(text, encoding="utf-8")
        os.replace(hidden, path)
    except OSError as error:
        raise InputError(f"--json {path}", error.strerror or str(error), _("a file that can be written")) from None
    finally:
        hidden.unlink(missing_ok=True)


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(_("{text!r} is not a whole number above 0").format(text=text))
    return int(text)


class _between:
    """A number from ``low`` to ``high``."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def __call__(self, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not self.low <= value <= self.high:
            raise argparse.ArgumentTypeError(
                _("{text!r} is not a number from {low:g} to {high:g}").format(text=text, low=self.low, high=self.high))
        return value
