"""What a live figure loads on "Start", beside the page scripts in ``_static/live/``, and the manifest that names it.

Pyodide comes from node_modules, the Vega bundle from vl-convert, SimPy's wheel from the installed package, ours is
built. Names that hold a hash or a version change with their content, so that no cache can mix two builds.
"""
from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pictures
import vl_convert
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.util.typing import ExtensionMetadata

import clustersim

ROOT = Path(__file__).resolve().parents[2]
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
EPOCH = "315532800"  # 1980-01-01, the oldest date that a zip file can hold: the same sources give the same bytes
FORMAT = "clustersim-live/1"


class AssetError(SphinxError):
    category = "The live figures cannot be built"


def pyodide_package() -> Path:
    """The package.json of the fetched Pyodide."""
    path = ROOT / "node_modules" / "pyodide" / "package.json"
    if not path.is_file():
        raise AssetError("node_modules holds no Pyodide: run `make html`, which fetches it")
    return path


def copy_pyodide(out: Path) -> str:
    """Pyodide's five files in a folder named by version."""
    source = pyodide_package()
    folder = out / f"pyodide-{json.loads(source.read_text('utf-8'))['version']}"
    folder.mkdir(parents=True, exist_ok=True)
    for name in PYODIDE:
        if not (folder / name).is_file():
            shutil.copyfile(source.with_name(name), folder / name)
    return folder.name + "/"


def simpy_wheel(cache: Path) -> Path:
    """SimPy's wheel, packed again from the installed files (pure Python, so they are the wheel's own)."""
    distribution = importlib.metadata.distribution("simpy")
    path = cache / f"simpy-{distribution.version}-py3-none-any.whl"
    names = sorted(str(file) for file in distribution.files or ())
    left_out = ("__pycache__", "..", "INSTALLER", "REQUESTED", "direct_url.json")  # what pip adds when it installs
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            if not set(left_out) & set(Path(name).parts):
                content = Path(str(distribution.locate_file(name))).read_bytes()
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return path


def own_wheel(cache: Path) -> Path:
    """The wheel of clustersim, built by the pinned setuptools from a copy, so that the checkout stays clean."""
    package = Path(clustersim.__file__).resolve().parent
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        shutil.copytree(package, copy / "clustersim", ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        for file in ("pyproject.toml", "README.md", "LICENSE-CODE"):
            shutil.copyfile(package.parent / file, copy / file)
        code = f"from setuptools import build_meta; print(build_meta.build_wheel({str(cache)!r}))"
        done = subprocess.run([sys.executable, "-c", code], cwd=copy, capture_output=True, text=True,
                              env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH})
    if done.returncode:
        raise AssetError("clustersim's wheel: " + done.stderr.strip()[-2000:])
    return cache / done.stdout.strip().splitlines()[-1]


def place_name(content: bytes) -> str:
    """The folder that a file is put into: it changes with the content."""
    return hashlib.sha256(content).hexdigest()[:12]


def place(content: bytes, out: Path, folder: str, name: str) -> str:
    """Write ``content`` under a folder named by its hash; the path from ``out``."""
    path = Path(folder) / place_name(content) / name
    (out / path).parent.mkdir(parents=True, exist_ok=True)
    (out / path).write_bytes(content)
    return path.as_posix()


def assemble(out: Path) -> dict[str, Any]:
    """Put everything into ``out`` and write ``manifest.json``; what an older build left there goes."""
    for old in (*out.glob("wheels"), *out.glob("vega"), *out.glob("pyodide-*")):
        shutil.rmtree(old)
    pyodide = copy_pyodide(out)
    with tempfile.TemporaryDirectory() as name:
        made = simpy_wheel(Path(name)), own_wheel(Path(name))
        wheels = [place(wheel.read_bytes(), out, "wheels", wheel.name) for wheel in made]
    bundle = vl_convert.javascript_bundle(vl_version=pictures.VEGA_LITE).encode()  # type: ignore[call-arg]  # snippet is optional
    vega = place(bundle, out, "vega", f"vega-lite-{pictures.VEGA_LITE}.mjs")
    shipped = [*(pyodide + name for name in PYODIDE), *wheels, vega]
    sizes = {name: (out / name).read_bytes() for name in shipped}
    packed = sum(len(gzip.compress(data, 6)) for data in sizes.values())
    manifest = {"format": FORMAT, "pyodide": pyodide, "wheels": wheels, "vega": vega,
                "bytes": sum(map(len, sizes.values())), "bytes_gzip": packed}
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
    return manifest


def made_from() -> str:
    """A hash of what the assets are made from: the package, and the versions of the rest."""
    package = Path(clustersim.__file__).resolve().parent
    total = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted([*package.rglob("*"), package.parent / "pyproject.toml", package.parent / "README.md"]):
        if path.is_file() and "__pycache__" not in path.parts:
            total.update(f"{path.relative_to(package.parent)}\0".encode() + path.read_bytes())
    versions = [importlib.metadata.version(name) for name in ("simpy", "vl-convert-python", "setuptools")]
    total.update(" ".join(versions).encode() + pyodide_package().read_bytes())
    return total.hexdigest()


def finish(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name != "html" or not app.config.live_assets or app.config.edition:
        return
    out, stamp, value = Path(app.outdir) / "_static" / "live", Path(app.doctreedir) / "live-assets", made_from()
    if not (out / "manifest.json").is_file() or not stamp.is_file() or stamp.read_text() != value:
        assemble(out)
        stamp.write_text(value)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_config_value("live_assets", True, "html")
    app.connect("build-finished", finish, priority=600)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
