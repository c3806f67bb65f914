"""A small throw-away book, built by the same code as the real one."""
from __future__ import annotations

import contextlib
import io
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import yaml

from tests.conftest import ROOT

for folder in ("ext", "build"):
    if str(ROOT / "site" / folder) not in sys.path:
        sys.path.insert(0, str(ROOT / "site" / folder))

import bootstrap  # noqa: E402
import csp  # noqa: E402
import launch  # noqa: E402
import licences  # noqa: E402
import live_assets  # noqa: E402
import make_site  # noqa: E402
import mermaid_static  # noqa: E402
import page_check  # noqa: E402
import play  # noqa: E402
import run_tests  # noqa: E402
import serve  # noqa: E402

__all__ = ["Book", "DIAGRAM", "SKELETON", "bootstrap", "csp", "launch", "licences", "live_assets", "make_site",
           "mermaid_static", "page_check", "play", "run_tests", "serve", "small_config"]

# What every chapter needs besides its own text.
SKELETON = """
:::{card}
:read: 1
:do: 2
to know a thing.

- do another
:::

:::{predict}
Which?
:::

:::{key-points}
- One.
:::

:::{leaves-out}
Much.
:::

:::{sources}
None.
:::
"""
DIAGRAM = "flowchart LR\n  a[first] --> b[second]"
DRAWING = '<svg id="m{key}" style="max-width: 100px;" viewBox="0 0 100 40"><style>#m{key}{{fill:red}}</style><rect/></svg>\n'


@dataclass
class Book:
    """A book in a folder of its own; ``build`` tells whether it went well, ``said`` is what the build told."""

    root: Path
    said: str = ""

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def toc(self, *pages: str) -> None:
        chapters = [{"file": page} for page in pages]
        toc: dict[str, Any] = {"format": "jb-book", "root": "book/index"}
        if chapters:
            toc["parts"] = [{"caption": "Chapters", "numbered": True, "chapters": chapters}]
        self.write("_toc.yml", yaml.safe_dump(toc))

    def notebook(self, name: str, *cells: str) -> None:
        made = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_markdown_cell("# A notebook\n\nIt runs."), *map(nbformat.v4.new_code_cell, cells)],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})
        self.write(name, nbformat.writes(made))

    def diagram(self, code: str = DIAGRAM) -> str:
        """Put a drawing for a diagram into its place; its key."""
        key = mermaid_static.key(code)
        self.write(f"book/figures/mermaid/{key}.svg", DRAWING.format(key=key))
        return key

    def build(self) -> bool:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # those of other packages; Sphinx's own warnings are not Python warnings
            try:
                make_site.build(self.root)
                good = True
            except SystemExit as end:
                good = end.code in (0, None)
        self.said = out.getvalue()
        return good

    def page(self, name: str) -> str:
        return (self.root / "_build" / "html" / name).read_text("utf-8")


def small_config() -> str:
    """The real settings, without what only the real book has."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    config["sphinx"]["config"] |= {"live_assets": False, "editions": []}
    # Sphinx keeps the default of this one between builds in one process, and other tests build with other parsers.
    config["sphinx"]["config"]["source_suffix"] = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
    return str(yaml.safe_dump(config))
