"""``labs`` on the command line: one subcommand for each lab.

Exit codes: 0 done, 1 the lab or a file is at fault (one clear line on stderr), 2 the command line is wrong, 3 a tool is
missing, 128 + n stopped by signal n (130 is Ctrl-C).
"""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from clustersim import __version__
from clustersim.errors import ClusterSimError
from clustersim.messages import _
from labs.errors import MissingTool, Stopped
from labs.torchrun import command as torchrun

MISSING = 3


def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except MissingTool as error:
        print(f"labs: {error}", file=sys.stderr)
        return MISSING
    except ClusterSimError as error:
        print(f"labs: {error}", file=sys.stderr)
        return 1
    except Stopped as stop:
        print("\n" + _("labs: stopped; no process and no temporary file is left"), file=sys.stderr)
        return 128 + stop.number
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # no complaint at exit either
        return 1
    except OSError as error:  # a disk that has become full meanwhile, a folder that was taken away
        where = _("{file}: ").format(file=error.filename) if error.filename else ""
        print(f"labs: {where}{error.strerror or error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="labs", description=_("The book's labs: exercises on real programs."))
    parser.add_argument("--version", action="version", version=f"labs {__version__}")
    commands = parser.add_subparsers(required=True, metavar=_("lab"))
    torchrun.add_to(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
