"""Build the site into ``_build/html``: ``make html``; with ``--serve``, ``make book``.

Stale results are impossible: what is kept from an earlier build depends on hashes of everything that it was made from.
jupyter-cache looks at a notebook's cells only, so a change in ``clustersim/`` throws its results away; a change in
``site/`` or in the settings throws the pages away; a failed build leaves nothing that the next one would trust.
"""
from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import io
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "ext")]

import csp  # noqa: E402
import editions  # noqa: E402
import make_lite  # noqa: E402
import page_check  # noqa: E402
import search_index  # noqa: E402
import serve  # noqa: E402

CODE = ("clustersim", "pyproject.toml", "requirements.txt", "constraints.txt")
SITE = ("site", "_config.yml", "_toc.yml", "requirements-book.txt", *make_lite.PINS, "package-lock.json", "package.json")
TRACEBACK_LINES = 15
TEXT = ("book", "notebooks")
IGNORED = {"__pycache__", ".ipynb_checkpoints", ".jupyter_cache"}
DERIVED = re.compile(r"book/locale/.*\.mo")  # Sphinx makes these beside the translations while it builds
INDEX = """<!DOCTYPE html>
<html lang="{language}">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1.0" />
    <meta http-equiv="refresh" content="0; url={page}" />
    <link rel="icon" href="{up}_static/favicon.svg" />
    <title>{title}</title>
  </head>
  <body><main><h1>{title}</h1><p><a href="{page}">{title}</a></p></main></body>
</html>
"""


