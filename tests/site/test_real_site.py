"""The site as it is built: whole, light, from nowhere else."""
from __future__ import annotations

import gzip
import html
import json
import re
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.site.small_book import csp, licences, live_assets, mermaid_static, page_check

pytestmark = pytest.mark.site
MOST_BYTES = 900_000  # transferred before a click, compressed; the promise
OUR_BYTES = 200_000  # what we mean to stay below
START_BYTES = 8_000_000
NAMES = ("http://www.w3.org/", "https://vega.github.io/schema/")  # of standards: nothing is fetched from there


def pages(site: Path) -> list[Path]:
    """The book's own pages: not the search, not JupyterLite, which is a site of its own."""
    left_out = {"_static", "lite", "search.html"}
    return [path for path in sorted(site.rglob("*.html")) if not left_out & set(path.relative_to(site).parts)]


def test_no_fault(site: Path) -> None:
    assert page_check.site_faults(site) + page_check.css_faults(site) == []


def test_every_page_of_the_table_of_contents_is_built(site: Path) -> None:
    listed = list(page_check.toc_pages(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))))
    assert listed and not [page for page in listed if not (site / f"{page}.html").is_file()]


def test_scripts_and_styles_name_no_other_host(site: Path) -> None:
    """What a page asks for by script would escape a check of its mark-up; comments and names of standards are no requests."""
    static = site / "_static"
    files = [*static.glob("*.js"), *static.glob("*.css"), *static.glob("live/*.*"), *static.glob("cluster/*")]
    found = {(path.name, address) for path in files if path.is_file()
             for address in re.findall(r"https?://[\w./-]+", without_comments(path)) if not address.startswith(NAMES)}
    assert not found


def without_comments(path: Path) -> str:
    text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8", "replace"), flags=re.DOTALL)
    return re.sub(r"(?m)(^|\s)//.*$", "", text)


def test_the_policy_matches_each_page(site: Path) -> None:
    for path in pages(site):
        text = path.read_text("utf-8")
        scripts = csp.inline_scripts(text)
        assert f'content="{csp.policy(scripts)}"' in text, path
        assert len(scripts) <= 2, f"{path}: {scripts}"


def test_every_page_says_what_it_is(site: Path) -> None:
    for path in pages(site):
        text = path.read_text("utf-8")
        assert re.search(r'<html lang="[a-z]{2}', text) and "<title>" in text, path
        if path.name != "index.html" or path.parent.name == "book":
            metas = re.findall(r"<meta [^>]*>", text)
            words = [re.search(r'content="([^"]*)"', meta) for meta in metas if 'name="description"' in meta]
            assert len(words) == 1 and words[0] is not None and len(words[0][1]) > 20, path
            assert "SchedMD" in text, path
            assert ("not affiliated with SchedMD, CNCF or AWS" in text) == ('<html lang="en"' in text), path


def weight(site: Path, path: Path) -> tuple[int, int]:
    """Bytes that opening a page transfers from a server that compresses, and raw."""
    addresses = [re.split("[?#]", address)[0] for address in page_check.read(path).fetched if not address.startswith("data:")]
    files = {path.resolve(), *((path.parent / address).resolve() for address in addresses)}
    contents = [file.read_bytes() for file in sorted(files)]
    return sum(min(len(data), len(gzip.compress(data, 6))) for data in contents), sum(map(len, contents))


def test_pages_are_light(site: Path) -> None:
    weights = {path.relative_to(site).as_posix(): weight(site, path)[0] for path in pages(site)}
    assert max(weights.values()) <= OUR_BYTES < MOST_BYTES, sorted(weights.items(), key=lambda item: -item[1])[:3]


def test_nothing_of_pyodide_before_the_click(site: Path) -> None:
    assert not [path for path in pages(site) if [a for a in page_check.read(path).fetched if "pyodide" in a or "vega" in a]]


def test_the_manifest_names_what_is_there(site: Path) -> None:
    live = site / "_static" / "live"
    manifest = json.loads((live / "manifest.json").read_text("utf-8"))
    assert manifest["format"] == live_assets.FORMAT
    version = json.loads(live_assets.pyodide_package().read_text("utf-8"))["version"]
    assert manifest["pyodide"] == f"pyodide-{version}/"
    assert all((live / manifest["pyodide"] / name).is_file() for name in live_assets.PYODIDE)
    assert [Path(name).name.split("-")[0] for name in manifest["wheels"]] == ["simpy", "clustersim"]
    for name in (*manifest["wheels"], manifest["vega"]):
        content = (live / name).read_bytes()
        assert live_assets.place_name(content) in name, "a name that changes with its content"
    assert manifest["bytes_gzip"] <= START_BYTES and manifest["bytes_gzip"] < manifest["bytes"]


def test_the_wheels_are_whole(site: Path) -> None:
    live = site / "_static" / "live"
    for name in json.loads((live / "manifest.json").read_text("utf-8"))["wheels"]:
        with zipfile.ZipFile(live / name) as wheel:
            assert wheel.testzip() is None
            names = wheel.namelist()
            record = next(n for n in names if n.endswith(".dist-info/RECORD"))
            listed = {line.split(",")[0] for line in wheel.read(record).decode().splitlines()}
            assert set(names) <= listed
            assert not [n for n in names if n.startswith(("tests/", "labs/")) or n.endswith((".so", ".pyd"))]


def test_the_same_sources_give_the_same_wheel(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir(), second.mkdir()
    assert live_assets.own_wheel(first).read_bytes() == live_assets.own_wheel(second).read_bytes()
    assert live_assets.simpy_wheel(first).read_bytes() == live_assets.simpy_wheel(second).read_bytes()


def test_every_diagram_is_drawn_and_every_drawing_used() -> None:
    block = re.compile(r"^```\{mermaid\}\n(?::[^\n]*\n)*\n?(.*?)^```", re.DOTALL | re.MULTILINE)
    sources = [*ROOT.glob("book/**/*.md"), *ROOT.glob("notebooks/src/*.md")]
    codes = [code for path in sources for code in block.findall(path.read_text("utf-8"))]
    drawn = {path.stem for path in (ROOT / "book" / "figures" / "mermaid").glob("*.svg")}
    assert codes and {mermaid_static.key(code) for code in codes} == drawn


def test_ids_in_drawings_are_their_own() -> None:
    for path in (ROOT / "book" / "figures" / "mermaid").glob("*.svg"):
        text = path.read_text("utf-8")
        ids = re.findall(r' id="([^"]+)"', text)
        assert ids and all(i.startswith(f"m{path.stem}") for i in ids), path.name
        assert "http" not in text.replace("http://www.w3.org/", ""), path.name


def test_every_shipped_file_is_ours_or_on_the_page_of_licences(site: Path) -> None:
    entries = tomllib.loads((ROOT / "site" / "third-party.toml").read_text("utf-8"))
    assert licences.unlisted(site / "_static") == []
    page = (site / "book" / "licences.html").read_text("utf-8")
    assert not [name for name, entry in entries.items() if html.escape(name) not in page or entry["source"] not in page]
