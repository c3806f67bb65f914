#!/usr/bin/env python3
"""``clustersim.slurm`` against the fixed heap loop: CPU of the whole process for 10,000 jobs on 1,000 nodes of 8 GPUs.

Slurm as it comes: ``priority/multifactor`` with weights for age, size and fair share, ``sched/backfill`` with Slurm's own
periods, 40 users in 8 accounts. Three mixes of jobs, each at load 0.60 and 0.85 of all GPUs:

``gpu``    what a GPU cluster for training sees: most jobs take 1 to 8 GPUs of a node, a fifth whole nodes, 2 to 128 of them.
``wide``   the jobs of the yardstick's own log for 8,000 cores, a core read as a GPU: a third asks for more than 8 nodes, a
           twentieth for more than 130, up to 500.
``nodes``  the yardstick's log for 1,000 cores, a core read as a whole node: no job shares a node.

The reference is EASY by the heap loop on the yardstick's log of as many jobs at the same load: for ``gpu`` and ``wide`` on
8,000 cores, for ``nodes`` on 1,000. Both sides are processes of their own, which read their jobs and simulate. The reference
takes a fraction of the time: it runs several times before and after each run of ours, and its mean counts, so both see the
same weather of the machine. The median of the ratios is judged. Prints one line a mix and load, one for the size of a live
figure (300 jobs of ``gpu`` on 30 nodes, reading, simulating and spelling out the log, without the start of Python), and one
for a slurm.conf of 8,000 nodes; exits with 1 if ``gpu``, the live figure or the file misses what is wanted.
"""
from __future__ import annotations

import argparse
import json
import math
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _process import compile_package, measure

HERE = Path(__file__).resolve().parent
JOBS, NODES, GPUS, CPUS = 10_000, 1_000, 8, 64
LOADS = {0.60: 15.0, 0.85: 60.0}  # offered load, and how many times the reference's CPU it may cost
MIXES = {"gpu": NODES * GPUS, "wide": NODES * GPUS, "nodes": NODES}  # mix, and the cores of the reference
BESIDE = 5  # runs of the reference before and after each run of ours
WANTED_CONF_S = 1.0
FIGURE = 300, 30, 0.60  # jobs, nodes, load
# A page wants the answer within 300 ms. Pyodide took 1.4 times the CPU of Python for it, and the reference 0.16 s.
WANTED_FIGURE = 1.3
# GPUs of a job of the mix "gpu", and how many of a thousand ask for that
SIZES = {1: 400, 2: 120, 4: 120, 8: 180, 16: 70, 32: 50, 64: 30, 128: 17, 256: 8, 512: 4, 1024: 1}
USERS, ACCOUNTS = 40, 8


