"""Closed forms against their definitions: limits, optima by search, sums by brute force."""
from __future__ import annotations

import doctest
import importlib
import math
import pkgutil
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clustersim.reliability
import clustersim.training
from clustersim.errors import InputError
from clustersim.reliability import counting, theory

PACKAGES = (clustersim.reliability, clustersim.training)
MODULES = ["clustersim.tables", *(f"{package.__name__}.{found.name}" for package in PACKAGES
                                  for found in pkgutil.iter_modules(package.__path__))]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_modules_with_closed_forms_have_examples() -> None:
    for name in ("clustersim.reliability.theory", "clustersim.reliability.counting"):
        assert doctest.testmod(importlib.import_module(name)).attempted >= 5


ratios = st.floats(1e-4, 1.9)


@given(ratios)
def test_best_interval_is_a_minimum_of_the_exact_run_time(ratio: float) -> None:
    best = theory.best_interval(ratio, 1.0)
    least = theory.run_time(1.0, best, ratio, 1.0)
    assert all(theory.run_time(1.0, best * factor, ratio, 1.0) >= least * (1 - 1e-12) for factor in (0.5, 0.9, 1.1, 2.0))


@given(ratios)
def test_interval_formulas_lie_around_the_best_and_scale_with_the_unit(ratio: float) -> None:
    best = theory.best_interval(ratio, 1.0)
    assert theory.daly_first_order(ratio, 1.0) <= best <= theory.young(ratio, 1.0)
    assert theory.daly37(ratio * 60, 60.0) == pytest.approx(60 * theory.daly37(ratio, 1.0))


@given(st.floats(1e-3, 0.3), st.floats(0, 1), st.floats(0.01, 3))
def test_restart_time_scales_the_run_time_and_moves_no_optimum(write: float, restart: float, interval: float) -> None:
    without = theory.run_time(1.0, interval, write, 1.0)
    assert theory.run_time(1.0, interval, write, 1.0, restart) == pytest.approx(without * math.exp(restart))


@given(st.floats(0.01, 3), st.floats(0, 0.99))
def test_without_writes_the_linear_form_is_never_above_the_exact_one(interval: float, restart: float) -> None:
    exact = theory.efficiency(interval, 0.0, 1.0, restart)
    assert 0 < exact <= 1
    assert theory.ettr_linear(1.0, interval, 0.0, restart) <= exact + 1e-12


def test_the_linear_form_meets_the_exact_one_where_failures_are_rare() -> None:
    assert theory.ettr_linear(1e4, 10, 0.1, 5) == pytest.approx(theory.efficiency(10, 0.1, 1e4, 5), abs=2e-5)


def test_a_stretch_that_cannot_end_has_infinite_run_time_and_no_efficiency() -> None:
    assert theory.run_time(1.0, 1e6, 1.0, 1.0) == math.inf
    assert theory.efficiency(1e6, 1.0, 1.0) == 0.0


def test_nonsense_is_refused_with_the_name_of_the_argument() -> None:
    with pytest.raises(InputError, match="gpus"):
        theory.cluster_mttf_h(0, 6.5)
    with pytest.raises(InputError, match="mtbf"):
        theory.young(5, -1)
    with pytest.raises(InputError, match="young, first_order"):
        theory.worst_excess("yuong", [0.1])
    with pytest.raises(InputError, match="quantile"):
        counting.poisson_quantile(3, 1.0)


def test_weibull_with_shape_one_is_exponential() -> None:
    assert theory.weibull_survival(24, 100, 1) == pytest.approx(theory.exponential_survival(24, 100))
    assert theory.weibull_first_failure(100, 1, 50) == pytest.approx(2)


@given(st.integers(0, 60), st.floats(0, 0.9), st.floats(0.01, 0.999))
def test_binomial_quantile_is_the_smallest_that_reaches(n: int, p: float, q: float) -> None:
    def cdf(s: int) -> float:
        return math.fsum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(s + 1))
    s = counting.binomial_quantile(n, p, q)
    assert s == n or cdf(s) >= q - 1e-9
    assert s == 0 or cdf(s - 1) < q + 1e-9


@given(st.floats(0, 300), st.floats(0.01, 0.999))
def test_poisson_quantile_is_the_smallest_that_reaches(mean: float, q: float) -> None:
    s = counting.poisson_quantile(mean, q)
    assert counting.poisson_cdf(s, mean) >= q - 1e-9
    assert counting.poisson_cdf(s - 1, mean) < q + 1e-9


def test_nodes_in_repair_do_not_care_about_the_repair_law() -> None:
    """M/G/infinity by simulation: the mean number in repair, for fixed and for exponential repair times."""
    rng, days, rate, repair = Random(1), 40_000, 0.5, 3.0
    for law in (lambda: repair, lambda: rng.expovariate(1 / repair)):
        area, t = 0.0, 0.0
        while (t := t + rng.expovariate(rate)) < days:
            area += law()
        assert area / days == pytest.approx(counting.nodes_in_repair(1, rate, repair), rel=0.03)


def test_lemon_multiplier_gives_the_share_back() -> None:
    times = counting.lemon_multiplier(0.012, counting.lemon_share(0.14, 0.04))
    assert 0.012 * times / (0.012 * times + 0.988) == pytest.approx(counting.lemon_share(0.14, 0.04))
