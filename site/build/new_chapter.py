"""Begin a chapter: ``make chapter NAME=26-infrastructure FIGURE=my_figure``.

Writes the chapter, its notebook, a live figure and an exercise, all of which build and pass their tests as they stand, and
names them where they must be named. What is left to write is marked PUT HERE; a test finds marks that were forgotten.
"""
from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FORMS = HERE.parent / "new"
NAME, FIGURE = re.compile(r"\d\d-[a-z][a-z0-9-]*"), re.compile(r"[a-z][a-z0-9_]*")
IDS = re.compile(r"^IDS = \(.*?\)\n", re.MULTILINE | re.DOTALL)
ANSWER = '    "ex-{number}-1": "30 min",                                 # five jobs, two at a time, ten minutes each\n'


def stop(text: str) -> None:
    print(text, file=sys.stderr)
    raise SystemExit(2)


def files(root: Path, number: str, slug: str, figure: str) -> dict[str, Path]:
    """Where each form goes."""
    return {"chapter": root / "book" / f"{number}-{slug}.md", "notebook": root / "notebooks" / "src" / f"{number}-{slug}.md",
            "experiment": root / "clustersim" / "experiments" / f"{figure}.py",
            "exercises": root / "clustersim" / "exercises" / f"ch{number}.py"}


def listed(toc: str, folder: str, name: str) -> str:
    """The table of contents with ``folder/name`` in its place among the numbered ones of its folder."""
    lines = toc.splitlines(keepends=True)
    places = [i for i, line in enumerate(lines) if re.fullmatch(rf" *- file: {folder}/\d\d-[\w-]+\n", line)]
    after = [i for i in places if lines[i].split(f"{folder}/")[1] < f"{name}\n"]
    place = after[-1] + 1 if after else places[0]
    indent = lines[places[0]].partition("-")[0]
    return "".join([*lines[:place], f"{indent}- file: {folder}/{name}\n", *lines[place:]])


def name_them(root: Path, number: str, slug: str, figure: str) -> None:
    """Put the new pages, figure and exercise into the lists that know all of them."""
    change(root / "_toc.yml", lambda text: listed(listed(text, "book", f"{number}-{slug}"), "notebooks", f"{number}-{slug}"))
    change(root / "clustersim" / "experiments" / "__init__.py",
           lambda text: IDS.sub(lambda found: found[0].rstrip(")\n") + f',\n       "{figure}")\n', text))
    start = "BY_HAND: dict[str, Any] = {\n"
    change(root / "tests" / "checks" / "test_exercises.py",
           lambda text: text.replace(start, start + ANSWER.format(number=number), 1))


def change(path: Path, edit: object) -> None:
    assert callable(edit)
    before = path.read_text("utf-8")
    after = edit(before)
    if after == before:
        stop(f"{path.name} is not as expected: name the new chapter there by hand.")
    path.write_text(after, "utf-8")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Begin a chapter, its notebook, a live figure and an exercise.")
    parser.add_argument("name", help="number and slug, as in the plan on the first page: 26-infrastructure")
    parser.add_argument("figure", help="the id of its first live figure: small letters, digits and _")
    parser.add_argument("--root", type=Path, default=ROOT, help="another checkout")
    options = parser.parse_args(argv)
    if not NAME.fullmatch(options.name) or not FIGURE.fullmatch(options.figure):
        stop("Run: make chapter NAME=NN-slug FIGURE=name (number and slug of the chapter; small letters, digits and _).")
    number, _dash, slug = options.name.partition("-")
    places = files(options.root, number, slug, options.figure)
    there = [*(options.root / "book").glob(f"{number}-*.md"), *(path for path in places.values() if path.exists())]
    if there:
        stop(f"{there[0].relative_to(options.root)} is there already: choose another name, or go on with that one.")
    for form, path in places.items():
        text = (FORMS / f"{form}.txt").read_text("utf-8")
        for mark, value in (("EXPERIMENT_ID", options.figure), ("NUMBER", number), ("SLUG", slug)):
            text = text.replace(mark, value)
        path.write_text(text, "utf-8")
    name_them(options.root, number, slug, options.figure)
    environment = {**os.environ, "PYTHONPATH": str(options.root)}
    notebooks = [sys.executable, str(options.root / "site" / "build" / "notebooks.py"), options.name]
    subprocess.run(notebooks, check=True, cwd=options.root, env=environment)
    print("\n".join(str(path.relative_to(options.root)) for path in places.values()))
    print("Write what is marked PUT HERE, then run `make html` and `make test`. CONTRIBUTING.md says what belongs where.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
