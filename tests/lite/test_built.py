"""What lies in ``lite/`` of the built site."""
from __future__ import annotations

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import make_lite
import page_check
import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.site
MOST_BYTES = 42e6  # on the server's disk


@pytest.fixture(scope="module")
def lite(site: Path) -> Path:
    return site / "lite"


@pytest.fixture(scope="module")
def kernel(lite: Path) -> dict[str, Any]:
    config = json.loads((lite / "jupyter-lite.json").read_text("utf-8"))
    settings = config["jupyter-config-data"]["litePluginSettings"][f"{make_lite.KERNEL}:kernel"]
    assert isinstance(settings, dict)
    return settings


def test_every_package_is_there_and_is_what_the_list_says(lite: Path, kernel: dict[str, Any]) -> None:
    lock = lite / kernel["loadPyodideOptions"]["lockFileURL"]
    packages = json.loads(lock.read_text("utf-8"))["packages"]
    assert set(kernel["loadPyodideOptions"]["packages"]) <= set(packages)
    assert {need for package in packages.values() for need in package["depends"]} <= set(packages)
    for package in packages.values():
        path = lock.parent / package["file_name"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == package["sha256"]
        assert package["sha256"].startswith(path.parent.name), "a name whose content changes must itself change"
    assert len(list(lock.parent.glob("wheels/*/*"))) == len(packages) and len(list(lock.parent.glob("lock-*"))) == 1


def test_every_package_is_ours_or_on_the_page_of_licences(lite: Path, kernel: dict[str, Any]) -> None:
    packages = json.loads((lite / kernel["loadPyodideOptions"]["lockFileURL"]).read_text("utf-8"))["packages"]
    listed = [name for entry in tomllib.loads((ROOT / "site" / "third-party.toml").read_text("utf-8")).values()
              for name in entry.get("lite", ())]
    assert sorted([*listed, "clustersim"]) == sorted(packages)


def test_nothing_is_named_to_load_from_elsewhere(lite: Path, kernel: dict[str, Any]) -> None:
    assert kernel["disablePyPIFallback"] is True
    addresses = [kernel["pyodideUrl"], kernel["loadPyodideOptions"]["lockFileURL"], *kernel["pipliteUrls"]]
    assert all((lite / urlsplit(address).path).is_file() and not urlsplit(address).netloc for address in addresses)
    texts = [path for path in lite.rglob("*") if path.suffix in make_lite.TEXT and path.name != "third-party-licenses.json"]
    assert len(texts) > 200
    assert [path.name for path in texts if make_lite.HOSTS.search(path.read_text("utf-8"))] == []
    pages = [page_check.read(path) for path in lite.rglob("*.html")]
    assert [address for page in pages for address in page.fetched if page_check.is_external(address)] == []


def test_the_notebooks_are_those_of_the_repository(lite: Path) -> None:
    names = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert sorted(path.name for path in (lite / "files").glob("*.ipynb")) == names
    for name in names:
        here, there = (json.loads((folder / name).read_text("utf-8")) for folder in (ROOT / "notebooks", lite / "files"))
        assert there["metadata"]["kernelspec"]["name"] == "python"
        code = [[cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"] for notebook in (here, there)]
        assert code[0] == code[1]


def test_links_of_notebooks_lead_to_pages_and_notebooks_that_exist(site: Path, lite: Path) -> None:
    texts = {path.name: "".join("".join(cell["source"]) for cell in json.loads(path.read_text("utf-8"))["cells"])
             for path in (lite / "files").glob("*.ipynb")}
    links = [(name, link) for name, text in texts.items() for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)]
    assert len(links) >= len(texts)
    targets = [(name, site / link[3:] if link.startswith("../") else lite / "files" / link) for name, link in links]
    assert [(name, target.name) for name, target in targets if not target.is_file()] == []


def test_pages_and_figures_link_to_their_notebook(site: Path, lite: Path) -> None:
    wanted = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    found: dict[str, set[str]] = {"book": set(), "notebooks": set()}
    for folder, names in found.items():
        for path in (site / folder).glob("*.html"):
            links = [link for link in page_check.read(path).links if "/lite/notebooks/index.html?path=" in link]
            targets = [parse_qs(urlsplit(link).query)["path"][0] for link in links]
            assert [target for target in targets if not (lite / "files" / target).is_file()] == []
            names |= {Path(target).stem for target in targets if Path(target).stem == path.stem}
            text = path.read_text("utf-8")
            figures = text.count("<live-experiment ") + text.count('<li class="cs-play">')
            assert len([target for target in targets if target.startswith("figures/")]) == figures
    assert found["notebooks"] == wanted
    assert found["book"] == {name for name in wanted if (site / "book" / f"{name}.html").is_file()}


def test_it_stays_within_its_size(lite: Path) -> None:
    assert sum(path.stat().st_size for path in lite.rglob("*") if path.is_file()) < MOST_BYTES
