"""Every page is valid HTML by html-validate's rules for the standard, without an exception."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "tests" / "browser"))

import program

pytestmark = pytest.mark.site


def faults(folder: Path, pages: list[str]) -> dict[str, list[str]]:
    """What html-validate says of each page that is not as it should be."""
    argument = json.dumps({"folder": str(folder), "pages": pages})
    command = [program.node(), str(ROOT / "tests" / "site" / "validate.mjs"), argument]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def book_pages(site: Path) -> list[str]:
    """Every page but those of JupyterLite, a site of its own, and what the theme leaves in ``_static``."""
    paths = [path.relative_to(site).as_posix() for path in sorted(site.rglob("*.html"))]
    return [name for name in paths if not name.startswith(("_static/", "lite/"))]


def test_every_page_is_valid(site: Path) -> None:
    pages = book_pages(site)
    assert len(pages) > 20
    assert faults(site, pages) == {}


def test_a_fault_is_found(tmp_path: Path) -> None:
    page = '<!DOCTYPE html>\n<html lang="en"><head><title>A page</title></head><body><ul><p>no item</p></ul></body></html>\n'
    (tmp_path / "page.html").write_text(page, "utf-8")
    (fault,) = faults(tmp_path, ["page.html"])["page.html"]
    assert "element-permitted-content" in fault
