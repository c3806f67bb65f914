"""The built site in a real browser: one server for all tests, one node program for each check."""
from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import program  # noqa: E402
import serve  # noqa: E402

Check = Callable[..., dict[str, Any]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs both."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("browser")
            item.add_marker("site")


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built site; a missing tool is an error with one sentence."""
    try:
        program.node()
        program.chromium()
        return program.built_site()
    except program.MissingTool as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(scope="session")
def base(site: Path) -> Iterator[str]:
    """The site's address, below a sub-path as on a project page of a static host."""
    with serve.serving(site, "/book/") as address:
        yield address


@pytest.fixture(scope="session")
def check(base: str) -> Check:
    """Run one of this folder's node programs and give the JSON that it prints."""
    return lambda script, **options: program.run(script, base, **options)


@pytest.fixture(scope="session")
def pages(site: Path) -> list[str]:
    """Every page of the book that a reader can open, as paths from the site's root."""
    found = [path.relative_to(site) for path in sorted(site.rglob("*.html"))]
    return [path.as_posix() for path in found if path.parts[0] not in ("_static", "lite")]
