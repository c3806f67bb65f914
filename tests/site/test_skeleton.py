"""The parts of a chapter that directives make: headings, boxes, folds and tabs, in order and named, without a script."""
from __future__ import annotations

import re
from html.parser import HTMLParser

from clustersim.checks import exercise
from tests.site.small_book import SKELETON, Book

CHAPTER = """# A chapter

The first paragraph.

## A place

Words.

::::{in-real-systems}
:::{system} Slurm
Of the first.
:::
:::{system} Kubernetes & kin
Of the second.
:::
::::

### A deeper place

::::{predict}
Which?

:::{reveal} What *happens*
This.
:::
::::

::::{exercise}
What?

:::{hint}
Think.
:::
:::{solution}
That.
:::
::::

:::{exercise} ex-05-2
:::
"""


class Text(HTMLParser):
    """Tags and words of a page in order, without white space."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("h1", "h2", "h3", "details", "summary", "section"):
            self.parts.append(f"<{tag}>")

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.parts.append(" ".join(data.split()))


def built(book: Book) -> str:
    book.write("book/05-chapter.md", CHAPTER + SKELETON)
    book.notebook("notebooks/05-notebook.ipynb", "1")
    made = book.root / "notebooks/05-notebook.ipynb"
    made.write_text(made.read_text("utf-8").replace("It runs.", "It runs.\\n\\n## Exercise ex-05-2 (apply)"), "utf-8")
    book.toc("book/05-chapter", "notebooks/05-notebook")
    assert book.build(), book.said
    page = book.page("book/05-chapter.html")
    return page[page.index("<article"):page.index("</article>")]


def test_the_parts_of_a_chapter(book: Book) -> None:
    page = built(book)
    heads = re.findall(r"<h(\d)>(?:<span[^>]*>[\d. ]+</span>)?([^<]+)<", page)
    assert heads == [("1", "A chapter"), ("2", "A place"), ("3", "A deeper place"), ("2", "Key points"),
                     ("2", "What this model leaves out"), ("2", "Sources")]
    assert [f'id="{name}"' in page for name in ("key-points", "what-this-model-leaves-out", "sources")] == [True] * 3
    _the_card(page)
    _the_folds(page)
    _the_tabs(page)
    _the_exercise_of_the_notebook(page)
    onward = page[page.index('class="cs-onward'):page.index('id="key-points"')]
    assert re.findall(r'href="([^"]+)"', onward) == ["../notebooks/05-notebook.html#exercise-ex-05-2-apply"], "what it asks"


def _the_card(page: str) -> None:
    card = re.search(r'<div class="cs-card admonition">.*?</div>', page, re.S)
    assert card is not None
    assert Text(card[0]).parts == ["Before you start", "It takes",
                                   "about 1 min to read and 2 min to try things, both estimated.",
                                   "You need", "to know a thing.", "Afterwards you can", "do another"]


def _the_folds(page: str) -> None:
    folds = re.findall(r'<details class="([^"]*)"[^>]*>\s*<summary[^>]*>([^<]*)</summary>', page)
    assert [(re.search(r"cs-(reveal|hint|solution)", classes)[1], words) for classes, words in folds] == [  # type: ignore[index]
        ("reveal", "What happens"), ("hint", "Hint"), ("solution", "Solution"), ("hint", "Hint"), ("solution", "Solution")]
    box = page[page.index('<div class="cs-predict admonition">'):]
    assert Text(box[:box.index("</details>")]).parts == ["Predict", "Which?", "<details>", "<summary>", "What happens", "This."]


def _the_tabs(page: str) -> None:
    tabs = page[page.index('<div class="cs-systems" role="radiogroup" aria-label="In real systems">'):]
    radios = re.findall(r'<input type="radio" name="(.*?)" id="(.*?)"( checked)?><label for="(.*?)">(.*?)</label>', tabs)
    named = [(words, bool(checked)) for _name, _id, checked, _for, words in radios]
    assert named == [("Slurm", True), ("Kubernetes &amp; kin", False)]
    assert len({name for name, *_rest in radios}) == 1 and all(own == of for _n, own, _c, of, _w in radios)
    assert len(radios) == 2 and tabs.index("Of the first.") < tabs.index(radios[1][1]) < tabs.index("Of the second.")


def _the_exercise_of_the_notebook(page: str) -> None:
    item = exercise("ex-05-2")
    assert "<p class=\"admonition-title\">Exercise ex-05-2 (apply)</p>" in page
    words = " ".join(Text(page).parts)
    assert all(" ".join(part.split()) in words for part in item.text(item.question).split("`"))
    assert 'href="../notebooks/05-notebook.html#exercise-ex-05-2-apply"' in page
