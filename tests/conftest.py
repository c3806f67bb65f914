"""Options and fixtures that all tests share."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.same_examples import pin

ROOT = Path(__file__).resolve().parent.parent
SAID = pytest.StashKey[list[str]]()

pin()  # before any test file is read: its random tests take the profile that holds then


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", type=Path, default=ROOT / "tests" / "golden", metavar="DIR",
                     help="conformance data, laid out like tests/golden (the default)")


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Adds a line to the end of the run's report, also from a worker of xdist: what random tests covered, for example."""
    lines = request.config.stash.setdefault(SAID, [])
    return lines.append


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["said"] = session.config.stash.get(SAID, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash.setdefault(SAID, []).extend(getattr(node, "workeroutput", {}).get("said", []))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for line in config.stash.get(SAID, []):
        terminalreporter.write_line(line)
