"""``clustersim`` on the command line: the door, which is open before anything else is loaded.

Ctrl-C ends it with one line and exit code 130 also while Python still loads the rest, which is in
:mod:`clustersim.commands`. What little is loaded before that is not within reach of any program.
"""
from __future__ import annotations

import sys


def main(argv: list[str] | None = None) -> int:
    """Run the command line (that of the process by default) and return the exit code; see :mod:`clustersim.commands`."""
    try:
        from clustersim.commands import run

        return run(argv)
    except KeyboardInterrupt:
        from clustersim.messages import _

        print(_("clustersim: stopped; nothing was written"), file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
