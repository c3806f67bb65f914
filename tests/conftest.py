"""Options and fixtures that all tests share."""
from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", type=Path, default=ROOT / "tests" / "golden", metavar="DIR",
                     help="conformance data, laid out like tests/golden (the default)")
