"""Where a notebook can run besides the page: Binder, Colab, a JupyterHub. Links are there only if ``_config.yml`` says where
the repository and the site are (``repository: url:`` and ``html: baseurl:``); nothing else has to be changed.

Colab's copy of a notebook begins with a cell that installs the simulator from this site by address and hash. Nothing is
asked of a package index by name, where anybody could put a package of that name.
"""
from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import language
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from clustersim.messages import _

BINDER = "https://mybinder.org/v2/gh/"
HUB = "https://HUB/hub/user-redirect/git-pull?"
PAGE = "book/running"
COLAB = "colab"  # folder of the built site
Notebook = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Places:
    """What the settings say: the repository's address, its branch, the site's address; each may be empty."""

    repository: str
    branch: str
    site: str

    def binder(self, notebook: str) -> str:
        """Binder's address for a notebook; empty where the repository is not on GitHub."""
        parts = urlsplit(self.repository)
        if parts.netloc != "github.com":
            return ""
        return f"{BINDER}{parts.path.strip('/').removesuffix('.git')}/{quote(self.branch, safe='')}?" + urlencode(
            {"urlpath": f"lab/tree/notebooks/{notebook}.ipynb"})

    def hub(self, notebook: str) -> str:
        """A link for nbgitpuller, whose hub the teacher puts in; empty where the repository is not known."""
        if not self.repository:
            return ""
        name = urlsplit(self.repository).path.rstrip("/").rpartition("/")[2].removesuffix(".git")
        return HUB + urlencode({"repo": self.repository, "branch": self.branch,
                                "urlpath": f"lab/tree/{name}/notebooks/{notebook}.ipynb"})


def places(app: Sphinx) -> Places:
    theme = app.config.html_theme_options
    repository, branch = (str(theme.get(f"repository_{name}") or "") for name in ("url", "branch"))
    site = str(app.config.html_baseurl or "")
    return Places(repository, branch or "main", site and site.rstrip("/") + "/")


# --- Colab -----------------------------------------------------------------------------------------------------------

def wheels(static: Path, site: str) -> list[str]:
    """The addresses of SimPy and the simulator on the site, each with its hash, which pip compares."""
    live = static / "live"
    manifest = live / "manifest.json"
    if not site or not manifest.is_file():
        return []
    names = json.loads(manifest.read_text("utf-8"))["wheels"]
    return [f"{site}_static/live/{name}#sha256={hashlib.sha256((live / name).read_bytes()).hexdigest()}" for name in names]


def for_colab(notebook: Notebook, addresses: list[str]) -> Notebook:
    """The notebook with a first cell that installs the simulator from ``addresses``."""
    listed = " ".join(f'"{address}"' for address in addresses)
    source = (f"# {_('Only in Colab: the simulator, from the site of the book, by address and hash.')}\n"
              f"%pip install --quiet --no-deps {listed}")
    cell: dict[str, Any] = {"cell_type": "code", "id": "colab", "metadata": {}, "execution_count": None, "outputs": [],
                            "source": source.splitlines(keepends=True)}
    return {**notebook, "cells": [cell, *notebook["cells"]]}


def put_copies(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name != "html" or app.config.edition:
        return
    addresses = wheels(Path(app.outdir) / "_static", places(app).site)
    folder = Path(app.outdir) / COLAB
    for path in sorted(Path(app.srcdir).glob("notebooks/*.ipynb")) if addresses else ():
        folder.mkdir(exist_ok=True)
        copy = for_colab(json.loads(path.read_text("utf-8")), addresses)
        (folder / path.name).write_text(json.dumps(copy, indent=1, ensure_ascii=False) + "\n", "utf-8")


# --- links -----------------------------------------------------------------------------------------------------------

def elsewhere(app: Sphinx, page: str, notebook: str) -> list[tuple[str, str]]:
    """Words and address of each place for a notebook, as seen from ``page``."""
    where = places(app)
    found = [(_("Binder"), where.binder(notebook))]
    if where.site and app.config.live_assets:  # which brings the wheels
        found.append((_("copy for Colab"), f"{language.to_root(app, page)}{COLAB}/{notebook}.ipynb"))
    return [(words, address) for words, address in found if address]


def under_the_title(app: Sphinx, page: str, _template: str, context: dict[str, Any], doctree: object) -> None:
    """Below the link to the notebook in the browser: the other places, where there are any."""
    folder, _slash, stem = page.rpartition("/")
    if doctree is None or folder not in ("book", "notebooks") or not (Path(app.srcdir) / f"notebooks/{stem}.ipynb").is_file():
        return
    links = elsewhere(app, page, stem)
    if PAGE in app.env.found_docs:
        links.append((_("all places"), app.builder.get_relative_uri(page, PAGE)))
    head, end, rest = str(context["body"]).partition("</h1>")
    if links and end:
        shown = " · ".join(f'<a href="{escape(address)}">{escape(words)}</a>' for words, address in links)
        words = _("The notebook elsewhere: {links}").format(links=shown)
        context["body"] = f'{head}{end}\n<p class="cs-launch">{words}</p>{rest}'


class Elsewhere(SphinxDirective):
    """``{elsewhere}``: the links of one notebook as they are, or how to get them."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        where, notebook = places(self.env.app), self.arguments[0]
        if not (Path(self.env.srcdir) / f"notebooks/{notebook}.ipynb").is_file():
            raise self.error(f"there is no notebooks/{notebook}.ipynb")
        if not where.repository:
            return [nodes.paragraph("", _("This build does not know its repository, so it has no such links."))]
        items = nodes.bullet_list()
        for words, address in ((_("Binder"), where.binder(notebook)), (_("JupyterHub"), where.hub(notebook))):
            if address:
                items += nodes.list_item("", nodes.paragraph("", "", nodes.Text(f"{words}: "), nodes.literal("", address)))
        return [items]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("elsewhere", Elsewhere)
    # Before lite_links, which puts its own link right below the title, so above this one.
    app.connect("html-page-context", under_the_title, priority=400)
    app.connect("build-finished", put_copies, priority=780)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
