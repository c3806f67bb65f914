"""Make notebooks/NAME.ipynb from notebooks/src/NAME.md.

The Markdown (MyST, with a jupytext header) is the one to edit. A notebook gets ids that depend on the text alone and no
outputs, except in cells tagged ``nbval-check-output``: those are run here and their printed text is kept, because nbval
compares nothing where nothing is stored. Making a notebook twice gives the same bytes.

An exercise is defined once, in ``clustersim/exercises/``. In a source it is enough to write the heading ``### Exercise
ex-NN-k``: making the notebooks puts question, answer cell and solution cell under it, and brings them up to date later.

    python site/build/notebooks.py            make all
    python site/build/notebooks.py NAME       make this one, such as 05-backfill
    python site/build/notebooks.py --check    say what differs (without running anything), exit 1 if something does
"""
from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from clustersim.checks import KIND_LABELS, Exercise, exercise
from clustersim.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
KEEP = "nbval-check-output"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
HEADER = ("format_name: myst", "extension: .md", "name: python3")  # without them a builder prints cells instead of running them
TIMEOUT_S = 120


_EXERCISE = re.compile(r'^### Exercise (ex-\d\d-\d+)[^\n]*\n(?:.*?check\("\1", solution\)\n```\n)?', re.MULTILINE | re.DOTALL)
_LITERAL = re.compile(r"\{?'[^']*'\}?|set\(\)")
_BLOCK = """### Exercise {id} ({kind})

{question}

*{wanted}*

```{{code-cell}} ipython3
answer = ...
check("{id}", answer)
```

```{{code-cell}} ipython3
---
jupyter:
  outputs_hidden: true
  source_hidden: true
mystnb:
  code_prompt_hide: Hide the solution
  code_prompt_show: Show the solution
tags: [solution, hide-cell]
---
{code}
check("{id}", solution)
```
"""


class NotebookError(Exception):
    """A source that cannot become a notebook; the message names the file and the remedy."""


def block(item: Exercise) -> str:
    """The exercise as it stands in a source: question, cell for the answer, folded solution."""
    wanted = _LITERAL.sub(r"`\g<0>`", item.wanted)  # as code, or the page would print curly quotation marks
    words = {"id": item.id, "kind": KIND_LABELS[item.kind], "question": item.question, "wanted": wanted}
    return _BLOCK.format(**words, code=item.code.strip())


def with_exercises(text: str) -> str:
    """The source with every exercise as it is defined now."""
    return _EXERCISE.sub(lambda match: block(exercise(match[1])), text)


def convert(source: Path) -> NotebookNode:
    """The notebook of a text source, without outputs."""
    text = source.read_text(encoding="utf-8")
    header = text.split("\n---\n", 1)[0] if text.startswith("---\n") else ""
    missing = [line for line in HEADER if line not in header]
    if missing:
        raise NotebookError(f"{source}: the header lacks {', '.join(repr(m) for m in missing)}; copy it from another notebook")
    notebook = jupytext.reads(text, fmt="md:myst")
    for number, cell in enumerate(notebook.cells):
        cell["id"] = hashlib.sha256(f"{number}:{cell.cell_type}:{cell.source}".encode()).hexdigest()[:12]
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata = NotebookNode({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    if not any(_kept(cell) for cell in notebook.cells):
        raise NotebookError(f"{source}: no cell is tagged {KEEP}, so a test compares nothing; tag one that prints fixed text")
    return notebook


def fill(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Run a copy in a kernel that starts in ``folder``; take over the outputs of the cells to keep, and only those."""
    ran = nbformat.from_dict(notebook)
    NotebookClient(ran, timeout=TIMEOUT_S, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    for cell, done in zip(notebook.cells, ran.cells, strict=True):
        if _kept(cell):
            cell.outputs = [_plain(output, done) for output in done.outputs]
            cell.execution_count = done.execution_count  # nbval refuses a stored output that no run seems to have made
    return notebook


def write(notebook: NotebookNode) -> str:
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook, indent=1, ensure_ascii=False, sort_keys=True)) + "\n"


def differences(source: Path, made: Path) -> list[str]:
    """What keeps ``made`` from being the notebook of ``source``; outputs are compared by nbval, not here."""
    text = source.read_text(encoding="utf-8")
    if with_exercises(text) != text:
        return [f"{source.name}: an exercise is not as clustersim/exercises defines it"]
    if not made.exists():
        return [f"{made.name} is missing"]
    wanted, found = convert(source), nbformat.read(made, as_version=4)
    if len(wanted.cells) != len(found.cells):
        return [f"{made.name} has {len(found.cells)} cells, {source.name} {len(wanted.cells)}"]
    problems = []
    if wanted.metadata != found.metadata or (found.nbformat, found.nbformat_minor) != (4, 5):
        problems.append(f"{made.name}: the metadata differ")
    for number, (want, have) in enumerate(zip(wanted.cells, found.cells, strict=True), 1):
        outputs, count = have.pop("outputs", []), have.pop("execution_count", None)
        for name in ("outputs", "execution_count"):
            want.pop(name, None)
        if want != have:
            problems.append(f"{made.name}: cell {number} differs from {source.name}")
        if _kept(want) != bool(outputs) or bool(outputs) != (count is not None):
            problems.append(f"{made.name}: cell {number} " + ("lacks its stored output" if _kept(want) else "stores an output"))
    return problems


def _kept(cell: NotebookNode) -> bool:
    return KEEP in cell.metadata.get("tags", [])


def _plain(output: NotebookNode, cell: NotebookNode) -> NotebookNode:
    if output.output_type != "stream" or output.name != "stdout":
        raise NotebookError(f"a cell tagged {KEEP} may only print: {cell.source.splitlines()[0]!r} gives {output.output_type}")
    return output


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Make notebooks/*.ipynb from notebooks/src/*.md.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these (default: all)")
    parser.add_argument("--check", action="store_true", help="only say what differs; exit 1 if something does")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="the folder that holds src/ (default: notebooks)")
    options = parser.parse_args(arguments)
    found = sorted((options.folder / "src").glob("*.md"))
    sources = [path for path in found if not options.names or path.stem in options.names]
    if not sources:
        print(f"no such sources in {options.folder / 'src'}", file=sys.stderr)
        return 1
    try:
        problems = _check(options.folder, sources) if options.check else _make(options.folder, sources)
    except (NotebookError, InputError) as error:
        problems = [str(error)]
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems and options.check:
        print("The notebooks are made from their sources: run  python site/build/notebooks.py", file=sys.stderr)
    return 1 if problems else 0


def _check(folder: Path, sources: Sequence[Path]) -> list[str]:
    problems = [p for source in sources for p in differences(source, folder / f"{source.stem}.ipynb")]
    names = {source.stem for source in sources}
    problems += [f"{p.name} has no source in src/" for p in sorted(folder.glob("*.ipynb")) if p.stem not in names]
    return problems


def _make(folder: Path, sources: Sequence[Path]) -> list[str]:
    for source in sources:
        made = folder / f"{source.stem}.ipynb"
        source.write_text(with_exercises(source.read_text(encoding="utf-8")), encoding="utf-8")
        made.write_text(write(fill(convert(source), folder)), encoding="utf-8")
        print(f"{made.name} made")
    return []


if __name__ == "__main__":
    sys.exit(main())
