"""What of a page is not translated: noted while an edition is built, written to ``_build/translation-CODE.json``.

A page's messages are those that Sphinx's gettext builder extracts; ``book/locale/CODE/LC_MESSAGES/PAGE.po`` translates
them. ``missing`` have no translation (or a fuzzy one), ``stale`` are translations of what no longer stands in the page.
"""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import language
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.locale import init as open_catalogue
from sphinx.transforms import SphinxTransform
from sphinx.util.nodes import extract_messages
from sphinx.util.typing import ExtensionMetadata

Report = dict[str, dict[str, Any]]


def catalogue(env: BuildEnvironment, docname: str) -> dict[str, str]:
    """The translations of one page's messages; empty where it has none."""
    folders = [str(Path(env.srcdir, name)) for name in env.config.locale_dirs]
    found, _there = open_catalogue(folders, env.config.language, docname, "messages")
    held: dict[Any, str] = getattr(found, "_catalog", {})
    return {message: text for message, text in held.items() if message and isinstance(message, str)}


def notes(env: BuildEnvironment) -> Report:
    if not hasattr(env, "cs_untranslated"):
        env.cs_untranslated = {}  # type: ignore[attr-defined]
    report: Report = env.cs_untranslated  # type: ignore[attr-defined]
    return report


class Note(SphinxTransform):
    """Runs just before Sphinx puts the translations in."""

    default_priority = 19

    def apply(self, **_options: Any) -> None:
        which = language.edition(self.config)
        if which is None or self.env.docname not in which.pages or self.document.get("source", "").endswith("<translated>"):
            return
        found = list(dict.fromkeys(message for _node, message in extract_messages(self.document)))
        held = catalogue(self.env, self.env.docname)
        notes(self.env)[self.env.docname] = {
            "messages": len(found), "missing": [message for message in found if message not in held],
            "stale": sorted(set(held) - set(found)),
        }


def forget(_app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    notes(env).pop(docname, None)


def report_path(root: Path, code: str) -> Path:
    return root / "_build" / f"translation-{code}.json"


def write(app: Sphinx, error: Exception | None) -> None:
    which = language.edition(app.config)
    if error is None and which is not None and app.builder.name == "html":
        text = json.dumps(notes(app.env), indent=1, ensure_ascii=False, sort_keys=True)
        report_path(Path(app.srcdir), which.code).write_text(text + "\n", "utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_transform(Note)
    app.connect("env-purge-doc", forget)
    app.connect("build-finished", write)
    return {"version": "1", "env_version": 1, "parallel_read_safe": False, "parallel_write_safe": True}
