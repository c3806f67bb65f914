"""The random tests see the same examples whatever else is loaded; see ``tests/same_examples.py``."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
DRAW = """
from hypothesis import given, settings, strategies as st
{pin}
seen = []

@given(st.integers(0, 10**6), st.text())
@settings(max_examples=300, derandomize=True)
def collect(number, text):
    seen.append((number, text))

collect()
print(hash(repr(seen)))
"""
PIN = "from tests.same_examples import pin; pin()"
MORE = "import clustersim.slurm, tests.slurm.random_workloads"


def drawn(before: str) -> str:
    """What a process of its own draws after ``before``."""
    done = subprocess.run([sys.executable, "-c", DRAW.format(pin=before)], cwd=ROOT, text=True, capture_output=True, check=True,
                          env={"PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)})
    return done.stdout


def test_the_examples_do_not_hang_on_what_is_loaded() -> None:
    assert drawn(PIN) == drawn(f"{PIN}; {MORE}") == drawn(f"{MORE}; {PIN}")


def test_without_the_pin_they_would() -> None:
    """If this fails, hypothesis no longer does so, and the pin can go."""
    assert drawn("") != drawn(MORE)


def test_the_profile_is_loaded(request: pytest.FixtureRequest) -> None:
    asked = request.config.getoption("--hypothesis-profile")
    assert settings.default.derandomize == (asked != "new") and settings.default.deadline is None
