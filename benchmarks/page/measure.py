#!/usr/bin/env python3
"""A live figure in headless Chromium: bytes before and after "Start", and the time from a control move to the picture.

Needs the built site (``make html``) and Chromium. The Python part of a move is also given as a ratio to the same run
under CPython beside it. Exits with 1 if a budget is missed.
"""
from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "browser"))

import program  # noqa: E402
import serve  # noqa: E402
from book_pages import BACKFILL  # noqa: E402
from budgets import ANSWER_MS, MOST_AFTER, MOST_BEFORE  # noqa: E402

from clustersim import page  # noqa: E402


def cpython_ms(jobs: int, repeats: int) -> float:
    """The same question answered by CPython here, in milliseconds."""
    took = []
    for load in (0.7, 0.75, 0.8, 0.85) * repeats:
        begun = time.perf_counter()
        page.run("backfill", json.dumps({"jobs": jobs, "load": load}))
        took.append(1_000 * (time.perf_counter() - begun))
    return median(took)


def report(found: dict[str, Any], repeats: int) -> bool:
    """Print the figures; whether every budget is kept."""
    kept = []

    def line(what: str, value: float, wanted: float, unit: str, note: str = "") -> None:
        kept.append(value <= wanted)
        print(f"{what:<38} {value:>9,.0f} {unit:<5} wanted at most {wanted:>9,.0f}  {'kept' if kept[-1] else 'MISSED'}{note}")

    line("before a click", found["bytes_before"], MOST_BEFORE, "bytes")
    line("after Start", found["bytes_after"], MOST_AFTER, "bytes")
    print(f"{'Start to live figure, first visit':<38} {found['start_ms']:>9,.0f} ms")
    for jobs, wanted in ANSWER_MS.items():
        moves = found["moves"][str(jobs)]
        python = median(move["python"] for move in moves)
        worst = max(move["total"] for move in moves)
        note = (f"; slowest {worst:,.0f} ms; Python {python:,.0f} ms, "
                f"{python / cpython_ms(jobs, max(1, repeats // 4)):.1f} times CPython's")
        line(f"a move, {jobs} jobs, median of {len(moves)}", median(move["total"] for move in moves), wanted, "ms", note)
    return all(kept)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure a live figure in headless Chromium.")
    parser.add_argument("--repeats", type=int, default=24, help="control moves for each number of jobs")
    options = parser.parse_args()
    try:
        with serve.serving(program.built_site(), "/book/") as base:
            found = program.run("timing.mjs", base, page=BACKFILL, jobs=list(ANSWER_MS), repeats=options.repeats)
    except program.MissingTool as missing:
        print(missing, file=sys.stderr)
        return 3
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    return 0 if report(found, options.repeats) else 1


if __name__ == "__main__":
    sys.exit(main())
