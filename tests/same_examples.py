"""Random examples that are the same on every machine and in every order of the tests (hypothesis), or new ones when asked for.

Two profiles: ``same``, which is loaded here, draws each test's examples from the test's own text; ``new`` draws others at
every run, for hunting: ``pytest --hypothesis-profile=new``.

Drawing from the text alone is not enough. Hypothesis mixes constants from the project's modules into what it draws,
and from those only that happen to be loaded (``_get_local_constants`` of ``hypothesis.internal.conjecture.providers``):
one test file more in the same process, and all others get different examples. There is no setting for it, so :func:`pin`
makes it answer as it does in Pyodide, with none. ``tests/test_same_examples.py`` holds that this works.
"""
from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers


def pin() -> None:
    """Draw no constants from modules of this project, and take the profile ``same``."""
    providers._get_local_constants = lambda: providers._local_constants
    slow_is_fine = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # else the machine's speed would count
    settings.register_profile("same", slow_is_fine, derandomize=True)
    settings.register_profile("new", slow_is_fine, derandomize=False, print_blob=True)
    settings.load_profile("same")
