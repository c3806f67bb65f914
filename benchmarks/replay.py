#!/usr/bin/env python3
"""``clustersim replay swf`` against the fixed heap loop: user CPU of the whole process, peak memory, cost a job.

Both run in turn on the same generated log, and must report the same hash of all starts. Prints one line a size; exits
with 1 if a ratio, the memory or the growth is over what is wanted.
"""
from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from _process import Cost, measure

HERE = Path(__file__).resolve().parent
SIZES = ((10_000, 1_000), (100_000, 4_000), (1_000_000, 16_000))  # jobs, cores
LOAD = 0.60
WANTED_RATIO, WANTED_GROWTH, WANTED_MB = 2.0, 2.5, 1_000


def compare(log: Path, cores: int, pairs: int) -> tuple[list[Cost], list[Cost]]:
    reference = [sys.executable, str(HERE / "heap_reference.py"), str(log), str(cores), "easy"]
    own = [sys.executable, "-m", "clustersim.cli", "replay", "swf", str(log), "--cores", str(cores), "--policy", "easy",
           "--json"]
    results: tuple[list[Cost], list[Cost]] = ([], [])
    for _ in range(pairs):
        for side, command in zip(results, (reference, own), strict=True):
            side.append(measure(command))
    hashes = {cost.said["sha256_all_starts"] for side in results for cost in side}
    if len(hashes) != 1:
        sys.exit(f"{log}: the two do not agree on the schedule")
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3, help="runs of each side (the largest size runs once)")
    parser.add_argument("--quick", action="store_true", help="leave out the largest size")
    args = parser.parse_args()
    sizes = SIZES[:-1] if args.quick else SIZES
    failed = False
    cost_a_job: list[float] = []
    print(f"{'jobs':>9} {'cores':>6} {'reference s':>12} {'clustersim s':>13} {'ratio':>6} {'peak MB':>8} {'us a job':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for jobs, cores in sizes:
            log = Path(folder, f"{jobs}.swf")
            generate = [sys.executable, str(HERE / "gen_workload.py"), str(log), "--jobs", str(jobs), "--nodes", str(cores),
                        "--load", str(LOAD)]
            if os.spawnv(os.P_WAIT, sys.executable, generate):
                sys.exit("the workload could not be generated")
            reference, own = compare(log, cores, 1 if jobs == SIZES[-1][0] else args.pairs)
            ratio = statistics.median(o.user_s / r.user_s for o, r in zip(own, reference, strict=True))
            seconds, peak = statistics.median(o.user_s for o in own), max(o.peak_mb for o in own)
            cost_a_job.append(seconds / jobs * 1e6)
            beside = statistics.median(r.user_s for r in reference)
            print(f"{jobs:>9} {cores:>6} {beside:>12.2f} {seconds:>13.2f} {ratio:>6.2f} {peak:>8.0f} {cost_a_job[-1]:>9.1f}",
                  flush=True)
            failed |= (ratio > WANTED_RATIO and jobs >= SIZES[1][0]) or peak > WANTED_MB
    growth = cost_a_job[-1] / cost_a_job[0]
    print(f"cost a job, largest against smallest: {growth:.2f} times")
    failed |= growth > WANTED_GROWTH
    print(f"wanted: ratio at most {WANTED_RATIO} from {SIZES[1][0]} jobs on, peak under {WANTED_MB} MB, "
          f"growth under {WANTED_GROWTH}: {'NOT met' if failed else 'met'}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
