"""The book in its other languages: each edition of ``_config.yml`` in a folder of the site, with its finished pages.

An edition is built in a process of its own, because Sphinx and the simulator each have one language at a time.
"""
from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "ext")]

import catalogues  # noqa: E402
import language  # noqa: E402

from clustersim import messages  # noqa: E402

SUFFIXES = (".md", ".ipynb")


def codes(config: dict[str, Any]) -> list[str]:
    """The editions that a book's settings name."""
    return list(config.get("sphinx", {}).get("config", {}).get("editions", []))


def languages(config: dict[str, Any]) -> list[language.Language]:
    """The languages of the editions that a book's settings name."""
    return [language.languages()[code] for code in codes(config)]


def name(code: str) -> str:
    """The language's own name."""
    return language.languages()[code].name


def sources(root: Path, pages: tuple[str, ...]) -> list[Path]:
    """The files of these pages, those that the book has."""
    files = (root / f"{page}{suffix}" for page in pages for suffix in SUFFIXES)
    return [path for path in files if path.is_file()]


def translated(text: str, code: str) -> str:
    """A message of the program in the language of an edition; as it is where ``code`` is empty."""
    messages.set_language(code)
    try:
        return messages._(text)
    finally:
        messages.set_language(None)


def doctrees(root: Path, code: str) -> Path:
    return root / "_build" / f".doctrees-{code}"


def settings(root: Path, code: str) -> dict[str, Any]:
    """What differs from the settings of the book: notebooks that are only read for their references are not run."""
    pages = language.languages()[code].pages
    skipped = [path.relative_to(root).as_posix() for path in sorted((root / "notebooks").glob("*.ipynb"))
               if path.relative_to(root).with_suffix("").as_posix() not in pages]
    return {"language": code, "edition": code, "nb_execution_excludepatterns": skipped,
            "nb_execution_cache_path": str(root / "_build" / f".jupyter_cache-{code}")}


def _build(run: Callable[..., bool], root: Path, code: str) -> None:
    os.environ[messages.VARIABLE] = code  # for the kernels of its notebooks
    good = run(root, out=root / "_build" / "html" / code, trees=doctrees(root, code), overrides=settings(root, code),
               files=sources(root, language.languages()[code].pages))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if good else 1)  # what the parent has opened is not this process's to close


def start(run: Callable[..., bool], root: Path, code: str) -> Any:
    """Begin to build an edition; ``run`` is `make_site.run_jupyter_book`. Gives the process: join it, ask its exit code."""
    catalogues.compile_pages(root, language.languages()[code])
    process = multiprocessing.get_context("fork").Process(target=_build, args=(run, root, code))
    process.start()
    return process
