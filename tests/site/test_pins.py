"""Every version is exact, once, and the one that is installed."""
from __future__ import annotations

import importlib.metadata
import json
import re

import pytest

from tests.conftest import ROOT

FILES = ("requirements.txt", "requirements-book.txt", "requirements-labs.txt", "requirements-test.txt", "constraints.txt")
LITE = ("requirements-lite.txt", "requirements-lite-kernel.txt")  # JupyterLite's own environment, and its wheels
PLANNED = {"jupyter-book", "myst-nb", "ipywidgets", "boto3", "simpy", "sphinxcontrib-mermaid"}


def lines(name: str) -> list[str]:
    text = (ROOT / name).read_text("utf-8").splitlines()
    return [line.split("#")[0].strip() for line in text if line.split("#")[0].strip() and not line.startswith("-")]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


PINS = {name: [line.split("==") for line in lines(name)] for name in FILES}


def test_every_pin_is_exact() -> None:
    exact = re.compile(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*")
    assert not [line for name in (*FILES, *LITE) for line in lines(name) if not exact.fullmatch(line)]


@pytest.mark.parametrize("name", LITE)
def test_jupyterlite_has_the_versions_that_notebooks_have_elsewhere(name: str) -> None:
    versions = {normal(package): version for pins in PINS.values() for package, version in pins}
    own = {normal(package): version for package, version in (line.split("==") for line in lines(name))}
    assert {package: versions[package] for package in own if package in versions} == {
        package: version for package, version in own.items() if package in versions}


def test_no_package_is_pinned_twice() -> None:
    names = [normal(name) for pins in PINS.values() for name, _version in pins]
    assert sorted(names) == sorted(set(names))


def test_the_planned_packages_are_named() -> None:
    assert {normal(name) for name, _version in PINS["requirements.txt"]} >= PLANNED


@pytest.mark.parametrize("name", FILES[:-1])
def test_the_pins_are_what_is_installed(name: str) -> None:
    installed = {package: importlib.metadata.version(package).split("+")[0] for package, _version in PINS[name]}
    assert installed == dict(PINS[name])


@pytest.mark.parametrize("name", FILES[:-1])
def test_each_direct_requirement_says_why(name: str) -> None:
    text = (ROOT / name).read_text("utf-8").splitlines()
    pairs = zip(["", *text], text, strict=False)
    assert not [line for before, line in pairs if "==" in line and not re.search(r"#\s*\w", line) and before[:1] != "#"]


def test_npm_packages_are_exact_and_their_lock_names_no_registry() -> None:
    package = json.loads((ROOT / "package.json").read_text("utf-8"))
    wanted = {**package["dependencies"], **package["devDependencies"]}
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    for name, version in wanted.items():
        version = re.sub(r"^npm:[a-z-]+@", "", version)  # a second version of a package, under a name of ours
        assert re.fullmatch(r"\d+\.\d+\.\d+", version) and lock[f"node_modules/{name}"]["version"] == version
    assert not [name for name, entry in lock.items() if "resolved" in entry]
    assert not [name for name, entry in lock.items() if name and "integrity" not in entry]
