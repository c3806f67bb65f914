"""The directive ``{licences}``: what this site ships that others wrote, with version, licence and the licence's words."""
from __future__ import annotations

import importlib.metadata
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from clustersim.messages import _

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "site" / "third-party.toml"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that the site ships; ``text`` is the licence's own wording where the package holds it."""

    name: str
    version: str
    licence: str
    use: str
    text: str


def parts() -> list[Part]:
    """The entries of ``site/third-party.toml`` with the versions that are installed."""
    entries = tomllib.loads(LIST.read_text("utf-8"))
    return [Part(name, _version(entry), entry["licence"], entry["use"], _text(entry)) for name, entry in entries.items()]


def _version(entry: dict[str, Any]) -> str:
    if "python" in entry:
        return importlib.metadata.version(entry["python"])
    if "npm" in entry:
        package = json.loads((ROOT / "node_modules" / entry["npm"] / "package.json").read_text("utf-8"))
        return str(package["version"])
    return str(entry["version"])


def _text(entry: dict[str, Any]) -> str:
    if "python" not in entry:
        return str(entry.get("text", ""))
    distribution = importlib.metadata.distribution(entry["python"])
    names = [file for file in distribution.files or () if file.name.upper().startswith(("LICEN", "COPYING")) and ".dist-info" in str(file)]
    return "\n\n".join(Path(str(distribution.locate_file(name))).read_text("utf-8", "replace").strip() for name in sorted(names))


class Licences(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        found = parts()
        group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in (20, 12, 18, 50)), cols=4)
        heads = (_("What"), _("Version"), _("Licence"), _("What for"))
        group += nodes.thead("", _row(heads))
        group += nodes.tbody("", *(_row((part.name, part.version, part.licence, part.use)) for part in found))
        result: list[nodes.Node] = [nodes.table("", group)]
        for part in found:
            if part.text:
                result.append(nodes.rubric("", part.name))
                result.append(nodes.literal_block(part.text, part.text, language="none"))
        return result


def _row(cells: tuple[str, ...]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", cell)) for cell in cells))


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("licences", Licences)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
