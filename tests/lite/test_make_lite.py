"""When JupyterLite is made anew and when not, and what stops it, on a checkout with a stand-in for the application."""
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import make_lite
import pytest

from tests.lite.test_wheels import PYODIDE, wheel

TEXT = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["See [one](../book/one.md#here).\n", "More."]}
CODE = {"cell_type": "code", "id": "b", "metadata": {}, "source": ["1 + 1"], "outputs": [], "execution_count": None}
NOTEBOOK = {"metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}
CONFIG = {"jupyter-config-data": {"litePluginSettings": {f"{make_lite.KERNEL}:kernel": {"pipliteUrls": ["./all.json"]}}}}


class Checkout:
    """``made`` counts how often the application was made."""

    def __init__(self, root: Path) -> None:
        self.root, self.html, self.made = root, root / "_build" / "html", 0
        for name in ("notebooks", "node_modules/pyodide-lite", "_build/lite"):
            (root / name).mkdir(parents=True)
        for name in make_lite.PINS:
            (root / name).write_text("pins\n")
        package = root / "node_modules" / "pyodide-lite"
        (package / "package.json").write_text('{"version": "3.1"}')
        (package / "pyodide-lock.json").write_text(json.dumps(PYODIDE))
        self.notebook("01-one")

    def notebook(self, name: str, text: str = "1 + 1") -> None:
        cells = [TEXT, {**CODE, "source": [text]}]
        (self.root / "notebooks" / f"{name}.ipynb").write_text(json.dumps({**NOTEBOOK, "cells": cells}))

    def build(self, code: str = "code one") -> None:
        make_lite.build(self.root, self.html, code)

    def application(self, root: Path, kept: Path) -> Path:
        app = kept / f"app-{make_lite.app_from(root)[:12]}"
        if not app.is_dir():
            self.made += 1
            (app / "static" / "pyodide-3.1").mkdir(parents=True)
            (app / "index.html").write_text("<title>The application</title>")
            (app / "jupyter-lite.json").write_text(json.dumps(CONFIG))
            (app / "about.json").write_text('{"bytes_gzip": 1000}')
        return app

    def listing(self, folder: str = "") -> list[str]:
        listing = json.loads((self.html / "lite" / "api" / "contents" / folder / "all.json").read_text())
        return [item["path"] for item in listing["content"]]

    def kernel(self) -> dict[str, object]:
        config = json.loads((self.html / "lite" / "jupyter-lite.json").read_text())
        settings = config["jupyter-config-data"]["litePluginSettings"][f"{make_lite.KERNEL}:kernel"]
        assert isinstance(settings, dict)
        return settings


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    def own_wheels(kept: Path, code: str) -> list[Path]:
        folder = kept / f"own-{code[-3:]}"
        folder.mkdir(exist_ok=True)
        return [wheel(folder, "clustersim", needs=(), files=(f"clustersim/{code[-3:]}.py",))]

    made = Checkout(tmp_path)
    monkeypatch.setattr(make_lite, "application", made.application)
    monkeypatch.setattr(make_lite, "own_wheels", own_wheels)
    return made


def test_what_is_put_beside_the_book(checkout: Checkout) -> None:
    checkout.build()
    copy = json.loads((checkout.html / "lite" / "files" / "01-one.ipynb").read_text())
    assert copy["metadata"]["kernelspec"]["name"] == "python"
    assert copy["cells"][0]["source"] == ["See [one](../book/one.html#here).\n", "More."]
    assert checkout.listing() == ["01-one.ipynb", "figures"] and "figures/backfill.ipynb" in checkout.listing("figures")
    kernel = checkout.kernel()
    assert kernel["disablePyPIFallback"] is True and kernel["pipliteUrls"] == ["./all.json"]
    options = kernel["loadPyodideOptions"]
    assert isinstance(options, dict) and (checkout.html / "lite" / options["lockFileURL"]).is_file()
    assert json.loads((checkout.html / "lite" / "about.json").read_text())["bytes_gzip"] > 1000


def test_nothing_is_made_twice(checkout: Checkout) -> None:
    checkout.build()
    (checkout.html / "lite" / "mark").write_text("")
    checkout.build()
    assert (checkout.html / "lite" / "mark").exists() and checkout.made == 1


CHANGES: dict[str, Callable[[Checkout], None]] = {
    "a changed notebook": lambda c: c.notebook("01-one", "2 + 2"),
    "a new notebook": lambda c: c.notebook("02-two"),
    "a renamed notebook": lambda c: (c.root / "notebooks/01-one.ipynb").rename(c.root / "notebooks/03.ipynb") and None,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_of_the_notebooks_is_copied_alone(change: Callable[[Checkout], None], checkout: Checkout) -> None:
    checkout.build()
    change(checkout)
    checkout.build()
    names = sorted(path.name for path in (checkout.root / "notebooks").glob("*.ipynb"))
    assert checkout.listing() == [*names, "figures"] and checkout.made == 1
    for name in names:
        source = json.loads((checkout.root / "notebooks" / name).read_text())
        assert json.loads((checkout.html / "lite" / "files" / name).read_text())["cells"][1] == source["cells"][1]


def test_changed_code_comes_under_other_names_and_the_kept_application_is_not_written_to(checkout: Checkout) -> None:
    checkout.build("code one")
    first = checkout.kernel()["loadPyodideOptions"]
    checkout.build("code two")
    assert checkout.kernel()["loadPyodideOptions"] != first
    assert len(list((checkout.html / "lite").glob("static/pyodide-3.1/wheels/*/*.whl"))) == 1
    app = next((checkout.root / "_build" / "lite").glob("app-*"))
    assert json.loads((app / "jupyter-lite.json").read_text()) == CONFIG
    assert json.loads((app / "about.json").read_text()) == {"bytes_gzip": 1000}


def test_changed_pins_make_the_application_anew(checkout: Checkout) -> None:
    checkout.build()
    (checkout.root / make_lite.PINS[1]).write_text("other pins\n")
    checkout.build()
    assert checkout.made == 2


def test_pages_that_were_thrown_away_get_it_again(checkout: Checkout) -> None:
    checkout.build()
    make_lite.shutil.rmtree(checkout.html)
    checkout.build()
    assert (checkout.html / "lite" / "index.html").is_file() and checkout.made == 1


def test_a_book_without_the_pins_has_none(checkout: Checkout) -> None:
    (checkout.root / make_lite.PINS[0]).unlink()
    checkout.build()
    assert not (checkout.html / "lite").exists()


def test_what_is_not_fetched_is_named_with_the_remedy(checkout: Checkout) -> None:
    (checkout.root / "node_modules/pyodide-lite/package.json").unlink()
    with pytest.raises(make_lite.LiteError, match="no pyodide-lite: run `make html`"):
        checkout.build()
    with pytest.raises(make_lite.LiteError, match="JupyterLite is not set up: run `make html`"):
        make_lite.run_jupyterlite(checkout.root, checkout.root / "kept", checkout.root / "out")


def test_an_address_of_another_host_stops_the_build_unless_it_is_known(tmp_path: Path) -> None:
    known = tmp_path / "known.js"
    known.write_text('import("https://cdn.jsdelivr.net/pyodide/v314.0.6/full/pyodide.mjs")')
    make_lite.at_home(tmp_path, "./static/pyodide/")
    assert known.read_text() == 'import("./static/pyodide/pyodide.mjs")'
    (tmp_path / "new.css").write_text("@import url(https://fonts.googleapis.com/css2);")
    with pytest.raises(make_lite.LiteError, match=r"new\.css: googleapis\.com"):
        make_lite.at_home(tmp_path, "./static/pyodide/")


def test_a_jupyterlite_without_what_is_replaced_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<body>")
    with pytest.raises(make_lite.LiteError, match="JupyterLite has changed"):
        make_lite.change([tmp_path / "page.html"], "</head>", "<script></script></head>")
