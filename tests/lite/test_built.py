"""What lies in ``lite/`` of the built site."""
from __future__ import annotations

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import language
import make_lite
import notebook_words
import page_check
import pytest
from language import Language

from tests.conftest import ROOT

pytestmark = pytest.mark.site
MOST_BYTES = 43e6  # on the server's disk
TRANSLATED = [(which, name) for which in language.languages().values() for name in notebook_words.finished(which)]


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


@pytest.mark.parametrize(("which", "name"), TRANSLATED, ids=[f"{which.code} {name}" for which, name in TRANSLATED])
def test_a_finished_notebook_is_there_in_its_language(lite: Path, which: Language, name: str) -> None:
    """Its code is that of the repository after one cell that chooses the language; no text of it is left in English."""
    here = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text("utf-8"))["cells"]
    there = json.loads((lite / "files" / which.code / f"{name}.ipynb").read_text("utf-8"))["cells"]
    code = [["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"] for cells in (here, there)]
    assert code[1][1:] == code[0] and code[1][0].endswith(f'set_language("{which.code}")')
    assert [cell for cell in there if cell.get("outputs")] == [], "what was printed when it was made is English"
    text = "\n".join("".join(cell["source"]) for cell in there if cell["cell_type"] == "markdown")
    held = notebook_words.words(ROOT, which, name)
    assert len(held) > 20
    assert [words for words in held.values() if words not in text and "](" not in words] == []
    assert [words for words in held if len(words.split()) > 2 and words in text and held[words] != words] == []


def test_links_of_notebooks_lead_to_pages_and_notebooks_that_exist(site: Path, lite: Path) -> None:
    texts = {path: "".join("".join(cell["source"]) for cell in json.loads(path.read_text("utf-8"))["cells"])
             for path in (lite / "files").rglob("*.ipynb")}
    links = [(path, link) for path, text in texts.items() for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)]
    assert len({path for path, _link in links}) >= len(list((lite / "files").glob("*.ipynb"))) + len(TRANSLATED)
    missing = []
    for path, link in links:  # as site/lite/links.js leads them: pages of the book from the site's root
        folder = path.parent.relative_to(lite / "files")
        page = (folder / link).as_posix().removeprefix(f"{folder.as_posix()}/../").removeprefix("../")
        if not (site / page if page.endswith(".html") else path.parent / link).is_file():
            missing.append((path.name, link))
    assert missing == []


@pytest.mark.parametrize("code", ["", *language.languages()])
def test_pages_and_figures_link_to_their_notebook(site: Path, lite: Path, code: str) -> None:
    """In an edition, to the notebook in its language."""
    wanted = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    if code:
        wanted = set(notebook_words.finished(language.languages()[code]))
    found: dict[str, set[str]] = {"book": set(), "notebooks": set()}
    for folder, names in found.items():
        for path in (site / code / folder).glob("*.html"):
            links = [link for link in page_check.read(path).links if "/lite/notebooks/index.html?path=" in link]
            targets = [parse_qs(urlsplit(link).query)["path"][0] for link in links]
            assert [target for target in targets if not (lite / "files" / target).is_file()] == []
            assert [target for target in targets if not target.startswith(f"{code}/".lstrip("/"))] == []
            names |= {Path(target).stem for target in targets if Path(target).stem == path.stem}
            text = path.read_text("utf-8")
            figures = text.count("<live-experiment ") + text.count('<li class="cs-play">')
            assert len([target for target in targets if "figures/" in target]) == figures
    assert found["notebooks"] == wanted
    assert found["book"] == {name for name in wanted if (site / code / "book" / f"{name}.html").is_file()}


def test_it_stays_within_its_size(lite: Path) -> None:
    assert sum(path.stat().st_size for path in lite.rglob("*") if path.is_file()) < MOST_BYTES
