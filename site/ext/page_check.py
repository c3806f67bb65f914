"""What must hold of the table of contents and of the finished pages; a fault is one clear sentence and a failed build.

Usable on its own: ``python site/ext/page_check.py [FOLDER]`` checks a built site.
"""
from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml
from sphinx_external_toc.parsing import MalformedError, parse_toc_yaml

# Attributes from which a browser fetches by itself; a link that a reader follows (a href) may lead anywhere.
FETCHED = {
    "script": ("src",), "img": ("src", "srcset"), "iframe": ("src",), "source": ("src", "srcset"), "video": ("src", "poster"),
    "audio": ("src",), "embed": ("src",), "object": ("data",), "track": ("src",), "input": ("src",),
    "image": ("href", "xlink:href"), "use": ("href", "xlink:href"), "feimage": ("href",), "link": ("href",),
}
PASSIVE_LINKS = {"canonical", "next", "prev", "author", "license", "search", "index", "alternate"}  # <link>s that fetch nothing
NOT_OURS = ("_static/", "lite/")  # folders whose pages are not pages of the book
NAMED = ("aria-describedby", "aria-labelledby", "aria-controls", "for", "popovertarget")  # attributes that name ids of the page
CHAPTERS = (("book", "*.md"), ("notebooks", "*.ipynb"))
# What every chapter has: the class that its directive leaves in the page, and the directive.
CHAPTER = re.compile(r"(?:.*/)?book/\d\d-[^/]+\.html")
PARTS = {"cs-card": "card", "cs-predict": "predict", "cs-key-points": "key-points", "cs-leaves-out": "leaves-out",
         "cs-sources": "sources"}


# --- the table of contents ---------------------------------------------------------------------------------------

def toc_pages(toc: Any) -> Iterator[str]:
    """The files that a parsed ``_toc.yml`` names, in order."""
    if isinstance(toc, dict):
        for name, value in toc.items():
            if name in ("root", "file"):
                yield str(value)
            else:
                yield from toc_pages(value)
    elif isinstance(toc, list):
        for item in toc:
            yield from toc_pages(item)


def toc_faults(root: Path) -> list[str]:
    """Pages that ``_toc.yml`` names and that do not exist, files that are twice in it, and chapters that it leaves out."""
    path = root / "_toc.yml"
    try:
        listed = list(toc_pages(yaml.safe_load(path.read_text("utf-8"))))
    except (OSError, yaml.YAMLError) as error:
        return [f"_toc.yml cannot be read: {' '.join(str(error).split())}"]
    faults = []
    found = {page: any((root / (page + end)).is_file() for end in ("", ".md", ".ipynb")) for page in listed}
    faults += [f"_toc.yml names {page}, and there is no such file: add it or take the line out"
               for page in found if not found[page]]
    faults += [f"_toc.yml names {page} twice" for page in found if listed.count(page) > 1]
    known = {page.removesuffix(".md").removesuffix(".ipynb") for page in listed}
    for folder, pattern in CHAPTERS:
        for file in sorted((root / folder).glob(pattern)):
            page = file.relative_to(root).with_suffix("").as_posix()
            if page not in known:
                faults.append(f"{file.relative_to(root).as_posix()} is not in _toc.yml: add `- file: {page}` where it belongs")
    try:
        parse_toc_yaml(path)
    except MalformedError as error:
        faults = faults or [f"_toc.yml is not of the form of Jupyter Book 1: {error}"]
    return faults


# --- finished pages ----------------------------------------------------------------------------------------------

@dataclass
class Page(HTMLParser):
    """What one page fetches, links to, names, and shows without words."""

    fetched: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    title: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = dict(attrs)
        self.classes += [name for name in (have.get("class") or "").split() if name in PARTS]
        if have.get("id"):
            self.ids.append(str(have["id"]))
        for name in NAMED:
            self.named += (have.get(name) or "").split()
        for name in FETCHED.get(tag, ()):
            if have.get(name) and not (tag == "link" and set((have.get("rel") or "").split()) <= PASSIVE_LINKS):
                self.fetched.append(str(have[name]))
        if tag == "a" and have.get("href"):
            self.links.append(str(have["href"]))
        if tag == "img" and nameless(have.get("src") or "", have.get("alt")):
            self.faults.append(f"the picture {(have.get('src') or '')[:80]} has no alternative text")
        if have.get("role") == "img" and not (have.get("aria-label") or have.get("aria-labelledby")):
            self.faults.append(f"a <{tag}> that is a picture (role=img) has no alternative text")
        self.faults += [f"inline event handler {name}= on <{tag}>: the content-security-policy blocks it" for name in have
                        if name.startswith("on")]
        if tag == "meta" and (have.get("http-equiv") or "").lower() == "refresh":
            self.links.append((have.get("content") or "").partition("url=")[2])
        self.title = self.title or tag == "title"


