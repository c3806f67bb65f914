"""A chapter that `make chapter` begins builds and passes its tests before a word of it is written."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.site.small_book import small_config

NAME, FIGURE = "99-a-new-thing", "brand_new_figure"
COPIED = ("clustersim", "site", "book", "notebooks", "tests", "labs", "_toc.yml", "_config.yml", "pyproject.toml", "Makefile",
          "README.md", "CONTRIBUTING.md", "requirements.txt", "constraints.txt", "package.json", "package-lock.json")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this one in which the chapter was begun."""
    root = tmp_path_factory.mktemp("checkout")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__", "golden", ".ipynb_checkpoints"))
        else:
            shutil.copy2(source, root / name)
    done = run(root, "site/build/new_chapter.py", NAME, FIGURE)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(root), str(root / "site" / "build")])
    return subprocess.run([sys.executable, *arguments], cwd=root, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": path})


def test_style_types_and_the_tests_that_know_chapters_pass(checkout: Path) -> None:
    new = [f"clustersim/experiments/{FIGURE}.py", "clustersim/exercises/ch99.py"]
    tests = ["tests/checks", "tests/test_prose.py", "tests/test_experiments.py", "tests/test_structure.py",
             "tests/notebooks/test_notebooks.py"]
    chosen = f"ex-99 or 99 or {FIGURE} or promise or layers or notebook_for_each"
    quiet = ["-q", "-p", "no:cacheprovider"]
    for arguments in (["ruff", "check", *new], ["mypy", *new], ["pytest", *quiet, *tests, "-k", chosen]):
        done = run(checkout, "-m", *arguments)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr


def test_it_builds(checkout: Path) -> None:
    """The new chapter and its notebook alone, since the rest is built elsewhere."""
    (checkout / "_config.yml").write_text(small_config(), "utf-8")
    parts = [{"caption": "Notebooks", "chapters": [{"file": f"notebooks/{NAME}"}]}]
    toc = {"format": "jb-book", "root": f"book/{NAME}", "parts": parts}
    for path in [*(checkout / "book").glob("*.md"), *(checkout / "notebooks").glob("*.ipynb")]:
        if path.stem != NAME:
            path.unlink()
    shutil.rmtree(checkout / "book" / "figures")
    before = (checkout / "_toc.yml").read_text("utf-8")
    (checkout / "_toc.yml").write_text(yaml.safe_dump(toc), "utf-8")
    done = run(checkout, "site/build/make_site.py", "--root", str(checkout))
    assert done.returncode == 0, done.stdout + done.stderr
    page = (checkout / "_build" / "html" / "book" / f"{NAME}.html").read_text("utf-8")
    assert "brand_new_figure" in page and 'data-exercise="ex-99-1"' in page and "PUT HERE" in page
    assert re.findall(rf"file: (\w+)/{NAME}\n", before) == ["book", "notebooks"]


def test_a_second_time_it_refuses_and_names_what_is_there(checkout: Path) -> None:
    done = run(checkout, "site/build/new_chapter.py", "99-another", "another_figure")
    assert done.returncode == 2 and NAME in done.stderr and "is there already" in done.stderr


@pytest.mark.parametrize("arguments", [("26", "x"), ("26-Infrastructure", "x"), ("26-infra", "My Figure")])
def test_a_name_of_another_form_is_refused(checkout: Path, arguments: tuple[str, str]) -> None:
    done = run(checkout, "site/build/new_chapter.py", *arguments)
    assert done.returncode == 2 and "make chapter NAME=NN-slug" in done.stderr


def test_no_mark_of_a_begun_chapter_is_left() -> None:
    pages = [*(ROOT / "book").glob("*.md"), *(ROOT / "notebooks" / "src").glob("*.md"), *(ROOT / "clustersim").rglob("*.py")]
    assert [path.name for path in pages if "PUT HERE" in path.read_text("utf-8")] == []
