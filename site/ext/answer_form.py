"""An answer to an exercise, checked in the page by the code that checks it in the notebook: ``live/answer.mjs``.

The form stands where a notebook's page asks for the answer, and where a chapter's exercise leads to its notebook. Without
JavaScript it is not there; the notebook is.
"""
from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from clustersim import checks, page
from clustersim.errors import ClusterSimError
from clustersim.messages import _

# In a notebook: an exercise's section up to its first cell. In a chapter: the way from an exercise to its notebook.
SECTION = re.compile(r'<section id="exercise-(ex-\d\d-\d+)[^"]*">(?:(?!<section ).)*?(?=<div class="cell)', re.DOTALL)
WAY = re.compile(r'(?=<p class="[^"]*cs-to-notebook[^"]*">(?:(?!</p>).)*#exercise-(ex-\d\d-\d+))', re.DOTALL)
WORDS = ("loading", "loading_manifest", "loading_runtime", "loading_packages", "checking", "cannot_check", "failed_file",
         "failed_worker", "failed_wasm", "failed_offline", "failed_fetch", "failed_python")


def form(exercise_id: str, number: int) -> str:
    """The form for one exercise, the ``number``-th of its page; nothing for an id that no exercise has."""
    try:
        item = checks.exercise(exercise_id)
    except ClusterSimError:
        return ""
    about = page.answer_form(item)
    name = f"cs-answer-{number}"
    if about["options"]:
        options = "".join(f"<option>{escape(option)}</option>" for option in about["options"])
        control = f'<select id="{name}" name="answer"><option value="">{escape(_("choose"))}</option>{options}</select>'
    else:
        control = (f'<input id="{name}" name="answer" type="text" autocomplete="off" spellcheck="false" '
                   f'aria-describedby="{name}-how" />')
    return (f'<form class="cs-answer js-only" data-exercise="{escape(item.id)}" method="dialog">'
            f'<label for="{name}">{escape(_("Your answer to {id}").format(id=item.id))}</label> {control} '
            f'<button type="submit">{escape(_("Check"))}</button>'
            f'<small id="{name}-how">{escape(about["wanted"])}</small><p class="cs-answer-said" role="status"></p></form>\n')


def with_forms(body: str) -> str:
    """The page's text with a form for every exercise that it asks."""
    count = 0

    def put(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return match[0] + form(match[1], count)

    return WAY.sub(put, SECTION.sub(put, body))


def words() -> str:
    said = page.words()
    text = json.dumps({name: said[name] for name in WORDS}, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="cs-answer-words">{text}</script>\n'


def add(app: Sphinx, pagename: str, _template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if doctree is None or "body" not in context:
        return
    body = with_forms(str(context["body"]))
    if 'class="cs-answer ' in body:
        context["body"] = body + words()
        app.add_js_file("live/answer.mjs", type="module")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("html-page-context", add, priority=550)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