def gpu_mix(load: float, jobs: int = JOBS, nodes: int = NODES, seed: int = 1) -> list[tuple[int, int, int, int, int]]:
    """(submit, GPUs, run, limit in minutes, user): run times log-uniform from 5 minutes to a day, limits 1 to 4 times that,
    in steps of 5 minutes, arrivals Poisson at the rate that offers ``load``."""
    rng = random.Random(seed)
    drawn = []
    sizes = {gpus: share for gpus, share in SIZES.items() if gpus <= nodes * GPUS // 2}
    for gpus in rng.choices(list(sizes), list(sizes.values()), k=jobs):
        run = int(math.exp(rng.uniform(math.log(300), math.log(86_400))))
        drawn.append((gpus, run, -(-int(run * rng.uniform(1, 4)) // 300) * 5, rng.randrange(USERS)))
    gap = sum(gpus * run for gpus, run, _limit, _user in drawn) / (load * nodes * GPUS) / jobs
    rows, clock = [], 0.0
    for gpus, run, limit, user in drawn:
        clock += rng.expovariate(1 / gap)
        rows.append((int(clock), gpus, run, limit, user))
    return rows


def of_log(log: Path, gpus_a_core: int) -> list[tuple[int, int, int, int, int]]:
    """The same of a log of the yardstick."""
    rows = []
    for line in log.read_text(encoding="utf-8").splitlines():
        if not line.startswith(";"):
            x = [int(word) for word in line.split()]
            rows.append((x[1], x[7] * gpus_a_core, x[3], -(-x[8] // 60), x[11] % USERS))
    return rows


def document(rows: list[tuple[int, int, int, int, int]], nodes: int = NODES) -> dict[str, Any]:
    """A workload file for these jobs. Up to 8 GPUs lie on one node with 8 cores each; more are taken as whole nodes."""
    jobs = []
    for i, (submit, gpus, run, limit, user) in enumerate(rows, 1):
        job = {"id": str(i), "at": submit, "user": f"u{user}", "run_s": run, "time_limit_min": limit}
        if gpus < GPUS:
            job |= {"nodes": 1, "gpus_per_node": gpus, "ntasks": 1, "cpus_per_task": gpus * CPUS // GPUS}
        else:
            job |= {"nodes": -(-gpus // GPUS), "gpus_per_node": GPUS, "ntasks_per_node": GPUS, "cpus_per_task": CPUS // GPUS}
        jobs.append(job)
    accounts = [{"name": f"a{i}", "fairshare": i + 1} for i in range(ACCOUNTS)]
    users = [{"name": f"u{i}", "account": f"a{i % ACCOUNTS}"} for i in range(USERS)]
    config = {"SchedulerType": "sched/backfill", "SchedulerParameters": "bf_interval=30",  # the rest as Slurm has it
              "PriorityType": "priority/multifactor", "PriorityWeightAge": 1000, "PriorityWeightJobSize": 1000,
              "PriorityWeightFairshare": 10_000}
    return {"name": "benchmark", "config": config, "jobs": jobs, "accounting": {"accounts": accounts, "users": users},
            "cluster": {"nodes": [{"name": f"g[0001-{nodes:04}]", "cpus": CPUS, "gpus": GPUS}],
                        "partitions": [{"name": "gpu", "Default": "YES", "MaxTime": "7-00:00:00"}]}}


def simulate(path: str) -> None:
    """What is measured: read the file, simulate, and say when the jobs started."""
    from clustersim.slurm import read_workload, simulate_slurm
    begin = time.process_time()
    workload = read_workload(path)
    trace = simulate_slurm(workload)
    events = len(list(trace.events())) if len(workload.jobs) == FIGURE[0] else 0
    seconds = time.process_time() - begin
    starts = [job.start for job in trace.jobs]
    waits = [job.wait for job in trace.jobs if job.wait is not None]
    if None in starts or len(starts) != len(workload.jobs):
        sys.exit("not every job ran")
    print(json.dumps({"mean_wait_s": sum(waits) / len(waits), "waited": sum(wait > 1 for wait in waits), "cpu_s": seconds,
                      "events": events}))


def load_conf(path: str) -> None:
    """Read a slurm.conf; prints the CPU seconds that took."""
    from clustersim.slurm.conf import read_slurm_conf
    begin = time.process_time()
    read_slurm_conf(path)
    print(json.dumps({"cpu_s": time.process_time() - begin}))


def compare(mix: str, load: float, pairs: int, folder: Path) -> float:
    """Print one line and give the ratio."""
    log, file, cores = folder / "log.swf", folder / "workload.json", MIXES[mix]
    generate(log, cores, load)
    rows = gpu_mix(load) if mix == "gpu" else of_log(log, NODES * GPUS // cores)
    file.write_text(json.dumps(document(rows)), encoding="utf-8")
    reference: list[float] = []
    own: list[float] = []
    said: dict[str, Any] = {}
    beside = [sys.executable, str(HERE / "heap_reference.py"), str(log), str(cores), "easy"]
    for _ in range(pairs):
        before = [measure(beside).user_s for _ in range(BESIDE)]
        cost = measure([sys.executable, __file__, "--simulate", str(file)])
        reference.append(statistics.fmean(before + [measure(beside).user_s for _ in range(BESIDE)]))
        own.append(cost.user_s)
        said = cost.said
    ratio = statistics.median(o / r for o, r in zip(own, reference, strict=True))
    print(f"{mix:>6} {load:>5.2f} {said['waited']:>7} {said['mean_wait_s']:>10.0f} {statistics.median(reference):>12.2f} "
          f"{statistics.median(own):>13.2f} {ratio:>6.1f} {LOADS[load]:>7.0f}", flush=True)
    return ratio


def live_figure(pairs: int, folder: Path) -> float:
    """Print the line of a live figure's size and give its ratio to the reference's process."""
    jobs, nodes, load = FIGURE
    file, log = folder / "figure.json", folder / "log.swf"
    file.write_text(json.dumps(document(gpu_mix(load, jobs, nodes), nodes)), encoding="utf-8")
    generate(log, NODES * GPUS, load)
    own: list[float] = []
    ratios: list[float] = []
    for _ in range(pairs):
        reference = measure([sys.executable, str(HERE / "heap_reference.py"), str(log), str(NODES * GPUS), "easy"]).user_s
        own.append(measure([sys.executable, __file__, "--simulate", str(file)]).said["cpu_s"])
        ratios.append(own[-1] / reference)
    ratio = statistics.median(ratios)
    print(f"{jobs} jobs on {nodes} nodes, load {load:.2f}: {statistics.median(own) * 1000:.0f} ms CPU, {ratio:.2f} times the "
          f"reference's process, wanted at most {WANTED_FIGURE}", flush=True)
    return ratio


def generate(log: Path, cores: int, load: float) -> None:
    """Write a log of the yardstick."""
    if os.spawnv(os.P_WAIT, sys.executable, [sys.executable, str(HERE / "gen_workload.py"), str(log), "--jobs", str(JOBS),
                                             "--nodes", str(cores), "--load", str(load)]):
        sys.exit("the workload could not be generated")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--pairs", type=int, default=3, help="runs of each side")
    parser.add_argument("--only", choices=list(MIXES), help="this mix alone")
    parser.add_argument("--simulate", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--conf", metavar="FILE", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.simulate or args.conf:
        simulate(args.simulate) if args.simulate else load_conf(args.conf)
        return 0
    failed = False
    compile_package()
    print("   mix  load  waited  mean wait  reference s  clustersim s  ratio at most")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for mix in [args.only] if args.only else MIXES:
            for load, most in LOADS.items():
                failed |= compare(mix, load, args.pairs, folder) > most and mix == "gpu"
        failed |= live_figure(args.pairs, folder) > WANTED_FIGURE
        conf = folder / "slurm.conf"
        conf.write_text(CONF, encoding="utf-8")
        read = [sys.executable, __file__, "--conf", str(conf)]
        seconds = statistics.median(measure(read).said["cpu_s"] for _ in range(args.pairs))
    failed |= seconds > WANTED_CONF_S
    print(f"slurm.conf of 8,000 nodes: {seconds:.2f} s CPU, wanted under {WANTED_CONF_S} s")
    print(f"wanted of the mix gpu, of the live figure and of slurm.conf: {'NOT met' if failed else 'met'}")
    return int(failed)


CONF = """\
ClusterName=big
SlurmctldHost=control
SelectType=select/cons_tres
SchedulerType=sched/backfill
PriorityType=priority/multifactor
GresTypes=gpu
NodeName=DEFAULT CPUs=64 RealMemory=512000 State=UNKNOWN
NodeName=lx[0001-4000] Gres=gpu:h100:8 Feature=h100,nvlink
NodeName=lx[4001-8000] Gres=gpu:a100:8 Feature=a100 Weight=2
PartitionName=DEFAULT MaxTime=7-00:00:00 State=UP
PartitionName=train Nodes=lx[0001-8000] Default=YES
PartitionName=debug Nodes=lx[7901-8000] MaxTime=30 PriorityTier=2
"""

if __name__ == "__main__":
    sys.exit(main())
