"""The page of all experiments: each with its picture, its place, settings that exist, and its notebook."""
from __future__ import annotations

import gzip
import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from clustersim.experiments import IDS, experiment
from tests.site.small_book import page_check, play

pytestmark = pytest.mark.site
MOST_BYTES = 20_000  # of one picture as it is sent; a browser loads those in view


def links(site: Path, page: str) -> list[str]:
    return page_check.read(site / page).links


def test_every_experiment_is_there_with_a_picture_for_light_and_dark(site: Path) -> None:
    text = (site / "book" / "play.html").read_text("utf-8")
    shots = r'<img class="cs-when-(light|dark)" src="([^"]+)" alt="" loading="lazy" width="320" height="(\d+)">'
    pictures = re.findall(shots, text)
    assert len(pictures) == 2 * len(IDS)
    for shade, address, height in pictures:
        file = (site / "book" / address).resolve()
        assert file.stem.endswith(shade) and int(height) > 50
        content = file.read_text("utf-8")
        assert content.startswith("<svg") and "var(--" not in content, "no style sheet reaches a file of its own"
        assert len(gzip.compress(content.encode())) < MOST_BYTES, file.name
    assert {Path(address).stem.rpartition("-")[0] for _shade, address, _height in pictures} == set(IDS)


def test_links_lead_to_the_figure_and_carry_settings_that_exist(site: Path) -> None:
    seen = set()
    for link in map(unescape, links(site, "book/play.html")):
        parts = urlsplit(link)
        if not parts.query.startswith("live."):
            continue
        pairs = [(name.split("."), value) for name, value in parse_qsl(parts.query)]
        (one,) = {name[1] for name, _value in pairs}
        assert parts.fragment == f"live-{one}" and f'id="live-{one}"' in (site / "book" / parts.path).read_text("utf-8")
        setting = experiment(one).settings({name[2]: value for name, value in pairs})
        assert setting != experiment(one).defaults()
        seen.add(one)
    assert seen == set(IDS)


def test_every_figure_leads_to_its_notebook(site: Path) -> None:
    pages = [path for path in sorted((site / "book").glob("*.html")) if "<live-experiment" in path.read_text("utf-8")]
    assert len(pages) > 8
    for path in pages:
        shown = re.findall(r'<live-experiment data-experiment="(\w+)"', path.read_text("utf-8"))
        wanted = {f"../lite/notebooks/index.html?path=figures/{name}.ipynb" for name in shown}
        assert wanted <= set(page_check.read(path).links), path.name
    on_play = {link for link in links(site, "book/play.html") if "path=figures/" in link}
    assert len(on_play) == len(IDS)


@pytest.mark.parametrize(("text", "first"), [
    ("One pair of rows: as measured on Slurm 22.05.8, below. Two.", "One pair of rows: as measured on Slurm 22.05.8, below."),
    ("Only one", "Only one"),
    ("Short. Short again, but it goes on for a while. No.", "Short. Short again, but it goes on for a while."),
    ("四つの GPU を三人で使う。" * 4, "四つの GPU を三人で使う。" * 3)])
def test_a_story_is_the_first_sentences_that_make_a_line(text: str, first: str) -> None:
    assert play.story(text) == first


def test_a_setting_in_an_address() -> None:
    assert play.query("x", {"a": 1.5, "b": True, "c": "gpu|old"}) == "live.x.a=1.5&live.x.b=true&live.x.c=gpu%7Cold"
