"""A small book for each test, and the real site once."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.site.small_book import Book, make_site, small_config


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """A sound book of one page."""
    made = Book(tmp_path)
    (tmp_path / "site").symlink_to(ROOT / "site")
    made.write("_config.yml", small_config())
    made.write("book/index.md", "# A small book\n\nIts first words are its description.\n")
    made.toc()
    return made


@pytest.fixture(scope="session")
def site() -> Path:
    """The real site; built here, in a process of its own, unless it is up to date."""
    done = subprocess.run([sys.executable, make_site.__file__], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / "_build" / "html"
