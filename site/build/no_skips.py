"""A pytest plug-in: a test that was skipped, or expected to fail, is a failure. A missing tool must not look like a pass."""
from __future__ import annotations

from typing import Any

import pytest

SIGNS = ("skipped", "xfailed", "xpassed")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    left = [report for sign in SIGNS for report in reporter.stats.get(sign, [])] if reporter is not None else []
    if left:
        reporter.write_line("")
        for report in left:
            reporter.write_line(f"NOT RUN: {report.nodeid}: {getattr(report, 'longreprtext', '') or report.outcome}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