def nameless(address: str, alt: str | None) -> bool:
    """Whether a picture lacks words of its own: Sphinx puts its address where there are none."""
    return alt is None or (bool(alt) and (alt == address or Path(alt).name == Path(address).name))


class Reader:
    """Reads pages, and remembers in ``notes`` (a file) what it read of those whose bytes are the same in the next build."""

    def __init__(self, notes: Path | None = None) -> None:
        self._notes = notes
        try:
            self._known: dict[str, dict[str, Any]] = json.loads(notes.read_text("utf-8")) if notes else {}
        except (OSError, ValueError):
            self._known = {}
        self._seen: dict[str, dict[str, Any]] = {}

    def read(self, path: Path) -> Page:
        content = path.read_bytes()
        key = hashlib.sha256(content).hexdigest()
        page = Page(**self._known.get(key, {}))
        if key not in self._known:
            page.feed(content.decode("utf-8"))
            page.close()
        self._seen[key] = {item.name: getattr(page, item.name) for item in fields(Page)}
        return page

    def remember(self) -> None:
        if self._notes:
            self._notes.write_text(json.dumps(self._seen), "utf-8")


def read(path: Path) -> Page:
    return Reader().read(path)


def is_external(address: str) -> bool:
    parts = urlsplit(address.strip())
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def site_faults(folder: Path, notes: Path | None = None) -> list[str]:
    """Every fault of the built site, each with its page; ``notes`` is where to remember what was read."""
    reader = Reader(notes)
    files = [p for p in sorted(folder.rglob("*.html")) if not p.relative_to(folder).as_posix().startswith(NOT_OURS)]
    pages = {path.resolve(): reader.read(path) for path in files}
    reader.remember()
    faults = []
    for path, page in pages.items():
        name = path.relative_to(folder.resolve()).as_posix()
        faults += [f"{name}: {fault}" for fault in page.faults + skeleton_faults(name, page)]
        faults += [f"{name}: asks for {address} from elsewhere; put the file into the site" for address in page.fetched
                   if is_external(address)]
        faults += [f"{name}: an element is described, labelled or opened by {i!r}, and there is no such id"
                   for i in sorted(set(page.named) - set(page.ids))]
        faults += [f"{name}: the id {i!r} occurs twice" for i in sorted({i for i in page.ids if page.ids.count(i) > 1})]
        for address in [a for a in page.fetched + page.links if not is_external(a) and not a.startswith("data:")]:
            faults += [f"{name}: {fault}" for fault in link_faults(path, address, pages)]
    return faults


def skeleton_faults(name: str, page: Page) -> list[str]:
    """The parts that a chapter lacks."""
    if not CHAPTER.fullmatch(name):
        return []
    return [f"a chapter needs the directive {{{directive}}}: see \"How to add a chapter\" in CONTRIBUTING.md"
            for mark, directive in PARTS.items() if mark not in page.classes]


def link_faults(path: Path, address: str, pages: dict[Path, Page]) -> Iterator[str]:
    parts = urlsplit(address)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target = target / "index.html"
    if not target.is_file():
        yield f"the link {address} leads nowhere"
    elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
        yield f"the link {address} leads to a page that has no such place"
    elif (lite := next((folder for folder in target.parents if folder.name == "lite"), None)) is not None:
        for name in parse_qs(parts.query).get("path", []):
            if not (lite / "files" / name).is_file():
                yield f"the link {address} opens a notebook that is not there"


def css_faults(folder: Path) -> list[str]:
    """Style sheets that fetch something from elsewhere."""
    faults = []
    for path in sorted((folder / "_static").rglob("*.css")):
        for part in path.read_text("utf-8", "replace").split("url(")[1:]:
            address = part.split(")", 1)[0].strip("'\" ")
            if is_external(address):
                faults.append(f"{path.relative_to(folder).as_posix()}: asks for {address[:80]} from elsewhere")
    return faults


# --- as a Sphinx extension ---------------------------------------------------------------------------------------

def setup(app: Any) -> dict[str, Any]:
    from sphinx.errors import SphinxError
    from sphinx.util import logging

    logger = logging.getLogger(__name__)

    class BookError(SphinxError):
        category = "The book cannot be built"

    def before(app: Any) -> None:
        faults = toc_faults(Path(app.srcdir))
        if faults:
            raise BookError("\n".join(faults))

    def after(app: Any, error: Exception | None) -> None:
        if error is None and app.builder.name == "html" and not app.config.edition:  # its links lead to pages of the site
            for fault in site_faults(Path(app.outdir), Path(app.doctreedir) / "pages-read.json") + css_faults(Path(app.outdir)):
                logger.warning(fault)

    app.connect("builder-inited", before, priority=100)
    app.connect("build-finished", after, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def main(argv: list[str]) -> int:
    root = Path(__file__).resolve().parents[2]
    folder = Path(argv[0]) if argv else root / "_build" / "html"
    faults = site_faults(folder) + css_faults(folder)
    print("\n".join(faults) if faults else f"{folder.name}: no fault found")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
