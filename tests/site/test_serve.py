"""The static server: types, compression, sub-paths, and nothing outside its folder."""
from __future__ import annotations

import gzip
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import ROOT
from tests.site.small_book import serve

TYPES = {"index.html": "text/html; charset=utf-8", "a.mjs": "text/javascript; charset=utf-8", "a.wasm": "application/wasm",
         "a.whl": "application/zip", "a.json": "application/json", "a.svg": "image/svg+xml", "a.css": "text/css; charset=utf-8"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "html"
    (inside / "deep").mkdir(parents=True)
    for name in TYPES:
        (inside / name).write_text("some words " * 99)
    (inside / "deep" / "index.html").write_text("deep")
    (tmp_path / "secret.txt").write_text("secret")
    return inside


def get(url: str, path: str, **headers: str) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    with serve.serving(folder) as address:
        yield address


@pytest.mark.parametrize("name", TYPES)
def test_types(url: str, name: str) -> None:
    response, body = get(url, f"/{name}")
    assert (response.status, response.headers["Content-Type"]) == (200, TYPES[name])
    assert len(body) == int(response.headers["Content-Length"])


def test_compressed_for_those_who_ask(url: str, folder: Path) -> None:
    response, body = get(url, "/a.mjs", Accept_Encoding="gzip, br")
    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == (folder / "a.mjs").read_bytes() and len(body) < 200
    response, _body = get(url, "/a.whl", Accept_Encoding="gzip")
    assert response.headers["Content-Encoding"] is None, "a wheel is compressed already"


def test_unchanged_files_are_not_sent_again(url: str) -> None:
    response, _body = get(url, "/a.css")
    again, body = get(url, "/a.css", If_Modified_Since=response.headers["Last-Modified"])
    assert (again.status, body) == (304, b"")


@pytest.mark.parametrize("path", ["/../secret.txt", "/%2e%2e/secret.txt", "/deep/../../secret.txt", "/none.html"])
def test_nothing_but_the_site(url: str, path: str) -> None:
    response, body = get(url, path)
    assert response.status == 404 and b"secret" not in body


def test_a_folder_is_its_index(url: str) -> None:
    assert get(url, "/deep/")[1] == b"deep"
    response, _body = get(url, "/deep")
    assert (response.status, response.headers["Location"]) == (301, "/deep/")


def test_below_a_sub_path(folder: Path) -> None:
    with serve.serving(folder, "/book/") as url:
        assert url.endswith("/book/")
        assert get(url, "/book/deep/")[1] == b"deep"
        assert get(url, "/deep/")[0].status == 404
        assert get(url, "/")[0].headers["Location"] == "/book/"


def test_the_first_free_port(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError):
            serve.open_server(folder, taken.getsockname()[1])
    server = serve.open_server(folder)
    with server:
        assert serve.FIRST_PORT <= server.server_port < serve.FIRST_PORT + serve.PORTS


def test_ctrl_c_ends_it_cleanly(folder: Path) -> None:
    command = [sys.executable, "-u", str(ROOT / "site" / "build" / "serve.py"), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        lines = [process.stdout.readline() for _i in range(3)]
        assert any(line.startswith("The book: http://127.0.0.1:") for line in lines)
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert (process.wait(10), process.stderr.read()) == (0, "") and "Ended." in rest


def test_a_folder_without_a_site(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="run `make html` first"):
        serve.run(tmp_path)
