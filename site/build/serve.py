"""A small static server for the built site: right MIME types, gzip, optionally below a sub-path.

``python site/build/serve.py [FOLDER] [--port N] [--prefix /book/]``; or in a test ``with serve.serving(folder) as url``.
Compressing matters where the site is measured: it is what an ordinary static server does.
"""
from __future__ import annotations

import argparse
import gzip
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

FIRST_PORT, PORTS = 8000, 100
TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8", ".json": "application/json", ".wasm": "application/wasm",
    ".whl": "application/zip", ".zip": "application/zip", ".svg": "image/svg+xml", ".png": "image/png",
    ".txt": "text/plain; charset=utf-8", ".md": "text/plain; charset=utf-8", ".ipynb": "application/json",
}
PACKED = {".whl", ".zip", ".png", ".woff2", ".gz"}  # compressed already


@lru_cache(maxsize=256)
def _compressed(path: Path, _stamp: int) -> bytes:
    return gzip.compress(path.read_bytes(), 6, mtime=0)


class Handler(BaseHTTPRequestHandler):
    """GET and HEAD of files below ``server.folder``; everything else is 404."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, body: bool) -> None:
        address = unquote(urlsplit(self.path).path)
        prefix = self.server.prefix
        if prefix != "/" and address in ("/", prefix.rstrip("/")):
            self._redirect(prefix)
            return
        path = self._file(address)
        if path is None:
            self._send(404, "text/plain; charset=utf-8", b"There is no such page.\n", {}, body)
            return
        if path.is_dir():
            self._redirect(address.rstrip("/") + "/")
            return
        headers = {"Cache-Control": "no-cache", "Last-Modified": self.date_time_string(path.stat().st_mtime)}
        if self.headers.get("If-Modified-Since") == headers["Last-Modified"]:
            self._send(304, "", b"", headers, False)
            return
        data = path.read_bytes()
        if "gzip" in self.headers.get("Accept-Encoding", "") and path.suffix not in PACKED:
            data = _compressed(path, path.stat().st_mtime_ns)
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        self._send(200, TYPES.get(path.suffix, "application/octet-stream"), data, headers, body)

    def _file(self, address: str) -> Path | None:
        """The file of an address (a folder means its index), or the folder itself where the closing slash is missing."""
        if not address.startswith(self.server.prefix):
            return None
        path = (self.server.folder / address[len(self.server.prefix):]).resolve()
        if not path.is_relative_to(self.server.folder):
            return None
        if path.is_dir():
            if not address.endswith("/"):
                return path
            path = path / "index.html"
        return path if path.is_file() else None

    def _redirect(self, to: str) -> None:
        self._send(301, "text/plain; charset=utf-8", b"", {"Location": quote(to)}, False)

    def _send(self, status: int, kind: str, data: bytes, headers: dict[str, str], body: bool) -> None:
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: a reader wants the address, not a line for every file."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = False

    def __init__(self, folder: Path, port: int, prefix: str) -> None:
        self.folder = folder.resolve()
        self.prefix = "/" + prefix.strip("/") + "/" if prefix.strip("/") else "/"
        super().__init__(("127.0.0.1", port), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{self.prefix}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that goes away in the middle of an answer is no error of ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def open_server(folder: Path, port: int | None = None, prefix: str = "/") -> Server:
    """A server on ``port``, or on the first free one from 8000 on."""
    if port is not None:
        return Server(folder, port, prefix)
    for number in range(FIRST_PORT, FIRST_PORT + PORTS):
        try:
            return Server(folder, number, prefix)
        except OSError:
            continue
    raise SystemExit(f"No port from {FIRST_PORT} to {FIRST_PORT + PORTS - 1} is free: name another by --port.")


@contextmanager
def serving(folder: Path, prefix: str = "/") -> Iterator[str]:
    """Serve ``folder`` on any free port while the block runs; the value is the site's address."""
    server = Server(folder, 0, prefix)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def run(folder: Path, port: int | None = None, prefix: str = "/") -> None:
    """Serve until Ctrl-C."""
    if not (folder / "index.html").is_file():
        raise SystemExit(f"{folder} holds no built site: run `make html` first.")
    server = open_server(folder, port, prefix)
    try:
        print(f"\nThe book: {server.url}\nCtrl-C ends the server.", flush=True)
        server.serve_forever()
    except KeyboardInterrupt:
        print("\nEnded.")
    finally:
        server.server_close()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Serve the built site at a local address.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parents[2] / "_build" / "html")
    parser.add_argument("--port", type=int, help="the first free one from 8000 on unless given")
    parser.add_argument("--prefix", default="/", help="a sub-path, such as /book/")
    options = parser.parse_args(argv)
    run(options.folder, options.port, options.prefix)
    return 0


if __name__ == "__main__":
    sys.exit(main())
