"""The list that the browser's Python loads packages by: complete, exact, and no more than lies beside it."""
from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import lite_wheels
import pytest

PYODIDE = {"info": {"python": "3.14.2"}, "packages": {"numpy": {}}}


def wheel(folder: Path, name: str, version: str = "1.0", needs: tuple[str, ...] = (), files: tuple[str, ...] = ()) -> Path:
    path = folder / f"{name}-{version}-py3-none-any.whl"
    about = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {need}" for need in needs)]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}-{version}.dist-info/METADATA", "\n".join(about) + "\n")
        for file in (f"{name}/__init__.py", *files):
            archive.writestr(file, "")
    return path


def test_the_lock_names_what_is_there_and_nothing_else(tmp_path: Path) -> None:
    one, two = wheel(tmp_path, "one", needs=("Two_x>=1",)), wheel(tmp_path, "two_x", "1.5", files=("single.py",))
    lock = lite_wheels.lock_of([two, one], tmp_path, PYODIDE)
    assert lock["info"] == PYODIDE["info"] and set(lock["packages"]) == {"one", "two-x"}
    assert lock["packages"]["one"]["depends"] == ["two-x"]
    second = lock["packages"]["two-x"]
    assert (second["version"], second["file_name"], second["imports"]) == ("1.5", two.name, ["single", "two_x"])
    assert second["sha256"] == hashlib.sha256(two.read_bytes()).hexdigest()


@pytest.mark.parametrize("need", [
    "psutil; sys_platform != 'emscripten'", "colorama; sys_platform == 'win32'", "typing_extensions; python_version < '3.12'",
    "pytest; extra == 'test'", "widgetsnbextension~=4.0", "jupyterlab_widgets~=3.0",
])
def test_what_the_browser_does_not_need_may_be_absent(need: str, tmp_path: Path) -> None:
    assert lite_wheels.lock_of([wheel(tmp_path, "one", needs=(need,))], tmp_path, PYODIDE)["packages"]["one"]["depends"] == []


@pytest.mark.parametrize(("need", "said"), [
    ("absent>=2", "one needs absent>=2: add it to requirements-lite-kernel.txt"),
    ("other>=2", "one needs other>=2, but 1.0 is pinned"), ("absent; python_version >= '3.14'", "one needs absent"),
])
def test_a_missing_or_unfit_package_stops_the_build(need: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(lite_wheels.WheelError) as fault:
        lite_wheels.lock_of([wheel(tmp_path, "one", needs=(need,)), wheel(tmp_path, "other")], tmp_path, PYODIDE)
    assert said in str(fault.value)


def test_a_wheel_is_packed_again_without_what_nobody_uses_and_always_to_the_same_bytes(tmp_path: Path) -> None:
    stubs = ("jedi/third_party/typeshed/stubs/boto/__init__.pyi", "jedi/third_party/typeshed/stdlib/os.pyi")
    source = wheel(tmp_path, "jedi", files=stubs)
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        made.append(lite_wheels.slimmed(source, tmp_path / name))
    with zipfile.ZipFile(made[0]) as archive:
        names = set(archive.namelist())
    assert names == {"jedi-1.0.dist-info/METADATA", "jedi/__init__.py", lite_wheels.KEPT_EMPTY, stubs[1]}
    assert made[0].read_bytes() == made[1].read_bytes()
