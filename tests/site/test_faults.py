"""The tooling proves itself: each kind of fault makes the build fail with a message that names place and remedy."""
from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

from tests.site.small_book import DIAGRAM, SKELETON, Book, small_config

PAGE = "# Chapter\n\nWords.\n\n"


def chapter(text: str) -> Callable[[Book], None]:
    def spoil(book: Book) -> None:
        book.write("book/01-chapter.md", PAGE + text + SKELETON)
        book.toc("book/01-chapter")

    return spoil


def broken_notebook(book: Book) -> None:
    book.notebook("notebooks/01-broken.ipynb", "fine = 1", "fine / 0")
    book.toc("notebooks/01-broken")


def missing_page(book: Book) -> None:
    book.toc("book/07-nowhere")


def bare_chapter(book: Book) -> None:
    book.write("book/01-chapter.md", PAGE)
    book.toc("book/01-chapter")


def forgotten_chapter(book: Book) -> None:
    book.write("book/02-forgotten.md", PAGE)


def forgotten_notebook(book: Book) -> None:
    book.notebook("notebooks/02-forgotten.ipynb", "1")


def twice(book: Book) -> None:
    chapter("")(book)
    book.toc("book/01-chapter", "book/01-chapter")


def malformed_toc(book: Book) -> None:
    book.write("_toc.yml", "format: jb-book\nroot: book/index\nparts:\n- caption: Empty\n  chapters: []\n")


def unreadable_toc(book: Book) -> None:
    book.write("_toc.yml", "format: [jb-book\n")


def diagram_without_words(book: Book) -> None:
    book.diagram()
    chapter(f"```{{mermaid}}\n{DIAGRAM}\n```\n")(book)


def orphan(book: Book) -> None:
    book.diagram("flowchart LR\n  nobody --> uses")


def stray_file(book: Book) -> None:
    """Somebody else's script, put among the static files."""
    book.write("extra/stray.min.js", "/*! not ours */")
    config = yaml.safe_load(small_config())
    config["sphinx"]["config"]["html_static_path"].append("extra")
    book.write("_config.yml", yaml.safe_dump(config))


def notebook_not_in_the_browser(book: Book) -> None:
    chapter('<a href="../lite/lab/index.html?path=no.ipynb">run</a>\n')(book)
    book.write("extra/lite/lab/index.html", "<p>JupyterLite</p>")
    config = yaml.safe_load(small_config())
    config["sphinx"]["config"]["html_extra_path"] = ["extra"]
    book.write("_config.yml", yaml.safe_dump(config))


FAULTS = {
    "a notebook that fails": (broken_notebook, ("notebooks/01-broken.ipynb", "ZeroDivisionError", "fine / 0")),
    "an unknown fact": (chapter("It takes {fact}`slurm.bf_intervall`."),
                        ("book/01-chapter.md", "no fact 'slurm.bf_intervall'", "slurm.bf_interval")),
    "a diagram without alternative text": (diagram_without_words, ("book/01-chapter.md:5", "alternative text", ":alt:")),
    "a diagram without drawing": (chapter(f"```{{mermaid}}\n:alt: two boxes\n{DIAGRAM}\n```\n"),
                                  ("book/01-chapter.md:5", "no drawing", "make figures")),
    "a drawing that no page uses": (orphan, ("no page uses the drawing", "make figures")),
    "a page that is not there": (missing_page, ("_toc.yml names book/07-nowhere", "no such file")),
    "a chapter that is not in the table of contents": (forgotten_chapter, ("book/02-forgotten.md is not in _toc.yml", "add")),
    "a notebook that is not in the table of contents": (forgotten_notebook, ("notebooks/02-forgotten.ipynb is not in",)),
    "a page named twice": (twice, ("_toc.yml names book/01-chapter twice",)),
    "a table of contents of another form": (malformed_toc, ("_toc.yml is not of the form",)),
    "a table of contents that is no YAML": (unreadable_toc, ("_toc.yml cannot be read", "line 1")),
    "a script from elsewhere": (chapter('<script src="https://example.org/x.js"></script>\n'),
                                ("book/01-chapter.html", "asks for https://example.org/x.js from elsewhere")),
    "a file of others that no list names": (stray_file, ("_static/stray.min.js is on no list", "site/third-party.toml")),
    "a picture from elsewhere": (chapter('```{raw} html\n<img src="//example.org/x.png" alt="x">\n```\n'),
                                 ("book/01-chapter.html", "asks for //example.org/x.png from elsewhere")),
    "a picture without alternative text": (chapter('<img src="data:image/gif;base64,R0lGOD">\n'),
                                           ("book/01-chapter.html", "no alternative text")),
    "an inline event handler": (chapter('<button onclick="go()">Go</button>\n'), ("book/01-chapter.html", "onclick")),
    "a link to nowhere": (chapter('<a href="02-not-written.html">next</a>\n'),
                          ("book/01-chapter.html", "the link 02-not-written.html leads nowhere")),
    "a link to a place that is not there": (chapter('<a href="index.html#absent">there</a>\n'),
                                            ("index.html#absent", "no such place")),
    "an explanation that is not there": (chapter('<i aria-describedby="absent">x</i>\n'),
                                         ("book/01-chapter.html", "'absent', and there is no such id")),
    "a notebook in the browser that is not there": (notebook_not_in_the_browser, ("opens a notebook that is not there",)),
    "an id that occurs twice": (chapter('<i id="same"></i><i id="same"></i>\n'), ("the id 'same' occurs twice",)),
    "a chapter without its parts": (bare_chapter, ("book/01-chapter.html: a chapter needs the directive {card}", "{predict}",
                                                   "{key-points}", "{leaves-out}", "{sources}", "CONTRIBUTING.md")),
    "a card without minutes": (chapter(":::{card}\nto know.\n\n- say\n:::\n"), ("book/01-chapter.md:5", "`:read: 20`")),
    "a card without goals": (chapter(":::{card}\n:read: 1\n:do: 1\nto know.\n:::\n"), ("book/01-chapter.md:5", "as a list")),
    "tabs with something else in them": (chapter("::::{in-real-systems}\nWords.\n::::\n"),
                                         ("book/01-chapter.md:5", "{system} NAME")),
    "an exercise that does not exist": (chapter(":::{exercise} ex-05-99\n:::\n"),
                                        ("book/01-chapter.md:5", "ex-05-99", "ex-05-1")),
    "an exercise without a notebook": (chapter(":::{exercise} ex-05-1\n:::\n"),
                                       ("book/01-chapter.md:5", "no notebook notebooks/05-")),
    "a formula that cannot be read": (chapter("$\\frac{1}$\n"), ("book/01-chapter.md", "formula")),
    "a reference to nothing": (chapter("[see](#nothing-of-that-name)\n"), ("book/01-chapter.md:5", "nothing-of-that-name")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_fails_the_build_with_one_clear_message(book: Book, fault: str) -> None:
    spoil, message = FAULTS[fault]
    spoil(book)
    assert not book.build(), "the build should have failed"
    missing = [part for part in message if part not in book.said]
    assert not missing, f"{missing} not in:\n{book.said}"
    assert "bug tracker" not in book.said, "Sphinx took it for a fault of its own"


def test_a_failed_build_is_not_trusted_by_the_next(book: Book) -> None:
    """Sphinx's kept pages do not warn again; so a second run would pass if they stayed."""
    chapter("It takes {fact}`no.such_fact`.")(book)
    assert not book.build()
    assert not book.build()
    chapter("")(book)
    assert book.build(), book.said
