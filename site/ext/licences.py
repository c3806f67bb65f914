"""The directive ``{licences}``: what this site ships that others wrote, with version, licence and the licence's words.

A file in ``_static`` that is neither ours nor listed fails the build.
"""
from __future__ import annotations

import importlib.metadata
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docutils import nodes
from folded import folded_box
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from clustersim.messages import _

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "site" / "third-party.toml"
# Below _static; all else there must stand in the list.
OUR_FILES = ("book.css", "extras.css", "print.css", "book.js", "search.js", "theme.js", "terms.js", "progress.js",
             "store.js", "icons.svg", "favicon.svg", "live/*", "live/wheels/*/clustersim-*", "cluster/*")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that the site ships; ``text`` is the licence's own wording where the package holds it."""

    name: str
    version: str
    licence: str
    source: str
    use: str
    text: str


def parts() -> list[Part]:
    """The entries of ``site/third-party.toml`` with the versions that are installed."""
    entries = tomllib.loads(LIST.read_text("utf-8"))
    return [Part(name, _version(entry), entry["licence"], entry["source"], entry["use"], _text(entry))
            for name, entry in entries.items()]


def _version(entry: dict[str, Any]) -> str:
    if "python" in entry:
        return importlib.metadata.version(entry["python"])
    if "pinned" in entry:
        pins = dict(line.split("#")[0].strip().split("==") for path in ROOT.glob("requirements-lite*.txt")
                    for line in path.read_text("utf-8").splitlines() if "==" in line)
        return str(pins[entry["pinned"]])
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))
    return str(lock["packages"][f"node_modules/{entry['npm']}"]["version"])


def _text(entry: dict[str, Any]) -> str:
    if "python" not in entry:
        return ""
    distribution = importlib.metadata.distribution(entry["python"])
    files = [f for f in distribution.files or () if ".dist-info" in str(f) and f.name.upper().startswith(("LICEN", "COPYING"))]
    paths = [Path(str(distribution.locate_file(file))) for file in sorted(files)]
    return "\n\n".join(path.read_text("utf-8", "replace").strip() for path in paths)


def unlisted(static: Path) -> list[str]:
    """Files below ``static`` that are neither ours nor named by the list, as paths from there."""
    entries = tomllib.loads(LIST.read_text("utf-8"))
    patterns = [*OUR_FILES, *(pattern for entry in entries.values() for pattern in entry["files"])]
    files = sorted(path.relative_to(static) for path in static.rglob("*") if path.is_file())
    return [file.as_posix() for file in files
            if not any(file.match(p) and len(file.parts) == p.count("/") + 1 for p in patterns)]


def finish(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.name == "html" and not app.config.edition:
        for name in unlisted(Path(app.outdir) / "_static"):
            logger.warning(f"_static/{name} is on no list: name whose it is in site/third-party.toml, with its licence, or "
                           "among OUR_FILES in site/ext/licences.py if we wrote it")


class Licences(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        found = parts()
        group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in (20, 12, 18, 50)), cols=4)
        heads = (_("What"), _("Version"), _("Licence"), _("What for"))
        group += nodes.thead("", _row(*map(nodes.Text, heads)))
        group += nodes.tbody("", *(_row(nodes.reference("", part.name, refuri=part.source), nodes.Text(part.version),
                                        nodes.Text(part.licence), nodes.Text(part.use)) for part in found))
        result: list[nodes.Node] = [nodes.table("", group)]
        for part in found:
            if part.text:
                words = nodes.literal_block(part.text, part.text, language="none")
                result.append(folded_box("", nodes.title("", part.name), words))
        return result


def _row(*cells: nodes.Node) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells))


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("licences", Licences)
    app.connect("build-finished", finish, priority=750)  # after files that no page uses are gone
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
