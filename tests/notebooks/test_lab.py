"""A panel in real JupyterLab in real Chromium: it draws, and moving a slider redraws the Vega figure."""
from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
import websocket

from tests.conftest import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATIENCE_S = 90
CELL = 'from clustersim.notebook import panel\npanel("three_researchers")'
FIGURE = "document.querySelector('.jp-RenderedVegaCommon5 canvas')?.toDataURL()"
STATUS = "document.querySelector('.jp-OutputArea [role=status]')?.innerText"
BOXES = "[...document.querySelectorAll('.jp-OutputArea input[type=number]')]"
SLIDERS = "document.querySelectorAll('.jp-OutputArea .noUi-handle')"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(what: str, look: Callable[[], Any]) -> Any:
    """The first true answer; fails by name when patience ends."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            if answer := look():
                return answer
        except OSError:  # the server does not listen yet
            pass
        time.sleep(0.2)
    raise AssertionError(f"no {what} within {PATIENCE_S} s")


def get(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=5) as answer:
        return json.loads(answer.read())


class Page:
    """One tab, driven by the DevTools protocol."""

    def __init__(self, address: str) -> None:
        self.socket = websocket.create_connection(address, suppress_origin=True, timeout=PATIENCE_S)
        self.count = 0

    def call(self, method: str, **options: Any) -> Any:
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": options}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.count:
                return answer["result"]

    def value(self, expression: str) -> Any:
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def press(self, key: str, code: int, modifiers: int = 0) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, modifiers=modifiers)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[str, Page]]:
    """JupyterLab on one notebook, and a page that shows it; both end with the test."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (tmp_path / "work").mkdir()
    nbformat.write(notebook, tmp_path / "work" / "a.ipynb")
    port, tools = free_port(), free_port()
    homes = {f"JUPYTER{name}_DIR": str(tmp_path / name) for name in ("_CONFIG", "_RUNTIME", "LAB_SETTINGS", "LAB_WORKSPACES")}
    server = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token=",
              "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
              f"--notebook-dir={tmp_path / 'work'}"]
    browser = [os.environ.get("CHROMIUM", "chromium"), "--headless=new", "--no-sandbox", "--disable-gpu",
               f"--remote-debugging-port={tools}", f"--user-data-dir={tmp_path / 'chromium'}", "--window-size=1200,1600",
               "about:blank"]
    with (tmp_path / "log").open("w") as log:
        started = [subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, env={**os.environ, **homes})
                   for command in (server, browser)]
        try:
            until("JupyterLab", lambda: get(f"http://127.0.0.1:{port}/api"))
            tabs = until("Chromium", lambda: [t for t in get(f"http://127.0.0.1:{tools}/json") if t["type"] == "page"])
            page = Page(tabs[0]["webSocketDebuggerUrl"])
            try:
                yield f"http://127.0.0.1:{port}", page
            finally:
                page.socket.close()
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait(timeout=30)


def test_moving_a_slider_redraws_the_figure(lab: tuple[str, Page]) -> None:
    address, page = lab
    page.call("Page.navigate", url=f"{address}/lab/tree/a.ipynb?reset")
    until("cell", lambda: page.value("!!document.querySelector('.jp-CodeCell .cm-content')"))
    until("idle kernel", lambda: [k for k in get(f"{address}/api/kernels") if k["execution_state"] == "idle"])

    def draw() -> Any:
        """Shift+Enter in the cell; again if JupyterLab was not ready to run it, whose dialog is then answered."""
        page.value("document.querySelector('.jp-Dialog .jp-mod-accept')?.click()")
        page.value("document.querySelector('.jp-CodeCell .cm-content').focus()")
        page.press("Enter", 13, modifiers=8)
        time.sleep(3)
        return page.value(FIGURE) and page.value(STATUS) and page.value(f"{SLIDERS}.length")

    assert until("figure", draw) == 5, "a slider for each number"
    before, said = page.value(FIGURE), page.value(STATUS)
    assert "C starts at 03:00" in said
    labels = page.value(f"{BOXES}.map(box => box.labels[0].innerText)")
    assert labels == ["GPUs in the node", "A runs for", "B runs for", "C runs for", "C asks for"]
    page.value(f"{SLIDERS}[0].focus()")
    page.press("ArrowRight", 39)
    until("new summary", lambda: "C starts at once" in page.value(STATUS))
    until("new picture", lambda: page.value(FIGURE) != before)
    assert page.value(f"{BOXES}[0].value") == "5"
    page.value("[...document.querySelectorAll('.jp-OutputArea button')].find(button => button.innerText === 'Reset').click()")
    until("the old summary after Reset", lambda: page.value(STATUS) == said)
    until("the old picture after Reset", lambda: page.value(FIGURE) == before)
