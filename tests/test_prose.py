"""What the prose promises holds: commands exist, links lead somewhere, clock times stand in a figure of the page."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from clustersim.experiments import experiment
from tests.test_structure import LAYERS

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "book").glob("*.md"))
CHAPTERS = [page for page in PAGES if re.match(r"\d\d-", page.name)]
ALL = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
SECTIONS = ("## Try it yourself", "## Check yourself", ":::{key-points}", ":::{leaves-out}", ":::{sources}")


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """The page without listings and roles; directives that hold prose are written with colons."""
    without = re.sub(r"^(`{3,}).*?^\1$", "", text(page), flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", without)


def names(page: Path) -> str:
    return page.name


def test_there_are_chapters_to_look_at() -> None:
    assert {"01-why-orchestrate.md", "04-priority-and-fair-share.md", "05-backfill.md"} <= {page.name for page in CHAPTERS}


# --- commands ----------------------------------------------------------------------------------------------------

def targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", text(ROOT / "Makefile"), re.M))


@pytest.mark.parametrize("page", ALL, ids=names)
def test_every_make_command_named_exists(page: Path) -> None:
    named = set(re.findall(r"`make ([a-z-]+)`|^make ([a-z-]+)$", text(page), re.M))
    assert {one or other for one, other in named} <= targets()


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_is_described(name: str) -> None:
    page = text(ROOT / name)
    assert {target for target in targets() if f"make {target}" not in page} == set()


@pytest.mark.parametrize("page", ALL, ids=names)
def test_files_that_commands_name_exist(page: Path) -> None:
    paths = re.findall(r"(?:^|[ `])((?:site|tests|clustersim|benchmarks|book|notebooks)/[\w./-]*\w)", text(page), re.M)
    wanted = {path for path in paths if "NN" not in path and "NAME" not in path}
    assert {path for path in wanted if not _exists(path)} == set()


def _exists(path: str) -> bool:
    """As a path from the root, or from ``clustersim/`` and the like; a golden case may go without its suffix."""
    return (ROOT / path).exists() or any((ROOT / path).parent.glob((ROOT / path).name + ".*"))


def test_the_table_of_modules_in_the_design_is_the_one_that_holds() -> None:
    rows = re.findall(r"^\| (`[^|]*) \|[^|]*\|[^|]*\|$", text(ROOT / "book/design.md"), re.M)
    assert [tuple(name.rstrip("/") for name in re.findall(r"`([^`]+)`", row)) for row in rows] == list(LAYERS)


# --- links and terms ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("page", ALL, ids=names)
def test_relative_links_lead_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text(page))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


def glossary() -> dict[str, str]:
    body = text(ROOT / "book/glossary.md")
    body = body[body.index(":::{glossary}"):]
    return dict(re.findall(r"^(\S[^\n]*)\n  (\S[^\n]*)$", body, re.M))


def test_a_definition_has_at_most_twenty_words() -> None:
    terms = glossary()
    assert len(terms) > 20
    assert {term: n for term, body in terms.items() if (n := len(body.split())) > 20} == {}


def test_the_glossary_is_in_alphabetical_order() -> None:
    assert list(glossary()) == sorted(glossary(), key=str.casefold)


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_terms_linked_to_are_in_the_glossary_and_bold_where_a_chapter_first_uses_them(page: Path) -> None:
    known = {term.casefold() for term in glossary()}
    seen: set[str] = set()
    for bold, term in re.findall(r"(\*\*)?\{term\}`([^`]+)`", text(page)):
        assert term.casefold() in known
        assert bold or term in seen or page not in CHAPTERS, f"{term} is not bold at its first use"
        seen.add(term)


# --- the shape of a chapter --------------------------------------------------------------------------------------

@pytest.mark.parametrize("page", CHAPTERS, ids=names)
def test_a_chapter_has_the_parts_that_readers_rely_on(page: Path) -> None:
    body = text(page)
    title = re.search(r"^# (.+)$", body, re.M)
    assert title and title[1].endswith("?")
    assert [line for line in body.splitlines() if line in SECTIONS] == list(SECTIONS)
    assert ":::{card}" in body.split("\n## ", 1)[0]
    assert body.index(":::{predict}") < body.index("```{live}")
    assert body.count("::::{exercise}") == body.count(":::{solution}") >= 3


@pytest.mark.parametrize("page", CHAPTERS, ids=names)
def test_clock_times_in_the_prose_stand_in_a_figure_of_the_page(page: Path) -> None:
    figures = re.findall(r"^```\{live\} (\w+)$", text(page), re.M)
    assert figures
    shown = ""
    for name in figures:
        figure = experiment(name)
        outcome = figure()
        cells = (cell for row in outcome.table.rows for cell in row)
        shown += " ".join([figure.caption, outcome.summary, *(picture.alt for picture in outcome.figures), *cells]) + " "
    told = set(re.findall(r"\b\d\d:\d\d\b|\b\d+ h \d+ min\b", prose(page))) - {"00:00"}
    listed = " ".join(re.findall(r"^\|.*\|$", text(page), re.M))
    assert {time for time in told if time not in shown and time not in listed} <= set(QUOTED.get(page.name, ()))


# Durations that the prose works out before the reader's eyes, not taken from a figure.
QUOTED = {"01-why-orchestrate.md": ("3 h 20 min",)}


def test_every_diagram_says_what_it_shows() -> None:
    diagrams = [block for page in PAGES for block in re.findall(r"^```\{mermaid\}\n(.*?)^```", text(page), re.M | re.S)]
    assert len(diagrams) >= 4
    assert [block for block in diagrams if not re.match(r":alt: \S.{40,}\n", block)] == []


PARTS = ("card", "predict", "reveal", "in-real-systems", "system", "exercise", "hint", "solution", "key-points", "leaves-out",
         "sources", "live", "mermaid")


def test_the_style_page_and_the_guide_show_each_part_with_its_source() -> None:
    style, guide = text(ROOT / "book/style.md"), text(ROOT / "CONTRIBUTING.md")
    sources = "".join(re.findall(r"^````markdown\n(.*?)^````$", style, re.M | re.S))
    shown = re.sub(r"^````markdown\n.*?^````$", "", style, flags=re.M | re.S)
    for name in PARTS:
        begin = re.compile(rf"^[`:]{{3,4}}\{{{name}\}}", re.M)
        assert begin.search(sources) and begin.search(shown), name
        assert len(begin.findall(sources)) == len(begin.findall(shown)), f"{name}: what is shown is not its source"
        assert begin.search(guide) or name == "mermaid", f"{name} is not in the guide"


def test_the_example_of_a_chapter_in_the_guide_has_every_part() -> None:
    (example,) = re.findall(r"^````markdown\n(.*?)^````$", text(ROOT / "CONTRIBUTING.md"), re.M | re.S)
    assert [line for line in example.splitlines() if line in SECTIONS] == list(SECTIONS)
    assert example.index(":::{card}") < example.index(":::{predict}") < example.index("```{live}")