def digest(root: Path, names: Iterable[str]) -> str:
    """A hash of the files under ``names``: their paths and their bytes."""
    total = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for name in names:
        start = root / name
        files = [start] if start.is_file() else sorted(p for p in start.rglob("*") if p.is_file())
        files = [path for path in files if not IGNORED & set(path.parts)
                 and not DERIVED.fullmatch(path.relative_to(root).as_posix())]
        for path in files:
            total.update(f"{path.relative_to(root).as_posix()}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


class Kept:
    """What earlier builds left in ``_build``, and the stamps that say what it was made from."""

    def __init__(self, root: Path) -> None:
        self.build = root / "_build"
        self.html = self.build / "html"
        self.now = {"code": digest(root, CODE), "site": digest(root, SITE), "text": digest(root, TEXT)}

    def _stamp(self, name: str) -> Path:
        return self.build / f".stamp-{name}"

    def holds(self, name: str) -> bool:
        stamp = self._stamp(name)
        return stamp.is_file() and stamp.read_text() == self.now[name]

    def is_current(self) -> bool:
        return all(map(self.holds, self.now)) and (self.html / "index.html").is_file()

    def drop_stale(self) -> None:
        """Remove what must be made anew. The stamps go first: a build that breaks off leaves none."""
        fresh = {name for name in self.now if self.holds(name)}
        for name in self.now:
            self._stamp(name).unlink(missing_ok=True)
        if "code" not in fresh:
            for cache in self.build.glob(".jupyter_cache*"):
                shutil.rmtree(cache, ignore_errors=True)
        shutil.rmtree(self.html / "reports", ignore_errors=True)
        if not {"code", "site"} <= fresh:
            self.forget_pages()
            shutil.rmtree(self.html, ignore_errors=True)
        # Runs of notebooks that did succeed stay valid even if this build fails.
        self._write("code")

    def forget_pages(self) -> None:
        """What Sphinx has read, of the book and of its editions."""
        for folder in self.build.glob(".doctrees*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _write(self, name: str) -> None:
        self.build.mkdir(exist_ok=True)
        self._stamp(name).write_text(self.now[name])

    def is_good(self) -> None:
        for name in self.now:
            self._write(name)


def say(text: str) -> None:
    print(text, flush=True)


def stop(faults: list[str]) -> None:
    sys.stderr.write("\n".join(faults) + "\n")
    raise SystemExit(1)


class Lines(io.TextIOBase):
    """Passes on whole lines that ``wanted`` lets through, with paths as seen from ``root``."""

    def __init__(self, out: TextIO, root: Path, wanted: Callable[[str], bool]) -> None:
        self._out, self._root, self._wanted, self._begun = out, f"{root}{os.sep}", wanted, ""

    def isatty(self) -> bool:
        return False

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in map(str.rstrip, lines):
            if line and self._wanted(line):
                self._out.write("  " + line.replace(self._root, "") + "\n")
                self._out.flush()
        return len(text)


def quiet_kernels(root: Path) -> None:
    """Kernels start with settings of our own: a reader's start-up files change no result, and no warning on every start."""
    profile = root / "_build" / ".ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 40\n")
    os.environ["IPYTHONDIR"] = str(profile.parent)
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"


def tracebacks(html: Path) -> list[str]:
    """The end of what each notebook said that failed."""
    found = []
    for path in sorted((html / "reports").rglob("*.err.log")):
        lines = re.sub(r"\x1b\[[0-9;]*m", "", path.read_text("utf-8")).strip().splitlines()
        found.append(f"{path.relative_to(html / 'reports').as_posix().removesuffix('.err.log')}, the failing cell:")
        found += ["  " + line for line in lines[-TRACEBACK_LINES:]]
    return found


def run_jupyter_book(root: Path, quiet: bool = False, *, out: Path | None = None, trees: Path | None = None,
                     builder: str = "html", overrides: Mapping[str, Any] | None = None, files: Iterable[Path] = ()) -> bool:
    """Jupyter Book's own build, every warning an error; whether it went well. It says which notebook it runs.

    ``out`` and ``trees`` are the folders of the pages and of what Sphinx keeps; with ``files`` only these are written.
    """
    # jsonschema would spend 2 s on importing this for a kind of address that no settings file of ours holds.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    from jupyter_book.sphinx import build_sphinx
    from sphinx.util.console import nocolor

    nocolor()
    progress = Lines(sys.stdout, root, lambda line: not quiet and "Executing notebook" in line)
    trouble = Lines(sys.stderr, root, lambda line: True)
    with contextlib.redirect_stdout(progress), contextlib.redirect_stderr(trouble):  # type: ignore[type-var]
        settings = {"external_toc_path": (root / "_toc.yml").as_posix(), "latex_individualpages": False, "nitpicky": True}
        result = build_sphinx(root, out or root / "_build" / "html", noconfig=True, path_config=root / "_config.yml",
                              confoverrides={**settings, **(overrides or {})}, warningiserror=True, keep_going=True,
                              doctreedir=trees or root / "_build" / ".doctrees", builder=builder,
                              filenames=[str(path) for path in files])
    return bool(result == 0)


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Two builds of one checkout at once would spoil each other: the second waits."""
    folder = root / "_build"
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another build of this checkout ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(root: Path, draw: bool = False) -> None:
    """Make the site, or say what is wrong and exit 1."""
    with alone(root):
        make(root, draw)


def make(root: Path, draw: bool) -> None:
    faults = page_check.toc_faults(root)
    if faults:
        stop(faults)
    kept = Kept(root)
    current = kept.is_current() and not draw
    start = time.monotonic()
    if not current:
        kept.drop_stale()
    try:
        make_lite.build(root, kept.html, kept.now["code"], editions.languages(settings(root)))  # first: the pages link to it
    except make_lite.FAULTS as error:
        stop([str(error)])
    if current:
        say("The site is up to date.")
        return
    say("Running the notebooks and building the pages ...")
    quiet_kernels(root)
    os.environ["BOOK_DRAW_DIAGRAMS"] = "1" if draw else ""
    if not (build_editions(root) and run_jupyter_book(root)):  # the book comes last: it looks at all links
        kept.forget_pages()  # cached pages would not warn again
        stop([*tracebacks(kept.html), "The book was not built: the lines above say what to mend."])
    first_page(root, kept.html)
    for code in editions.codes(settings(root)):
        first_page(root, kept.html, code)
    search_index.build(kept.html, editions.codes(settings(root)))
    kept.is_good()
    pages = len(list(kept.html.rglob("*.html")))
    say(f"Built {pages} pages in {time.monotonic() - start:.0f} s: {kept.html.relative_to(root)}/index.html")


def settings(root: Path) -> dict[str, Any]:
    import yaml

    found: dict[str, Any] = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    return found


def build_editions(root: Path) -> bool:
    """The book in its other languages; whether all went well."""
    for code in editions.codes(settings(root)):
        say(f"Building the pages that are finished in {editions.name(code)} ...")
        process = editions.start(run_jupyter_book, root, code)
        process.join()
        if process.exitcode:
            return False
    return True


def first_page(root: Path, html: Path, code: str = "") -> None:
    """``index.html`` leads to the first page, by a link for those whose browser does not follow by itself.

    With ``code`` it is that of an edition.
    """
    import yaml

    config = settings(root)
    page = next(page_check.toc_pages(yaml.safe_load((root / "_toc.yml").read_text("utf-8")))) + ".html"
    language = code or config.get("sphinx", {}).get("config", {}).get("language", "en")
    title = editions.translated(config["title"], code)
    text = INDEX.format(page=page, title=title, language=language, up="../" if code else "")
    (html / code / "index.html").write_text(csp.protect(text), "utf-8")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Build the site into _build/html.")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder that holds _config.yml and _toc.yml")
    parser.add_argument("--serve", action="store_true", help="then serve it at a local address")
    parser.add_argument("--draw", action="store_true", help="draw the Mermaid diagrams that are new or changed first")
    options = parser.parse_args(argv)
    build(options.root.resolve(), options.draw)
    if options.serve:
        serve.run(options.root.resolve() / "_build" / "html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
