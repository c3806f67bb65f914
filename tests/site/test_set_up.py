"""The commands before anything is installed: a missing tool is one sentence with the line to run."""
from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.site.small_book import bootstrap, run_tests

FIND = str(ROOT / "site" / "build" / "find_python.sh")


def fake_python(folder: Path, name: str, new_enough: bool) -> None:
    path = folder / name
    path.write_text(f'#!/bin/sh\ncase "$1" in --version) echo Python 3.9.2;; *) exit {0 if new_enough else 1};; esac\n')
    path.chmod(0o755)


def find(path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["/bin/sh", FIND, *arguments], env={"PATH": path}, capture_output=True, text=True)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder that stands for PATH: uname and nothing else."""
    (tmp_path / "uname").write_text("#!/bin/sh\necho Linux\n")
    (tmp_path / "uname").chmod(0o755)
    return tmp_path


def test_an_old_python_is_named_with_the_line_to_run(tools: Path) -> None:
    fake_python(tools, "python3", new_enough=False)
    done = find(str(tools))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    assert "3.11 or newer" in done.stderr and "Python 3.9.2" in done.stderr and "sudo apt-get install python3" in done.stderr


def test_no_python_at_all(tools: Path) -> None:
    done = find(str(tools))
    assert done.returncode == 3 and "there is no python3" in done.stderr


def test_a_newer_python_beside_an_old_one_is_taken(tools: Path) -> None:
    fake_python(tools, "python3", new_enough=False)
    fake_python(tools, "python3.12", new_enough=True)
    done = find(str(tools))
    assert (done.returncode, done.stdout.strip()) == (0, str(tools / "python3.12"))


def test_python_without_venv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SystemExit) as end:
        bootstrap.make_venv()
    said = capsys.readouterr().err
    assert end.value.code == bootstrap.MISSING and said.count("\n") == 1
    assert re.search(r"run `sudo apt-get install python3\.\d+-venv`", said)


def test_a_step_that_fails_shows_why(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="Installing things: failed"):
        bootstrap.run("Installing things", [sys.executable, "-c", "import sys; print('no space left'); sys.exit(1)"])
    assert "no space left" in capsys.readouterr().err


def test_nothing_is_installed_twice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    ran: list[str] = []
    monkeypatch.setattr(bootstrap, "run", lambda title, command, environment=None: ran.append(title))
    bootstrap.install_python("book")
    first = len(ran)
    bootstrap.install_python("book")
    bootstrap.install_python("lab")
    assert first > 0 and len(ran) == first, "the larger set holds the smaller"
    bootstrap.install_python("core")
    assert len(ran) > first


def test_without_chromium_one_sentence_and_exit_code_3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                                       capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(run_tests, "MAC", ())
    monkeypatch.setattr(run_tests.sys, "platform", "linux")
    with pytest.raises(SystemExit) as end:
        run_tests.need_chromium()
    said = capsys.readouterr().err
    assert end.value.code == 3 and said.count("\n") == 1 and "`sudo apt-get install chromium`" in said


@pytest.mark.parametrize(("body", "good"), [("pass", True), ("import pytest; pytest.skip('no tool')", False)])
def test_a_skipped_test_fails_the_run(tmp_path: Path, body: str, good: bool) -> None:
    (tmp_path / "test_it.py").write_text(f"def test_it():\n    {body}\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "site" / "build")}
    options = ["-q", "-p", "no_skips", "-p", "no:cacheprovider", "-c", os.devnull]
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode == 0) is good, done.stdout
    assert ("NOT RUN" in done.stdout) is not good


def test_every_target_of_the_makefile_is_in_its_help() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert targets is not None
    told = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert all(re.search(rf"make {name}\s", told) for name in targets[1].split())
