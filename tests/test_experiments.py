"""Every experiment at every edge of its controls, and what each of them teaches."""
from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import vl_convert

from clustersim.errors import InputError
from clustersim.experiments import IDS, Choice, Experiment, Outcome, Slider, experiment, no_scheduler, one_gap
from clustersim.figures import PALETTE, for_page, inlined, sized


def edges(one: Experiment) -> Iterator[dict[str, object]]:
    """The defaults, then each control moved to each end or option alone."""
    yield {}
    for control in one.controls:
        if isinstance(control, Slider):
            yield from ({control.name: value} for value in (control.low, control.high))
        elif isinstance(control, Choice):
            yield from ({control.name: value} for value, _label in control.options)
        else:
            yield from ({control.name: value} for value in (True, False))


CASES = [pytest.param(name, values, id=f"{name}-{json.dumps(values)}") for name in IDS for values in edges(experiment(name))]


@pytest.mark.parametrize(("name", "values"), CASES)
def test_every_setting_gives_a_whole_outcome(name: str, values: dict[str, object]) -> None:
    outcome = experiment(name)(**values)
    assert outcome.summary.endswith(".") and "{" not in outcome.summary
    assert outcome.table.rows and all(len(row) == len(outcome.table.columns) for row in outcome.table.rows)
    for figure in outcome.figures:
        assert figure.title and figure.alt and json.loads(json.dumps(figure.spec)) == figure.spec
        assert set(figure.data) == names_of_data(figure.spec)
    assert outcome == experiment(name)(**values), "the same setting must give the same outcome"


def names_of_data(spec: object) -> set[str]:
    if isinstance(spec, dict):
        own = {spec["data"]["name"]} if "data" in spec else set()
        return own.union(*(names_of_data(value) for value in spec.values()))
    return set().union(*(names_of_data(value) for value in spec)) if isinstance(spec, list) else set()


@pytest.mark.parametrize("name", IDS)
def test_the_default_is_drawn_with_and_without_page_colours(name: str) -> None:
    for figure in experiment(name)().figures:
        spec = inlined(figure.spec, figure.data)
        plain = vl_convert.vegalite_to_svg(sized(spec, 320), vl_version="5.21")
        page = vl_convert.vegalite_to_svg(for_page(spec), vl_version="5.21")
        assert PALETTE["ink"] in plain and "var(--cs-" not in plain
        assert f"var(--cs-ink, {PALETTE['ink']})" in page
        assert page.count("<path") < 1_000, "a static figure has at most a thousand marks"


@pytest.mark.parametrize("name", IDS)
def test_settings_are_checked(name: str) -> None:
    one = experiment(name)
    with pytest.raises(InputError, match="control"):
        one(nonsense=1)
    for control in one.controls:
        for bad in ("x", None, float("nan"), [1], 10**9, -(10**9)):
            with pytest.raises(InputError, match=control.name):
                one.settings({control.name: bad})


def test_an_unknown_experiment_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="three_researchers, no_scheduler, backfill"):
        experiment("nonsense")


def hours(outcome: Outcome, key: str) -> dict[str, int]:
    return {job: round(seconds / 3600) for job, seconds in outcome.values[key].items()}


def test_carol_starts_when_a_ends_not_when_b_ends() -> None:
    outcome = experiment("three_researchers")()
    assert hours(outcome, "starts_s") == {"A": 0, "B": 0, "C": 3} and hours(outcome, "ends_s") == {"A": 3, "B": 5, "C": 4}
    # 17 of the 20 GPU hours until B ends; launching adds a second or so to each job, as it does on a real Slurm.
    assert outcome.values["busy_gpu_h"] == pytest.approx(17, abs=0.01)
    assert outcome.values["idle_gpu_h"] == pytest.approx(3, abs=0.01)


def test_on_two_gpus_the_highest_qos_goes_first_and_backfill_lets_nobody_pass() -> None:
    starts = hours(experiment("three_researchers")(gpus=2), "starts_s")
    assert starts == {"B": 0, "A": 5, "C": 8}


def test_a_request_larger_than_the_node_is_refused_and_said() -> None:
    outcome = experiment("three_researchers")(gpus=2, gpus_c=3)
    assert outcome.values["starts_s"]["C"] is None and "C is refused" in outcome.summary


@pytest.mark.parametrize("seed", range(1, 51))
def test_without_a_scheduler_nobody_gains_and_no_gpu_is_shared(seed: int) -> None:
    trace, people = no_scheduler.simulate(1800, 600, seed)
    trace.validate()
    outcome = experiment("no_scheduler")(seed=seed)
    assert outcome.values["finish_s"] >= outcome.values["scheduler_finish_s"] == 5 * 3600
    assert outcome.values["collisions"] == sum(len(person.failures) for person in people)


def test_launches_that_show_at_once_never_collide() -> None:
    assert all(experiment("no_scheduler")(launch=0, seed=seed).values["collisions"] == 0 for seed in range(1, 51))


def test_backfill_helps_and_over_asking_costs_its_benefit() -> None:
    exact, sloppy = experiment("backfill")(over_ask=1), experiment("backfill")(over_ask=10)
    for outcome in (exact, sloppy):
        assert outcome.values["backfilled"] > 0
        assert outcome.values["mean_wait_s"]["easy"] < outcome.values["mean_wait_s"]["fcfs"]
    assert exact.values["mean_wait_s"]["fcfs"] == sloppy.values["mean_wait_s"]["fcfs"], "FCFS never looks at a limit"


@pytest.mark.parametrize(("policy", "longest"), [("easy", 10), ("slurm", 9)])
def test_small_passes_by_its_limit_not_by_its_run_time(policy: str, longest: int) -> None:
    """big's limit ends at 11 min and small comes at 1 min. The textbook lets 10 min fit; in Slurm's table of planned
    starts an end that only touches the next plan already collides with it (backfill.c, ``begin_time <= end_time``)."""
    def start(**values: int) -> int:
        return experiment("one_gap")(**values).values["starts_s"][policy]["small"]

    assert start(limit=longest, run=4) < 120
    assert start(limit=longest + 1, run=4) > 600
    assert start(limit=30, run=1) > 600


def test_one_gap_traces_hold() -> None:
    for limit in range(1, 31):
        for run in (1, 4, 30):
            jobs = one_gap.rows({"limit": limit, "run": run, "big_limit": 11})
            for policy in ("fcfs", "easy", "slurm"):
                one_gap.simulate(policy, jobs).validate()


@pytest.mark.parametrize("name", IDS)
def test_a_preset_is_a_setting_of_its_own_that_shows_something_else(name: str) -> None:
    one = experiment(name)
    assert one.presets and len({preset.label for preset in one.presets}) == len(one.presets)
    usual = one()
    for preset in one.presets:
        set_to = one.settings(preset.values)
        assert preset.values and all(set_to[key] == value != one.defaults()[key] for key, value in preset.values.items())
        assert one(**preset.values) != usual
