"""No visible string is left out: the pages in a made-up language, looked at word by word."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pseudo
import pytest
import serve
import visible

from clustersim.checks import exercises
from tests.browser import program

# The finished pages of every language: what they show of the program is what readers of other languages see.
PAGES = ("book/index", "book/01-why-orchestrate", "book/glossary", "notebooks/01-why-orchestrate")
# What stands in every language as it is: names of people, of Slurm's QOS, and what is typed as an answer.
NAMES = {"alice", "bob", "carol", "low", "medium", "high", *(option for item in exercises(1) for option in item.options)}

FIGURES = ("no_scheduler", "three_researchers")
FILES = {"pyodide.asm.wasm"}  # what could not be loaded is named as it is


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages in the made-up language."""
    out = tmp_path_factory.mktemp("pseudo")
    done = subprocess.run([sys.executable, pseudo.__file__, str(out), *PAGES], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return out / "_build" / "html" / pseudo.LANGUAGE


@pytest.mark.browser  # the drawings of its diagrams
@pytest.mark.parametrize("page", PAGES)
def test_every_word_of_a_page_is_a_message(built: Path, page: str) -> None:
    texts = visible.seen((built / f"{page}.html").read_text("utf-8"))
    assert sum(any(letter in text for letter in map(chr, pseudo.WIDE.values())) for text in texts) > 40
    assert sorted(set(visible.left(texts, NAMES))) == []


@pytest.fixture(scope="module")
def spoken(built: Path, site: Path) -> dict[str, Any]:
    """What scripts show and say: the pages in front of the site's scripts, whose Python has the made-up catalogue."""
    shutil.copytree(site / "_static", built.parent / "_static", copy_function=os.link)
    wheel = next((built.parent / "_static" / "live" / "wheels").glob("*/clustersim-*.whl"))
    whole = wheel.read_bytes()
    wheel.unlink()  # a second name of the site's own
    wheel.write_bytes(whole)
    name = f"clustersim/locale/{pseudo.LANGUAGE}/LC_MESSAGES/clustersim.mo"
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.write(built.parents[2] / name, name)
    with serve.serving(built.parent) as base:
        return program.run("speaking.mjs", base, page=f"{pseudo.LANGUAGE}/book/01-why-orchestrate.html", figures=list(FIGURES),
                           asks=f"{pseudo.LANGUAGE}/notebooks/01-why-orchestrate.html")


@pytest.mark.browser
@pytest.mark.site
def test_every_word_that_scripts_show_is_a_message(spoken: dict[str, Any]) -> None:
    """Controls, summaries, tables, charts, buttons; what is said to an answer; why a figure cannot start."""
    texts = {name: found["texts"] for name, found in spoken["figures"].items()}
    texts |= {name: [said] for name, said in spoken["answers"].items()} | {"failure": spoken["failure"]}
    assert len(texts) == len(FIGURES) + len(exercises(1)) + 1
    letters = set(map(chr, pseudo.WIDE.values()))
    assert [name for name, found in texts.items() if not letters & set("".join(found))] == []
    assert {name: words for name, found in texts.items() if (words := list(visible.left(found, {*NAMES, "min", *FILES})))} == {}
    assert all(found["before"] != found["after"] for found in spoken["figures"].values())


def test_what_is_no_message_is_seen() -> None:
    page = (f'<head><meta charset="utf-8" /><link title="not seen" /></head><p>{pseudo.wide("marked words")}</p>'
            f'<p title="forgotten">x</p><code>plain</code><p>also this alice</p>')
    assert list(visible.left(visible.seen(page), NAMES)) == ["forgotten: forgotten", "also this: also this alice"]


def test_markup_and_fields_stay() -> None:
    text = "See [the `x`](a.md), **{term}`queue`** and {fact}`a.b` at {n:.1f}"
    assert pseudo.page_message(text) == (
        f"{pseudo.wide('See')} [{pseudo.wide('the')} `x`](a.md), **{{term}}`{pseudo.wide('queue')} <queue>`** "
        f"{pseudo.wide('and')} {{fact}}`a.b` {pseudo.wide('at')} {{n:.1f}}")
    assert pseudo.program_message("{n} jobs") == "{n} " + pseudo.wide("jobs")
