"""Laws that hold for every cluster and workload (hypothesis). Together the tests here run 2,150 examples."""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clustersim.clock import Clock
from clustersim.slurm import Controller, Overheads, Session, outcome, parse_workload, simulate_slurm
from clustersim.slurm.future import Future
from clustersim.slurm.jobs import Job
from clustersim.slurm.placing import ask_for, place
from clustersim.slurm.record import make_trace
from clustersim.trace import Trace
from tests.slurm.build import NO_OVERHEADS, document, job
from tests.slurm.random_workloads import ACCOUNTING, END, USERS, clusters, count, jobs, workloads

LAWS, COPIES, REWINDS, PLANS, SHARES, ORDERS, ENDS = 900, 200, 200, 350, 250, 150, 100
# Share of the runs of the first test in which it must really happen.
WANTED = {"preemption": 0.30, "failure": 0.30, "dependency": 0.20, "requeue": 0.20}
OVERHEADS = st.sampled_from([Overheads(), NO_OVERHEADS, Overheads(1, 20)])
HOPELESS = {"PartitionConfig", "DependencyNeverSatisfied", "PartitionNodeLimit", "BadConstraints"}
DOWN = {"down", "drained", "down*", "drained*"}


def examples(number: int) -> Any:
    return settings(
        max_examples=number,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@pytest.fixture(scope="module")
def seen(say: Callable[[str], None]) -> Iterator[Counter[str]]:
    """Counts what happened in the runs, reports the shares at the end and demands them of a full run."""
    counts: Counter[str] = Counter()
    yield counts
    runs = counts["runs"]
    text = ", ".join(f"{what} {counts[what] / max(runs, 1):.0%} (wanted {least:.0%})" for what, least in WANTED.items())
    say(f"Slurm properties, {runs} random runs: {text}")
    if runs >= LAWS:
        assert all(counts[what] >= least * runs for what, least in WANTED.items()), text


@examples(LAWS)
@given(data=workloads(), seed=st.integers(0, 3), overheads=OVERHEADS)
def test_no_law_is_broken(seen: Counter[str], data: dict[str, Any], seed: int, overheads: Overheads) -> None:
    """Nothing used twice, nothing before its submission, work conserved, log and jobs agree, nothing starts on a dead node."""
    workload = parse_workload(data)
    trace = simulate_slurm(workload, seed, overheads=overheads).validate()
    count(seen, data, trace)
    assert simulate_slurm(workload, seed, overheads=overheads).to_json() == trace.to_json()
    assert Trace.from_json(trace.to_json()).to_json() == trace.to_json()
    never_too_much(data, trace)
    no_job_is_lost(trace)
    assert set(outcome(trace, workload)["jobs"]) <= {record.id for record in trace.jobs}
    assert all(trace.story(record.id) for record in trace.jobs)


def never_too_much(data: dict[str, Any], trace: Trace) -> None:
    """Played from the log alone: what starts is free on nodes that take jobs, and a whole-node job is alone there."""
    capacity = {node.name: (node.cpus, node.gpus) for node in trace.nodes}
    whole = {one["id"] for one in data["jobs"] if one.get("exclusive") is True}
    held: dict[str, dict[str, tuple[int, frozenset[int]]]] = defaultdict(dict)  # node -> job -> cores, GPUs
    states: dict[str, str] = {}
    started: list[tuple[int, str, str]] = []  # when, job, node: judged when the instant is over
    paused: set[str] = set()
    for event in trace.events():
        name = event.subject
        while started and started[0][0] < event.time:
            _time, job_name, node = started.pop(0)
            assert states[node] not in DOWN, f"{job_name} starts on {node}, which is {states[node]}"
        if event.kind == "node":
            states[name] = event.detail["state"]
        elif event.kind == "signal" and event.detail["signal"] in {"SIGSTOP", "SIGCONT"}:
            (paused.add if event.detail["signal"] == "SIGSTOP" else paused.discard)(name)
        elif event.kind == "end":
            paused.discard(name)
            for node in held:
                held[node].pop(name, None)
        elif event.kind == "start":
            for node, cpus, gpus in event.detail["places"]:
                started.append((event.time, name, node))
                held[node][name] = (cpus, frozenset(gpus))
                awake = {one: share for one, share in held[node].items() if one not in paused}
                assert sum(share[0] for share in awake.values()) <= capacity[node][0]
                used = [gpu for share in held[node].values() for gpu in share[1]]
                assert len(used) == len(set(used)) and all(gpu < capacity[node][1] for gpu in used)
                assert len(awake) == 1 or not any(one.split("_")[0] in whole for one in awake)


def no_job_is_lost(trace: Trace) -> None:
    """A requeue makes no job and loses none: every accepted job has one record, each of its runs one start and one end."""
    events = list(trace.events())
    kinds = {kind: Counter(e.subject for e in events if e.kind == kind) for kind in ("submit", "start", "reject")}
    records = {record.id: record for record in trace.jobs}
    assert len(records) == len(trace.jobs)
    assert set(kinds["submit"]) - set(kinds["reject"]) <= set(records)
    for name, record in records.items():
        live = record.state in {"RUNNING", "SUSPENDED"}
        assert kinds["start"][name] == len(record.runs)
        if record.runs:
            assert sum(run.end is None for run in record.runs) == live
        again = [run.state for run in record.runs[:-1]]
        assert all(state in {"REQUEUED", "PREEMPTED", "NODE_FAIL"} for state in again), again
        if record.runs and not live and record.state != "PENDING" and "end_s" not in record.extra:
            assert record.runs[-1].state == record.state or record.state == "CANCELLED"


@examples(COPIES)
@given(workloads(), st.integers(0, END))
def test_a_run_can_stop_and_go_on_and_be_copied(data: dict[str, Any], stop: int) -> None:
    """All state is plain: a copy made in the middle ends as the original does."""
    workload = parse_workload(data)
    system = Controller(workload)
    clock = Clock(system)
    clock.run(stop)
    twin = copy.deepcopy(system)
    clock.run(END)
    Clock(twin, stop).run(END)
    expected = simulate_slurm(workload).to_json()
    for one in (system, twin):
        assert make_trace(one, workload.settings.scheduler_type, END, 0).to_json() == expected


@examples(REWINDS)
@given(workloads(), st.lists(st.integers(0, END), min_size=2, max_size=4), st.integers(0, 3))
def test_rewind_and_replay_give_the_same_trace(data: dict[str, Any], times: list[int], seed: int) -> None:
    """However one goes back and forth after putting in a job, the end is that of a run that only goes on."""
    late = job("late", times[0], 50, 2, nodes=1)
    session, straight = (Session(parse_workload(data), seed).run_until(times[0]).submit(late) for _ in range(2))
    for time in times[1:]:
        session = session.run_until(time) if time >= session.now else session.rewind(time)
    fork = session.fork().run_until(END)
    session.run_until(END)
    assert session.trace().to_json() == fork.trace().to_json() == straight.run_until(END).trace().to_json()


@examples(PLANS)
@given(clusters(), jobs(), st.sampled_from(["sched/backfill", "sched/builtin"]))
def test_what_passes_the_first_waiting_job_never_delays_it_beyond_its_plan(
    nodes: list[dict[str, Any]], made: list[dict[str, Any]], scheduler: str
) -> None:
    """With honest limits: whenever others start, the queue's head can still start by the plan of that round, up to the
    resolution of the table, and in the end it starts when it can.

    The plan of an earlier round is no promise: each round takes the running jobs away in windows that double from the end of
    the first of them (``_will_run_test`` in ``cons_common/job_test.c``), so once that one has ended a plan may lie later, and
    a job may pass that would have delayed the earlier plan. Not with ``--exclusive=user``: such a job cannot be planned for
    nodes that others own now (``filter_by_node_owner``), so it may come between.
    """
    made = [one for one in made if one.get("exclusive") != "user"]
    for one in made:  # limits that are right, and nothing that bars a job which could start
        one["run_s"] = one["time_limit_min"] * 60
        for key in ("dependency", "array", "ignore_term", "exit_code"):
            one.pop(key, None)
    data = document(*made, nodes=nodes, config={"SchedulerType": scheduler})
    system = Controller(parse_workload(data), overheads=NO_OVERHEADS)
    possible: dict[str, int] = {}
    while (now := system.next_time()) is not None:
        before = set(system.running)
        system.instant(now)
        head = min(system.pending.values(), key=lambda one: -one.priority, default=None)
        if head is not None and head.planned is not None and set(system.running) - before:
            possible[head.key] = first_chance(system, head, now)
            assert possible[head.key] <= head.planned + 60, (head.key, head.planned, now)
    for key, time in possible.items():
        assert system.jobs[key].runs[0].start <= time + 60


def first_chance(system: Controller, job: Job, now: int) -> int:
    """When the job fits if nothing else starts: the running jobs are taken away one by one as their limits end."""
    ask = ask_for(system, job, job.partition, system.available)
    future = Future(system.pool, system.running.values())
    gone = (count for count in range(len(future.jobs) + 1) if place(system, ask, future.after(count), job.partition))
    count = next(gone)
    return future.ends[count - 1] if count else now


@examples(SHARES)
@given(clusters(), jobs(), st.sampled_from(["0", "0-00:30:00"]), st.integers(1, 5), st.integers(60, END))
def test_the_sums_of_fair_share_are_right(
    nodes: list[dict[str, Any]], made: list[dict[str, Any]], half_life: str, period: int, stop: int
) -> None:
    """An account's usage is its children's; without decay the root's is every core second used; ranks run from one to all."""
    config = {
        "PriorityType": "priority/multifactor",
        "PriorityWeightFairshare": "1000",
        "PriorityDecayHalfLife": half_life,
        "PriorityCalcPeriod": str(period),
        "AccountingStorageEnforce": "limits",  # else what runs between two recalculations is not all counted
    }
    workload = parse_workload(document(*made, nodes=nodes, config=config, accounting=ACCOUNTING))
    system = Controller(workload)
    Clock(system).run(stop)
    tree = system.priorities.shares
    for branch in tree.branches.values():
        if branch.children:
            assert branch.usage == pytest.approx(sum(child.usage for child in branch.children))
    trace = make_trace(system, "", stop, 0).validate()
    runs = [run for record in trace.jobs for run in record.runs]
    used = sum(run.cores * max((run.end if run.end is not None else tree.last) - run.start, 0) for run in runs)
    if half_life == "0":
        assert tree.branches[""].usage == pytest.approx(used)
    else:
        assert tree.branches[""].usage <= used + 1e-6
    ranks = sorted(round(factor * tree.users, 9) for factor in tree.factor.values())
    assert len(ranks) == tree.users == len(USERS) + 1
    assert all(rank == int(rank) and 1 <= rank <= tree.users for rank in ranks) and ranks[-1] == tree.users


@examples(ORDERS)
@given(jobs())
def test_builtin_starts_in_the_order_of_submission(made: list[dict[str, Any]]) -> None:
    plain = [{key: one[key] for key in ("id", "at", "user", "run_s", "time_limit_min")} | {"nodes": 1 + i % 3}
             for i, one in enumerate(made)]
    workload = parse_workload(document(*plain, nodes=4, config={"SchedulerType": "sched/builtin"}))
    starts = [record.start for record in simulate_slurm(workload).jobs]
    assert all(start is not None for start in starts) and starts == sorted(starts)  # type: ignore[type-var]


@examples(ENDS)
@given(clusters(), jobs())
def test_everything_that_can_run_ends(nodes: list[dict[str, Any]], made: list[dict[str, Any]]) -> None:
    """When nothing more can happen, a job has ended unless it asks for more than there is or for what will never be."""
    trace = simulate_slurm(parse_workload(document(*made, nodes=nodes))).validate()
    left = [record for record in trace.jobs if record.state not in {"COMPLETED", "TIMEOUT", "FAILED", "CANCELLED", "REJECTED"}]
    after = {one["id"]: one.get("dependency", "").partition("$")[2] for one in made}
    for record in left:
        assert record.state == "PENDING"
        hopeless = record.reason == "Dependency" and after[record.id.split("_")[0]] in {one.id.split("_")[0] for one in left}
        assert hopeless or record.reason in HOPELESS, record
