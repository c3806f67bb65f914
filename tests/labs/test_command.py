"""The command line: what it refuses, in one sentence with a remedy, before anything is started."""
from __future__ import annotations

import errno
import importlib.util
import os
import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from clustersim.errors import InputError
from labs import cli
from labs.torchrun import command, lab, report
from labs.torchrun.account import NS, Attempt, Kill, Mark, Run
from labs.torchrun.predict import timing
from labs.torchrun.settings import TORCH, Settings
from tests.conftest import ROOT


def without(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda wanted, *rest: None if wanted == name else real(wanted, *rest))


def test_missing_torch_is_one_sentence_with_the_command(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    without(monkeypatch, "torch")
    assert cli.main(["torchrun"]) == 3
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert re.search(rf"run `\S+ -m pip install torch=={re.escape(TORCH)}`", said)


def test_a_system_without_file_locks_is_told_what_to_use(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    without(monkeypatch, "fcntl")
    assert cli.main(["torchrun"]) == 3
    assert "Windows Subsystem for Linux" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [
    [], ["nothing"], ["torchrun", "--processes", "1"], ["torchrun", "--processes", "5"], ["torchrun", "--minutes", "0"],
    ["torchrun", "--minutes", "nan"], ["torchrun", "--rate", "-1"], ["torchrun", "--rate", "often"],
    ["torchrun", "--checkpoint-every", "0"], ["torchrun", "--seed", "x"]])
def test_a_wrong_command_line_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2
    assert "usage: labs" in capsys.readouterr().err


def test_a_folder_with_something_in_it_is_not_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("precious")
    assert cli.main(["torchrun", "--folder", str(tmp_path)]) == 1
    assert "expected an empty or new folder" in capsys.readouterr().err
    assert (tmp_path / "mine").read_text() == "precious"


def test_a_result_that_could_not_be_written_is_refused_before_minutes_are_spent(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["torchrun", "--json", str(tmp_path / "no" / "such" / "result.json")]) == 1
    assert "expected a file that can be written" in capsys.readouterr().err


def test_a_full_disk_is_named_before_anything_is_started_and_nothing_is_made(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    full = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: full)
    assert cli.main(["torchrun", "--folder", str(tmp_path / "new" / "folder")]) == 1
    said = capsys.readouterr().err
    assert said == f"labs: {tmp_path}: found '1.0 MB free', expected 50 MB. Name a folder on another disk with --folder.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_in_the_middle_is_one_sentence(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def full(*_given: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "run"))

    monkeypatch.setattr(lab, "measure", full)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert cli.main(["torchrun"]) == 1
    assert capsys.readouterr().err == f"labs: {tmp_path / 'run'}: No space left on device\n"
    assert list(tmp_path.iterdir()) == []


def test_a_result_that_cannot_be_written_after_all_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "result.json").mkdir()
    with pytest.raises(InputError, match="--json .*result.json: found 'Is a directory'"):
        command._write(tmp_path / "result.json", "{}")
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_kills_that_let_nothing_be_done_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["torchrun", "--rate", "600", "--checkpoint-every", "100"]) == 1
    assert "lower one of the two" in capsys.readouterr().err


# --- words for a result ------------------------------------------------------------------------------------------

