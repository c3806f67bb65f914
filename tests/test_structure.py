"""The shape of the package: which module may import which, how large modules are, and what a page can reach."""
from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "clustersim"
# From the bottom up; a module may import modules of lines above its own, and of its own line those to its left.
LAYERS = (
    ("messages", "errors", "jsontext", "units", "hostlist", "facts", "tables"),
    ("cluster", "workload"),
    ("story", "spans", "trace", "metrics", "clock"),
    ("batch",),
    ("reliability", "training"),
    ("slurm",),
    ("measured", "figures", "figures_queue", "figures_curves", "figures_nodes", "figures_failures", "answers", "checks"),
    ("experiments", "exercises"),
    ("page", "notebook", "sweep", "commands", "cli"),
)
LARGEST = 400  # lines
BROWSER_ONLY_STDLIB = {"simpy"}  # the one dependency of what a page can reach


def modules() -> dict[str, list[Path]]:
    """Top-level module or subpackage -> its files."""
    found: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if name != "__init__":
            found.setdefault(name, []).append(path)
    return found


def imports(path: Path) -> set[str]:
    """Full names of what a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name}: import by full name"
            if node.module == "clustersim":
                names |= {f"clustersim.{alias.name}" for alias in node.names}
            elif node.module:
                names.add(node.module)
    return names


def test_every_module_has_its_place_in_the_layers() -> None:
    assert set(modules()) == {name for layer in LAYERS for name in layer}


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_point_one_way(name: str) -> None:
    order = [module for layer in LAYERS for module in layer]
    allowed = set(order[: order.index(name) + 1]) | {"__version__"}
    for path in modules()[name]:
        used = {full.split(".")[1] for full in imports(path) if full.startswith("clustersim.")}
        assert used <= allowed, f"{path.relative_to(ROOT)} imports {sorted(used - allowed)}, which stand above {name}"


def test_only_the_clock_knows_simpy() -> None:
    def uses(path: Path) -> bool:
        return any(name.split(".")[0] == "simpy" for name in imports(path))

    users = {name for name, paths in modules().items() if any(map(uses, paths))}
    assert users == {"clock"}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LARGEST


def test_what_a_page_can_reach_is_pure() -> None:
    """Importing the browser's door and every experiment loads SimPy, the standard library and nothing else."""
    code = ("import sys; before = set(sys.modules); import clustersim.page\n"
            "from clustersim.experiments import IDS, experiment\n"
            "for name in IDS: experiment(name)()\n"
            "print(*sorted({m.split('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"clustersim", *BROWSER_ONLY_STDLIB}
