"""Leave out of the finished site what no page uses: the theme's scripts, icon fonts and styles, and rules for absent classes.

The theme ships 1.5 MB of icon script and 0.4 MB of styles for every kind of site; our layout and `book.css` need none of
it. In the style sheets of other extensions a rule stays if each class that its selector needs occurs in some page or
script of the site.
"""
from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import tinycss2
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

UNUSED = ("doctools.js", "documentation_options.js", "sphinx_highlight.js", "language_data.js", "searchtools.js", "*.png",
          "scripts", "styles", "vendor", "images", "locales", "webpack-macros.html", "sbt-webpack-macros.html", "basic.css")
TRIMMED = ("mystnb.*.css",)
_CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
_WORD = re.compile(r"[A-Za-z_][\w-]*")


def words(folder: Path) -> set[str]:
    """Every word of the pages' mark-up and of the scripts: a class that is not among them cannot be used."""
    found: set[str] = set()
    for path in folder.rglob("*"):
        if path.relative_to(folder).parts[0] == "lite":
            continue  # a site of its own
        if path.suffix == ".html":
            for value in re.findall(r'class="([^"]*)"', path.read_text("utf-8")):
                found.update(value.split())
        elif path.suffix in (".js", ".mjs") and path.stat().st_size < 200_000 and not path.name.startswith("searchindex"):
            found.update(_WORD.findall(path.read_text("utf-8", "replace")))
    return found


def needed(selector: str, used: set[str]) -> bool:
    """Whether a single selector can match; what stands inside ``:not(...)`` does not have to occur."""
    bare = re.sub(r":not\([^()]*\)", "", selector)
    if ":is(" in bare or ":where(" in bare or ":has(" in bare:
        return True
    return set(_CLASS.findall(bare)) <= used


def trim(css: str, used: set[str]) -> str:
    return _rules(tinycss2.parse_stylesheet(css, skip_comments=False, skip_whitespace=True), used)


def _rules(rules: list[Any], used: set[str]) -> str:
    out = []
    for rule in rules:
        if rule.type == "comment" and rule.value.startswith("!"):
            out.append(rule.serialize())
        elif rule.type == "qualified-rule":
            keep = [part for part in _split(rule.prelude) if needed(part, used)]
            if keep:
                out.append(f"{','.join(keep)}{{{tinycss2.serialize(rule.content)}}}")
        elif rule.type == "at-rule" and rule.at_keyword in ("media", "supports") and rule.content is not None:
            inner = _rules(tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True), used)
            if inner:
                out.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inner}}}")
        elif rule.type == "at-rule" and rule.at_keyword != "font-face":
            out.append(rule.serialize())
    return "\n".join(out)


def _split(prelude: list[Any]) -> list[str]:
    """The selectors of a list, split at the commas that are not inside brackets."""
    parts: list[list[Any]] = [[]]
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return [tinycss2.serialize(part).strip() for part in parts]


def finish(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name != "html" or app.config.edition:
        return
    static = Path(app.outdir) / "_static"
    for path in [*(path for name in UNUSED for path in static.glob(name)), *static.rglob("*.map")]:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    used = words(Path(app.outdir))
    for name in TRIMMED:
        for path in static.glob(name):
            path.write_text(trim(path.read_text("utf-8"), used), "utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("build-finished", finish, priority=700)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