def made_up(loss: float = 0.25, repair_s: int = 5) -> lab.Result:
    """One interval of 20 steps of 0.1 s and no save time; killed once, one second in, and back after ``repair_s``."""
    def steps(start: int) -> tuple[Mark, ...]:
        end = start + 2 * NS
        return *(Mark("step", n, start + n * NS // 10) for n in range(1, 21)), Mark("saved", 20, end)

    calm = Run(0, 10 * NS, (Attempt(0, 2 * NS, 6 * NS, 0, steps(6 * NS)),), (), 0.25, "a")

    def hit(seconds: int, loss: float) -> Run:
        first, back = Attempt(0, 2 * NS, 6 * NS, 0, steps(6 * NS)[:10]), (7 + seconds) * NS
        again = Attempt(1, back - 4 * NS, back, 0, steps(back))
        return Run(0, back + 4 * NS, (first, again), (Kill(7 * NS, 0, 1, 7 * NS + NS // 2),), loss, "a")

    settings = Settings(minutes=2 / 60 / 0.35, rate_per_min=30)
    strike = lab.Strike(1.0, 1)
    return lab.Result(lab.Plan(settings, (strike,)), timing(calm, hit(5, 0.25)), calm, hit(repair_s, loss))


def test_a_prediction_that_holds_is_called_so() -> None:
    result = made_up()
    assert result.forecast.wall == pytest.approx(6 + 1 + 5 + 2 + 2)
    assert result.measured == pytest.approx(result.forecast.goodput)
    assert result.agrees
    assert "within 0.08" in " ".join(report.verdict(result))


def test_a_prediction_that_fails_is_called_so_with_a_reason() -> None:
    result = made_up(repair_s=60)
    assert not result.agrees
    said = " ".join(report.verdict(result))
    assert "more than 0.08" in said
    assert "restart" in said


def test_other_waiting_for_a_core_than_before_is_told_apart_from_a_wrong_prediction() -> None:
    """The same waiting: the prediction was wrong. Four times the waiting: it was made for another machine."""
    plain = made_up(repair_s=60)
    first, again = plain.killed.attempts

    def waiting(seconds: int) -> lab.Result:
        killed = replace(plain.killed, attempts=(first, replace(again, waited_ns=seconds * NS)))
        return lab.Result(plain.plan, replace(plain.timing, restart_waited=20.0), plain.undisturbed, killed)

    same, busier = waiting(20), waiting(80)
    assert not same.disturbed and "the prediction was wrong" in " ".join(report.verdict(same))
    assert busier.disturbed and "another machine" in " ".join(report.verdict(busier))


@pytest.mark.parametrize(("loss", "same"), [(0.2500004, True), (0.250001, False), (float("nan"), False)])
def test_losses_are_compared_to_six_decimals(loss: float, same: bool) -> None:
    assert made_up(loss=loss).same_loss is same
    assert ("NOT the same" in " ".join(report.verdict(made_up(loss=loss)))) is not same


def test_a_loss_that_is_no_number_is_never_the_same() -> None:
    result = made_up(loss=float("nan"))
    calm = Run(*(float("nan") if name == "loss" else getattr(result.undisturbed, name) for name in Run.__slots__))
    assert not lab.Result(result.plan, result.timing, calm, result.killed).same_loss


def test_the_table_has_every_kind_and_its_columns_add_up() -> None:
    lines = report.comparison(made_up())
    numbers = {line[:14].strip(): [float(text) for text in re.findall(r"([\d.]+) s", line)] for line in lines}
    total = numbers.pop("wall time")
    assert set(report.LABELS.values()) <= set(numbers)
    for column in (0, 1):
        assert sum(numbers[name][column] for name in report.LABELS.values()) == pytest.approx(total[column], abs=0.35)


# --- the lesson --------------------------------------------------------------------------------------------------

def test_the_lesson_names_the_options_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["torchrun", "--help"])
    offered = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    lesson = (ROOT / "labs/torchrun/README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(--[a-z-]+)", lesson, re.M))
    assert listed == offered
    assert set(re.findall(r"`(--[a-z-]+)", lesson)) == offered


@pytest.mark.parametrize("page", ["labs/README.md", "labs/torchrun/README.md"])
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", (ROOT / page).read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert local
    assert [link for link in local if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_the_version_of_torch_is_the_same_everywhere() -> None:
    places = [ROOT / name for name in ("pyproject.toml", "requirements-test.txt", "labs/README.md")]
    assert {found for place in places for found in re.findall(r"torch==([\d.]+\d)", place.read_text())} == {TORCH}
