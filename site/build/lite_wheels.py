"""The Python packages of the notebooks in the browser: their wheels, and the list that Pyodide loads them by.

Pyodide's own ``pyodide-lock.json`` names packages that its npm package does not hold. Ours names exactly what lies beside
it: nothing can be asked for elsewhere, and everything a notebook imports is there before its first cell runs.
"""
from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Mapping
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# What requirements see in the browser; "extra" is none.
BROWSER = {"sys_platform": "emscripten", "platform_system": "Emscripten", "os_name": "posix", "platform_machine": "wasm32",
           "implementation_name": "cpython", "platform_python_implementation": "CPython", "extra": ""}
# Named as requirements, but only their front-end part is used, and JupyterLite ships that by itself.
FRONT_END = frozenset({"jupyterlab-widgets", "widgetsnbextension"})
# Types of hundreds of packages that no notebook here imports: 10 of the 14 MB of what completes names.
LEFT_OUT = ("jedi/third_party/typeshed/stubs/", "jedi/third_party/django-stubs/")
KEPT_EMPTY = "jedi/third_party/typeshed/stubs/"  # jedi lists this folder
CLOCK = (1980, 1, 1, 0, 0, 0)  # the oldest date that a zip file can hold: the same wheels give the same bytes


class WheelError(Exception):
    """A set of wheels that would not work in the browser; the message says what to do."""


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode("utf-8"))


def imports(wheel: Path) -> list[str]:
    """The top-level modules and packages of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        names = [Path(name) for name in archive.namelist()]
    found = {name.parts[0] for name in names if len(name.parts) > 1 and name.suffix == ".py"}
    found |= {name.stem for name in names if len(name.parts) == 1 and name.suffix == ".py"}
    return sorted(name for name in found if not name.endswith((".dist-info", ".data")))


def needs(about: Message, environment: Mapping[str, str]) -> list[Requirement]:
    """What a wheel asks for in the browser, without what only its front-end part is for."""
    every = [Requirement(text) for text in about.get_all("Requires-Dist") or []]
    wanted = [r for r in every if r.marker is None or r.marker.evaluate(dict(environment))]
    return [r for r in wanted if canonicalize_name(r.name) not in FRONT_END]


def slimmed(wheel: Path, out: Path) -> Path:
    """A copy of the wheel in ``out``, always of the same bytes, without what LEFT_OUT names."""
    made = out / wheel.name
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(made, "w") as new:
        for name in sorted(old.namelist()):
            if not name.startswith(LEFT_OUT):
                new.writestr(zipfile.ZipInfo(name, CLOCK), old.read(name), zipfile.ZIP_DEFLATED)
        if KEPT_EMPTY.split("/")[0] == canonicalize_name(str(metadata(wheel)["Name"])):
            new.writestr(zipfile.ZipInfo(KEPT_EMPTY, CLOCK), b"")
    return made


def environment_of(lock: Mapping[str, Any]) -> dict[str, str]:
    """What environment markers see under the Pyodide that this lock belongs to."""
    version = str(lock["info"]["python"])
    short = ".".join(version.split(".")[:2])
    return {**BROWSER, "python_version": short, "python_full_version": version, "implementation_version": version,
            "platform_release": "", "platform_version": ""}


def lock_of(wheels: Iterable[Path], base: Path, original: Mapping[str, Any]) -> dict[str, Any]:
    """The lock with these wheels alone, their files named as seen from ``base``; all that they ask for must be there."""
    environment = environment_of(original)
    read = {path: metadata(path) for path in sorted(wheels)}
    versions = {canonicalize_name(str(about["Name"])): str(about["Version"]) for about in read.values()}
    packages, faults = {}, []
    for path, about in read.items():
        name = canonicalize_name(str(about["Name"]))
        wanted = needs(about, environment)
        for requirement in wanted:
            have = versions.get(canonicalize_name(requirement.name))
            if have is None:
                faults.append(f"{name} needs {requirement}: add it to requirements-lite-kernel.txt")
            elif not requirement.specifier.contains(have, prereleases=True):
                faults.append(f"{name} needs {requirement}, but {have} is pinned")
        packages[name] = {
            "name": name, "version": str(about["Version"]), "file_name": path.relative_to(base).as_posix(),
            "install_dir": "site", "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "package_type": "package",
            "imports": imports(path), "depends": sorted({canonicalize_name(r.name) for r in wanted}), "unvendored_tests": False,
        }
    if faults:
        raise WheelError("The notebooks in the browser would miss a package:\n  " + "\n  ".join(sorted(set(faults))))
    return {"info": original["info"], "packages": packages}


def lock_text(lock: Mapping[str, Any]) -> str:
    return json.dumps(lock, indent=1, sort_keys=True) + "\n"


