#!/usr/bin/env python3
"""A sweep on two Dask workers against the same one on one worker: wall time, median of three, the sides in turn.

The workers are started before the clock runs. Needs two free cores: on a busy machine the figure says little. Exits with 1
if two workers are less than 1.4 times as fast.
"""
from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from clustersim.sweep import sweep
from clustersim.training import Checkpoints, Faults, Plan, report, simulate

WANTED = 1.4


def month(gpus: int, interval_min: int, seed: int) -> Mapping[str, float]:
    """Goodput of a month of training."""
    plan = Plan(gpus=gpus, wall_days=30, checkpoints=Checkpoints.blocking(interval_min * 60, 60),
                faults=Faults(mix="llama3_interruptions"))
    return {"goodput": report(simulate(plan, seed)).goodput}


def seconds(workers: int, seeds: int, folder: Path) -> tuple[float, bytes]:
    from distributed import Client, LocalCluster

    table = folder / f"{workers}.csv"
    table.with_name(table.name + ".journal").unlink(missing_ok=True)
    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        client.run(month, 8192, 30, 0)  # every worker has imported what it needs
        begin = time.monotonic()
        sweep(month, {"gpus": [8192, 16384], "interval_min": [10, 30, 60]}, seeds, table, client=client, progress=False)
        return time.monotonic() - begin, table.read_bytes()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for _repeat in range(args.repeats):
            (one, first), (two, second) = (seconds(n, args.seeds, Path(folder)) for n in (1, 2))
            if first != second:
                sys.exit("one and two workers do not give the same table")
            ratios.append(one / two)
            print(f"one worker {one:.1f} s, two workers {two:.1f} s: {one / two:.2f} times", flush=True)
    ratio = statistics.median(ratios)
    print(f"median {ratio:.2f}, wanted at least {WANTED}: {'met' if ratio >= WANTED else 'NOT met'}")
    return int(ratio < WANTED)


if __name__ == "__main__":
    sys.exit(main())
