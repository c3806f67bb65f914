#!/usr/bin/env python3
"""A live figure in headless Chromium: bytes before and after "Start", and the time from a control move to the picture.

Needs the built site (``make html``) and Chromium. The Python part of a move is also given as a ratio to the same run
under CPython beside it. The same for a figure of 300 jobs under the simulated Slurm, those of ``benchmarks/slurm.py``,
with where the time goes. Exits with 1 if a budget is missed.
"""
from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT / "tests" / "browser"), str(ROOT / "benchmarks")]

import program  # noqa: E402
import serve  # noqa: E402
import slurm  # noqa: E402
from book_pages import BACKFILL  # noqa: E402
from budgets import ANSWER_MS, MOST_AFTER, MOST_BEFORE, SLURM_MS  # noqa: E402

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


def slurm_figure(base: str, seeds: int, rounds: int) -> dict[str, Any]:
    """What slurm_page.mjs finds about workloads of so many seeds, each asked ``rounds`` times."""
    jobs, nodes, load = slurm.FIGURE
    with tempfile.TemporaryDirectory() as name:
        questions = [Path(name) / f"{seed}.json" for seed in range(1, seeds + 1)]
        for seed, file in enumerate(questions, 1):
            file.write_text(json.dumps(slurm.document(slurm.gpu_mix(load, jobs, nodes, seed), nodes)), encoding="utf-8")
        return program.run("../../benchmarks/page/slurm_page.mjs", base, page=BACKFILL, source=str(HERE / "slurm_figure.py"),
                           questions=list(map(str, questions)), rounds=rounds)


def report_slurm(found: dict[str, Any]) -> bool:
    """Print where the time of a move goes; whether the budget is kept."""
    moves, cpu, jobs = found["moves"], found["cpu"], slurm.FIGURE[0]
    middle = {part: median(move[part] for move in moves) for part in moves[0]}
    total = middle.pop("total")
    what, verdict = f"a move, {jobs} jobs of Slurm, median of {len(moves)}", "kept" if total <= SLURM_MS else "MISSED"
    print(f"{what:<38} {total:>9,.0f} ms    wanted at most {SLURM_MS:>9,.0f}  {verdict}; "
          f"slowest {max(move['total'] for move in moves):,.0f} ms")
    print("  of which " + ", ".join(f"{part} {time:,.0f} ms" for part, time in middle.items()))
    print(f"  on the processor: Python {cpu['worker']:,.0f} ms, the page {cpu['page']:,.0f} ms")
    return total <= SLURM_MS


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure a live figure in headless Chromium.")
    parser.add_argument("--repeats", type=int, default=24, help="control moves for each number of jobs")
    options = parser.parse_args()
    try:
        with serve.serving(program.built_site(), "/book/") as base:
            found = program.run("timing.mjs", base, page=BACKFILL, jobs=list(ANSWER_MS), repeats=options.repeats)
            of_slurm = slurm_figure(base, 5, max(1, options.repeats // 5))
    except program.MissingTool as missing:
        print(missing, file=sys.stderr)
        return 3
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    kept = [report(found, options.repeats), report_slurm(of_slurm)]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
