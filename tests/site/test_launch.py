"""Places to run a notebook and to publish the site: files present, their form sound, links only where addresses are known."""
from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tests.conftest import ROOT
from tests.site.small_book import SKELETON, Book, launch, page_check, serve, small_config

REPOSITORY, SITE = "https://github.com/someone/a-book", "https://someone.github.io/a-book"


def with_addresses(book: Book, **repository: str) -> Book:
    config = yaml.safe_load(small_config())
    config["repository"], config["html"]["baseurl"] = repository, SITE
    book.write("_config.yml", yaml.safe_dump(config))
    book.write("book/01-chapter.md", f"# Chapter\n\nWords.\n\n```{{elsewhere}} 01-chapter\n```\n{SKELETON}")
    book.notebook("notebooks/01-chapter.ipynb", "1 + 1")
    book.toc("book/01-chapter", "notebooks/01-chapter")
    assert book.build(), book.said
    return book


def links(book: Book, page: str) -> list[str]:
    return [link for link in page_check.read(book.root / "_build" / "html" / page).links if page_check.is_external(link)]


@pytest.mark.parametrize("page", ["book/01-chapter.html", "notebooks/01-chapter.html"])
def test_a_known_repository_gives_links(book: Book, page: str) -> None:
    with_addresses(book, url=REPOSITORY, branch="main")
    binder = next(link for link in links(book, page) if link.startswith(launch.BINDER))
    assert urlsplit(binder).path == "/v2/gh/someone/a-book/main"
    assert parse_qs(urlsplit(binder).query) == {"urlpath": ["lab/tree/notebooks/01-chapter.ipynb"]}
    assert f'<link rel="canonical" href="{SITE}/{page}"' in book.page(page)
    text = book.page("book/01-chapter.html")
    assert "git-pull?repo=https%3A%2F%2Fgithub.com%2Fsomeone%2Fa-book&amp;branch=main" in text


def test_an_unknown_repository_gives_none(book: Book) -> None:
    with_addresses(book, url="", branch="main")
    assert not [link for link in links(book, "notebooks/01-chapter.html") if "binder" in link]
    assert "does not know its repository" in book.page("book/01-chapter.html")


def test_a_repository_elsewhere_has_no_binder_link_but_one_for_a_hub() -> None:
    where = launch.Places("https://git.example.org/x/a-book.git", "next", "")
    assert where.binder("05-backfill") == ""
    asked = parse_qs(urlsplit(where.hub("05-backfill")).query)
    assert asked == {"repo": [where.repository], "branch": ["next"], "urlpath": ["lab/tree/a-book/notebooks/05-backfill.ipynb"]}


# --- Colab -----------------------------------------------------------------------------------------------------------

@pytest.mark.site
def test_colabs_first_cell_installs_from_the_site_and_takes_nothing_else(site: Path, tmp_path: Path) -> None:
    with serve.serving(site, "/a-book/") as address:
        addresses = launch.wheels(site / "_static", address)
        notebook = json.loads((ROOT / "notebooks" / "05-backfill.ipynb").read_text("utf-8"))
        made = launch.for_colab(notebook, addresses)
        assert made["cells"][1:] == notebook["cells"]
        command = "".join(made["cells"][0]["source"]).splitlines()[-1]
        named = re.findall(r'"([^"]+)"', command)
        assert command.startswith("%pip install --quiet --no-deps ") and named == addresses and len(named) == 2
        assert install(named, tmp_path / "good").returncode == 0
        assert (tmp_path / "good" / "clustersim" / "page.py").is_file()
        other = re.sub(r"sha256=.*", "sha256=" + hashlib.sha256(b"another").hexdigest(), named[1])
        bad = install([other], tmp_path / "bad")
        assert bad.returncode != 0 and "DO NOT MATCH THE HASHES" in bad.stderr


def install(addresses: list[str], target: Path) -> subprocess.CompletedProcess[str]:
    """pip, which asks nobody but these addresses."""
    options = ["--isolated", "--quiet", "--disable-pip-version-check", "--no-cache-dir", "--no-deps", "--no-index"]
    environment = {**os.environ, "no_proxy": "127.0.0.1", "PIP_CONFIG_FILE": os.devnull}
    return subprocess.run([sys.executable, "-m", "pip", "install", *options, "--target", str(target), *addresses],
                          capture_output=True, text=True, env=environment)


# --- files -----------------------------------------------------------------------------------------------------------

def workflow() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "book.yml").read_text("utf-8"))
    return found


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def test_actions_are_named_by_commit_with_their_release() -> None:
    lines = re.findall(r"uses: (.*)", (ROOT / ".github" / "workflows" / "book.yml").read_text("utf-8"))
    assert len(lines) >= 5
    assert not [line for line in lines if not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)]


def test_the_workflow_builds_tests_and_publishes_only_main() -> None:
    jobs, events = workflow()["jobs"], workflow()[True]  # YAML 1.1 reads the word `on` as true
    assert set(events) == {"push", "pull_request", "workflow_dispatch"} and events["push"] == {"branches": ["main"]}
    assert workflow()["permissions"] == {"contents": "read"}
    commands = [step["run"] for step in jobs["build"]["steps"] if "run" in step]
    assert commands == [".ci/run", "make pdf"]
    assert os.access(ROOT / ".ci" / "run", os.X_OK) and "pdf" in targets()
    assert jobs["publish"]["needs"] == "build" and jobs["publish"]["permissions"] == {"pages": "write", "id-token": "write"}
    assert "refs/heads/main" in jobs["publish"]["if"] and "pull_request" in jobs["publish"]["if"]
    paths = {step["with"]["path"] for step in jobs["build"]["steps"] if "upload" in step.get("uses", "")}
    assert paths == {"_build/html"}


def test_binder_names_files_that_exist() -> None:
    folder = ROOT / ".binder"
    named = [line.split()[1] for line in (folder / "requirements.txt").read_text("utf-8").splitlines()]
    assert named and all((folder / name).resolve().is_file() for name in named)
    assert re.fullmatch(r"python-3\.\d+\n", (folder / "runtime.txt").read_text("utf-8"))
    script = folder / "postBuild"
    assert os.access(script, os.X_OK) and script.read_text("utf-8").startswith("#!/usr/bin/env bash\n")
    assert subprocess.run(["bash", "-n", str(script)], capture_output=True).returncode == 0


def test_the_dev_container_is_of_the_known_form() -> None:
    about = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    assert set(about) <= {"name", "image", "postCreateCommand", "forwardPorts", "portsAttributes", "customizations"}
    assert re.fullmatch(r"[\w./-]+:3\.11-\w+", about["image"])
    assert set(re.findall(r"\bmake ([a-z-]+)", about["postCreateCommand"])) <= targets()
    assert about["forwardPorts"] == [serve.FIRST_PORT] == [int(port) for port in about["portsAttributes"]]
    assert set(about["customizations"]) == {"vscode"} and set(about["customizations"]["vscode"]) == {"extensions", "settings"}
