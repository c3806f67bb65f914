"""What an earlier build left is kept only while everything that it was made from is the same."""
from __future__ import annotations

from pathlib import Path

import pytest

from tests.site.small_book import make_site

PARTS = {"code": "clustersim/clock.py", "site": "site/ext/csp.py", "text": "book/index.md"}
KEPT = {"runs": ".jupyter_cache/global.db", "trees": ".doctrees/environment.pickle", "pages": "html/index.html"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout that has been built."""
    for name in PARTS.values():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("one\n")
    for name in KEPT.values():
        (tmp_path / "_build" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "_build" / name).write_text("built\n")
    make_site.Kept(tmp_path).is_good()
    return tmp_path


def left(root: Path) -> set[str]:
    return {what for what, name in KEPT.items() if (root / "_build" / name).exists()}


def test_nothing_changed(root: Path) -> None:
    assert make_site.Kept(root).is_current()


@pytest.mark.parametrize(("changed", "stays"), [("code", set()), ("site", {"runs"}), ("text", {"runs", "trees", "pages"})])
def test_a_change_throws_away_what_depends_on_it(root: Path, changed: str, stays: set[str]) -> None:
    (root / PARTS[changed]).write_text("two\n")
    kept = make_site.Kept(root)
    assert not kept.is_current()
    kept.drop_stale()
    assert left(root) == stays


def test_a_renamed_file_is_a_change(root: Path) -> None:
    path = root / PARTS["code"]
    path.rename(path.with_name("clock2.py"))
    assert not make_site.Kept(root).is_current()


def test_compiled_files_are_no_change(root: Path) -> None:
    cache = root / "clustersim" / "__pycache__"
    cache.mkdir()
    (cache / "clock.cpython-311.pyc").write_bytes(b"\0")
    assert make_site.Kept(root).is_current()


def test_a_build_that_breaks_off_is_not_current(root: Path) -> None:
    make_site.Kept(root).drop_stale()
    kept = make_site.Kept(root)
    assert not kept.is_current()
    kept.drop_stale()
    assert left(root) == {"runs"}, "runs of notebooks stay valid, pages of a broken build do not"
