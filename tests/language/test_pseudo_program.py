"""No string of the program is left out: all that experiments, exercises, notebooks and commands say in a made-up language."""
from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pseudo
import pytest
import visible

from clustersim import checks, experiments
from tests.conftest import ROOT

SPEAKER = Path(__file__).with_name("speaker.py")
SMALL = ROOT / "tests" / "golden" / "swf_reference" / "syn-small.swf"
JOBS = {"big", "wide", "small", "mid", "top", "first", "second", "long", "head", "norm", "either", "urgent", "old", "new",
        "next", "over", "two", "none", "and", "nore", "exu", "stubborn", "high", "low", "medium"}
FLEETS = {"Meta RSC", "Llama", "Imbue", "StepFun InfiniteHBD trace", "Nebius 3000-GPU cluster",
          "Lablup 63-node B200 (Xid GPU failures only)"}
# What stays in plain letters: where (a pattern for the place), what, and why.
EXCEPTIONS = (
    (".*", {"alice", "bob", "carol", "dave"}, "names of users"),
    (".*", {"min"}, "the sign of a unit, as h and GB/s are"),
    (".* (backfill_.*|measured_.*|one_gap|preemption|priority_parts|second_in_line|three_researchers)|exercise ex-0[4-6].*",
     JOBS, "names of jobs, priorities and QOS, as the workload gives them"),
    (".* (fair_tree|ex-04-5)", {"physics", "chem"}, "names of accounts"),
    (".* (which_node|measured_beside_simulated)", {"cpu", "gpu", "old", "new"}, "names of features of nodes"),
    (".* cluster_view", {"down", "draining", "drng", "idle", "mix", "plnd"}, "states as Slurm prints them"),
    (".* (limits_and_reasons|measured_beside_simulated)", {"Priority", "Resources", "None"}, "reasons as Slurm prints them"),
    (".* measured_beside_simulated", {"sbatch: error: Batch job submission failed: Invalid feature specification"},
     "an error as Slurm prints it"),
    (".* (detection_delay|diagnostic_planner|gpus_and_rate|llama3_54_days)", FLEETS, "names of clusters, as in their sources"),
)


def passed(place: str) -> set[str]:
    """The words that may stay at a place; to these come the answers to an exercise, which are typed as they are."""
    found = {name for pattern, names, _why in EXCEPTIONS if re.fullmatch(pattern, place) for name in names}
    if place.startswith("exercise "):
        found |= set(checks.exercise(place.removeprefix("exercise ")).options)
    return found


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with its made-up catalogue."""
    out = tmp_path_factory.mktemp("program")
    pseudo.copy(out, ("clustersim", "labs"))
    pseudo.translate_program(out)
    return out


def run(program: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CLUSTERSIM_LANGUAGE": pseudo.LANGUAGE, "PYTHONPATH": str(program)}
    return subprocess.run([sys.executable, *map(str, arguments)], cwd=program, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def spoken(program: Path) -> dict[str, list[str]]:
    """What is said, by place."""
    done = run(program, "-W", "error", SPEAKER)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def plain(text: str) -> list[str]:
    """The text, or what a reader sees of it if it is HTML."""
    return visible.seen(text) if re.search("</[a-z]", text) else [text]


def test_every_experiment_and_exercise_has_spoken(spoken: dict[str, list[str]]) -> None:
    wanted = {f"{kind} {name}" for name in experiments.IDS for kind in ("experiment", "panel")}
    chapters = {int(path.stem[2:4]) for path in (ROOT / "clustersim" / "exercises").glob("ch[0-9][0-9].py")}
    wanted |= {f"exercise {item.id}" for chapter in chapters for item in checks.exercises(chapter)}
    assert set(spoken) == wanted
    letters = set(map(chr, pseudo.WIDE.values()))
    assert [place for place, texts in spoken.items() if sum(bool(letters & set(text)) for text in texts) < 3] == []


def test_every_word_of_a_figure_a_panel_and_an_exercise_is_a_message(spoken: dict[str, list[str]]) -> None:
    found = {place: sorted(set(visible.left((part for text in texts for part in plain(text)), passed(place))))
             for place, texts in spoken.items()}
    assert {place: words for place, words in found.items() if words} == {}


def test_every_exception_is_needed(spoken: dict[str, list[str]]) -> None:
    """A name that nobody says any more, or a pattern for no place, would let something else pass."""
    for pattern, names, why in EXCEPTIONS:
        text = "\n".join(part for place, texts in spoken.items() if re.fullmatch(pattern, place) for part in texts)
        assert [name for name in names if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)] == [], why


# --- commands --------------------------------------------------------------------------------------------------------

# Python's argparse speaks the language of Python's own catalogue, and shows names of commands and options as they are typed.
ARGPARSE = ("usage", "positional arguments", "options", "show this help message and exit",
            "show program's version number and exit", "error", "argument", "invalid choice", "choose from",
            "the following arguments are required")
TYPED = {"clustersim", "labs", "torchrun", "replay", "swf", "slurm", "story", "trace", "workload", "outcome", "subject",
         "cores", "policy", "starts", "json", "save", "version", "help", "fcfs", "easy", "none"}
COMMANDS = (
    ("--help",), ("replay", "--help"), ("replay", "swf", "--help"), ("replay", "slurm", "--help"), ("story", "--help"),
    ("replay", "swf", SMALL, "--cores", 64, "--policy", "easy"), ("replay", "swf", SMALL, "--cores", 0, "--policy", "easy"),
    ("replay", "swf", SMALL, "--cores", 8, "--policy", "easy"), ("replay", "swf", "none.swf", "--cores", 8, "--policy", "easy"),
    ("replay", "slurm", "none.json", "--outcome", "out.json"), ("story", "none.json", "1"), ("replay",), (),
)


@cache
def quoted() -> re.Pattern[str]:
    return re.compile("|".join([r"'[^']*'", r"\S*/\S*", r"\S+\.\w+", r"--\w+", r"\b[A-Z]{2,}\b(?:\.\w+)?"]))


def told(done: subprocess.CompletedProcess[str]) -> Iterator[str]:
    for line in (done.stdout + done.stderr).splitlines():
        yield quoted().sub("", line)


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: " ".join(map(str, arguments))[-40:])
def test_every_word_of_a_command_is_a_message(program: Path, arguments: tuple[object, ...]) -> None:
    done = run(program, "-m", "clustersim.cli", *arguments)
    assert set(map(chr, pseudo.WIDE.values())) & set(done.stdout + done.stderr) and "Traceback" not in done.stderr
    assert list(visible.left(told(done), {*ARGPARSE, *TYPED, "No such file or directory"})) == []


def test_a_story_is_told_in_the_language(program: Path) -> None:
    saved = program / "trace.json"
    assert run(program, "-m", "clustersim.cli", "replay", "swf", SMALL, "--cores", 64, "--policy", "easy", "--save",
               saved).returncode == 0
    done = run(program, "-m", "clustersim.cli", "story", saved, "job-3")
    assert done.returncode == 0 and done.stdout.count("\n") == 3
    assert list(visible.left(told(done), TYPED)) == []


@pytest.mark.parametrize("arguments", [("--help",), ("torchrun", "--help")], ids=" ".join)
def test_every_word_of_a_lab_command_is_a_message(program: Path, arguments: tuple[str, ...]) -> None:
    done = run(program, "-m", "labs.cli", *arguments)
    assert set(map(chr, pseudo.WIDE.values())) & set(done.stdout + done.stderr) and "Traceback" not in done.stderr
    assert list(visible.left(told(done), {*ARGPARSE, *TYPED, "default"})) == []
