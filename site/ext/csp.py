"""A content-security-policy in every page: nothing from elsewhere, no inline script but those whose hash it names.

``wasm-unsafe-eval`` lets Pyodide compile its WebAssembly; it does not allow ``eval``. Styles may be inline: drawings
carry their own. The policy is a ``<meta>`` element because a book must be safe on any static server; it comes first in
``<head>``, since it governs only what follows it.
"""
from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

EXEMPT = ("lite/",)  # JupyterLite brings scripts that need more; it is a site of its own beside the book
RULES = {
    "default-src": "'none'", "style-src": "'self' 'unsafe-inline'", "img-src": "'self' data:", "font-src": "'self'",
    "connect-src": "'self'", "worker-src": "'self'", "manifest-src": "'self'", "base-uri": "'none'", "form-action": "'self'",
}
_META = re.compile(r'\s*<meta http-equiv="Content-Security-Policy" content="[^"]*" ?/?>')
_DATA_TYPES = re.compile(r"application/(.*\+)?json|text/(plain|markdown)|importmap-shim")


class InlineScripts(HTMLParser):
    """Collects the text of scripts that a browser would run and that have no ``src``."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self._text: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "script" and "src" not in names and not _DATA_TYPES.fullmatch(names.get("type") or ""):
            self._text = []

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._text is not None:
            self.found.append("".join(self._text))
            self._text = None


def inline_scripts(page: str) -> list[str]:
    parser = InlineScripts()
    parser.feed(page)
    parser.close()
    return parser.found


def policy(scripts: Iterable[str]) -> str:
    """The policy for a page with these inline scripts."""
    hashes = sorted({f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts})
    sources = " ".join(["'self'", "'wasm-unsafe-eval'", *hashes])
    return "; ".join([f"default-src {RULES['default-src']}", f"script-src {sources}",
                      *(f"{name} {value}" for name, value in RULES.items() if name != "default-src")])


def protect(page: str) -> str:
    """The page with its policy first in ``<head>``; doing so twice changes nothing."""
    bare = _META.sub("", page)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy(inline_scripts(bare))}" />'
    return re.sub(r"<head[^>]*>", lambda match: f"{match[0]}\n    {meta}", bare, count=1)


def protect_all(folder: Path) -> None:
    for path in sorted(folder.rglob("*.html")):
        if path.relative_to(folder).as_posix().startswith((*EXEMPT, "_static/")):
            continue
        page = path.read_text("utf-8")
        if not _META.search(page):  # a page that has its policy is one of an earlier build, left as it was
            path.write_text(protect(page), "utf-8")


def finish(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        protect_all(Path(app.outdir))


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("build-finished", finish, priority=800)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
