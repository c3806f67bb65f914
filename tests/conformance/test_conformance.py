"""Every case of every suite in the golden folder (``--golden DIR``), one test a case."""
from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance import suites


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    golden: Path = metafunc.config.getoption("--golden")
    if not golden.is_dir():
        raise pytest.UsageError(f"--golden {golden}: no such folder")
    if "case" in metafunc.fixturenames:
        found = suites.cases(golden)
        metafunc.parametrize("case", found, ids=[case.id for case in found])


def test_case(case: suites.Case, tmp_path: Path) -> None:
    differences = case.run(tmp_path)
    assert not differences, "\n".join([f"{case.id}:", *differences])


def test_what_is_not_built_is_named(request: pytest.FixtureRequest, subtests: pytest.Subtests) -> None:
    """Each suite that is not built yet shows as skipped, with its reason; tests/golden holds none, so CI skips none."""
    for name in suites.not_built(request.config.getoption("--golden")):
        with subtests.test(name):
            pytest.skip(suites.NOT_BUILT[name])
