"""No visible string is left out: the pages in a made-up language, looked at word by word."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pseudo
import pytest
import visible

from clustersim.checks import exercises

# The finished pages of every language: what they show of the program is what readers of other languages see.
PAGES = ("book/index", "book/01-why-orchestrate", "book/glossary", "notebooks/01-why-orchestrate")
# What stands in every language as it is: names of people, of Slurm's QOS, and what is typed as an answer.
NAMES = {"alice", "bob", "carol", "low", "medium", "high", *(option for item in exercises(1) for option in item.options)}


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
