"""What the extensions write into a sound page, and what a second build leaves alone."""
from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

import pytest

from clustersim.facts import fact
from tests.site.small_book import DIAGRAM, SKELETON, Book

CHAPTER = f"""# A chapter

The first paragraph says what the page is about.

It takes {{fact}}`slurm.bf_interval`, and $x^2$.

```{{mermaid}}
:alt: The first box leads to the second.
:name: boxes
{DIAGRAM}
```

$$ \\sum_i x_i $$

::::{{exercise}}
Ask.

:::{{solution}}
Answer.
:::
::::

## One place

### A deeper place

## Another place
""" + SKELETON
CELL = """
from IPython.display import display
spec = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "mark": "bar", "data": {"name": "rows"},
        "datasets": {"rows": [{"a": 1, "b": 2}]}, "encoding": {"x": {"field": "a", "type": "quantitative"},
        "y": {"field": "b", "type": "quantitative"}, "color": {"value": "#6fb1e0"}}}
display({"application/vnd.vegalite.v5+json": spec, "text/plain": "A bar\\nIt is two high."}, raw=True)
"""
PANEL = """
import ipywidgets
ipywidgets.IntSlider(description="moves nothing")
"""


def make(book: Book) -> Book:
    book.diagram()
    book.write("book/05-chapter.md", CHAPTER)
    book.write("book/facts.md", "# Numbers\n\nAll of them.\n\n```{facts}\n```\n")
    book.notebook("notebooks/05-notebook.ipynb", CELL, PANEL)
    book.toc("book/05-chapter", "notebooks/05-notebook", "book/facts")
    assert book.build(), book.said
    return book


def test_a_sound_book(book: Book) -> None:
    make(book)
    page = book.page("book/05-chapter.html")
    entry = fact("slurm.bf_interval")

    assert f'href="facts.html#fact-slurm-bf-interval" title="{entry.status}; source: ' in page
    assert entry.text() in page and f"read on {entry.read.isoformat()}" in page
    assert 'id="fact-slurm-bf-interval"' in book.page("book/facts.html")

    assert '<meta name="description" content="The first paragraph says what the page is about." />' in page
    assert 'role="img" aria-label="The first box leads to the second."' in page and "Diagram as text" in page
    assert re.search(r'<a [^>]*href="#" aria-current="page">', page), "the navigation names the current page"
    assert page.count("<math") == 2 and "MathJax" not in page
    assert re.search(r"<details[^>]*cs-folded[^>]*>\s*<summary[^>]*>Solution</summary>", page)
    assert '<span class="section-number">5. </span>A chapter' in page, "a chapter's number is its file's"
    assert re.search(r'id="cs-toc".*A deeper place.*</nav>', page, re.DOTALL)

    drawn = book.page("notebooks/05-notebook.html")
    assert re.search(r'role="img" aria-label="It is two high\."', drawn) and "var(--cs-job-1, #6fb1e0)" in drawn
    assert "widget-view+json" not in drawn and "require.js" not in drawn


def test_the_policy_comes_first_and_the_description_is_words(book: Book) -> None:
    assert book.build(), book.said
    for name in ("index.html", "book/index.html", "search.html"):
        head = book.page(name).split("<head>", 1)[1]
        assert head.lstrip().startswith('<meta http-equiv="Content-Security-Policy"'), name
        assert head.encode().index(b"charset") < 1024, "browsers look for the encoding in the first kilobyte"


def test_the_second_build_does_only_what_changed(book: Book) -> None:
    make(book)
    html = book.root / "_build" / "html"
    before = {path: path.stat().st_mtime_ns for path in html.rglob("*.html")}
    assert book.build() and "up to date" in book.said
    assert before == {path: path.stat().st_mtime_ns for path in html.rglob("*.html")}

    book.write("book/facts.md", "# Numbers\n\nOther words.\n\n```{facts}\n```\n")
    assert book.build(), book.said
    assert "Executing notebook" not in book.said
    changed = {path.relative_to(html).as_posix() for path in before if path.stat().st_mtime_ns != before[path]}
    assert "book/facts.html" in changed and "Other words" in book.page("book/facts.html")
    assert not changed & {"book/05-chapter.html", "notebooks/05-notebook.html"}, changed


def test_a_stale_fact_shows_a_badge_and_builds(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    late = datetime.combine(fact("slurm.bf_interval").due, time(), UTC) + timedelta(days=2)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(late.timestamp())))
    book.write("book/index.md", "# A small book\n\nIt takes {fact}`slurm.bf_interval`.\n")
    assert book.build(), book.said
    assert 'class="cs-fact-stale"' in book.page("book/index.html")
