"""Which conformance suites exist, how their cases are found and how one case is run.

A golden folder holds suites (folders, or YAML files) beside plain data tables. A suite is in ``SUITES`` (built), or in
``NOT_BUILT`` with the reason, or it is unknown and the run fails: nothing is passed over in silence.
"""
from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from clustersim import cli
from tests.conformance import reliability_suites as reliability

NOT_BUILT: dict[str, str] = {
    "slurm_outputs": "the look-alike commands (squeue, sinfo, sbatch) are not written",
    "k8s_cases": "the Kubernetes simulator is not written",
}


@dataclass(frozen=True)
class Case:
    """One case: ``run`` gets a scratch folder and returns the differences, none if the case holds."""

    id: str
    run: Callable[[Path], list[str]]


def entries(golden: Path) -> Iterator[Path]:
    """What stands in a golden folder and could be a suite: folders and YAML files. Tables (CSV) and READMEs are data."""
    for path in sorted(golden.iterdir()):
        if path.is_dir() or path.suffix not in {".csv", ".md"}:
            yield path


def cases(golden: Path) -> list[Case]:
    """Every case of every built suite, and a case that fails for each thing that is no known suite."""
    found: list[Case] = []
    for path in entries(golden):
        if path.name in SUITES:
            suite = list(SUITES[path.name](path))
            found += suite or [_broken(path.name, "holds no case")]
        elif path.name not in NOT_BUILT:
            found.append(_broken(path.name, "is no suite that tests/conformance/suites.py knows, built or not"))
    return found or [_broken(golden.name, f"{golden} holds no suite")]


def not_built(golden: Path) -> list[str]:
    return [path.name for path in entries(golden) if path.name in NOT_BUILT]


def _broken(name: str, why: str) -> Case:
    return Case(name, lambda _scratch: [f"{name} {why}"])


def _stray(folder: Path, known: set[Path], prefix: str) -> Iterator[Case]:
    for path in sorted(folder.iterdir()):
        if path.is_file() and path not in known and path.name != "README.md":
            yield _broken(f"{prefix}-{path.name}", "belongs to no case of this suite")


def swf_cases(folder: Path) -> Iterator[Case]:
    """``NAME.json`` with ``NAME.swf[.gz]`` and, for each policy in it, ``NAME.POLICY.starts.gz``."""
    known: set[Path] = set()
    for expected in sorted(folder.glob("*.json")):
        golden = json.loads(expected.read_text(encoding="utf-8"))
        log = folder / golden["workload"]
        log = log if log.exists() else log.with_name(log.name + ".gz")
        known |= {expected, log}
        for policy in golden["policies"]:
            starts = folder / f"{expected.stem}.{policy}.starts.gz"
            known.add(starts)
            yield Case(f"swf_reference-{expected.stem}-{policy}",
                       lambda scratch, g=golden, w=log, p=policy, s=starts: _swf_case(scratch, g, w, p, s))
    yield from _stray(folder, known, "swf_reference")


def _swf_case(scratch: Path, golden: dict, log: Path, policy: str, starts: Path) -> list[str]:
    ours, record = scratch / "starts", scratch / "metrics.json"
    arguments = ["replay", "swf", str(log), "--cores", str(golden["cores"]), "--policy", policy, "--starts", str(ours)]
    code, text = _captured([*arguments, "--json"])
    if code:
        return [f"exit code {code}: {text}"]
    record.write_text(text, encoding="utf-8")
    got, want = json.loads(text), golden["policies"][policy]
    shown = ours.read_text(encoding="ascii").splitlines()
    differences = [f"{key}: {got[key]} instead of {value}" for key, value in want.items() if key in got and got[key] != value]
    if [list(map(int, line.split())) for line in shown[:20]] != want["first_20_starts"]:
        differences.append("the first 20 starts differ")
    if starts.exists():
        reference = gzip.decompress(starts.read_bytes()).decode("ascii").splitlines()
        wrong = [(a, b) for a, b in zip(shown, reference, strict=False) if a != b]
        if wrong or len(shown) != len(reference):
            first = f", the first is '{wrong[0][0]}' instead of '{wrong[0][1]}'" if wrong else ""
            differences.append(f"{len(wrong)} of {len(reference)} starts differ ({len(shown)} written){first}")
    dropped = {reason: n for reason, n in got["jobs_dropped"].items() if n}
    if dropped != golden.get("jobs_dropped", dropped) or got["jobs_cut_at_limit"] != golden.get("jobs_cut_at_limit", 0):
        differences.append(f"dropped {dropped}, cut {got['jobs_cut_at_limit']}; the reference says otherwise")
    return differences


def slurm_cases(folder: Path) -> Iterator[Case]:
    """``NAME.workload.json`` with ``NAME.outcome.json``; those under ``not_unique`` are compared in totals only."""
    for place, prefix, unique in ((folder, "slurm_golden", True), (folder / "not_unique", "slurm_golden-not_unique", False)):
        if not place.is_dir():
            continue
        known: set[Path] = set()
        for workload in sorted(place.glob("*.workload.json")):
            outcome = workload.with_name(workload.name.replace(".workload.", ".outcome."))
            known |= {workload, outcome}
            yield Case(f"{prefix}-{workload.name.removesuffix('.workload.json')}",
                       lambda scratch, w=workload, o=outcome, u=unique: _slurm_case(scratch, w, o, u))
        yield from _stray(place, known, prefix)


def _slurm_case(scratch: Path, workload: Path, outcome: Path, unique: bool) -> list[str]:
    from clustersim.slurm import compare
    from clustersim.trace import Trace

    ours, saved = scratch / "outcome.json", scratch / "trace.json"
    code, text = _captured(["replay", "slurm", str(workload), "--outcome", str(ours), "--save", str(saved)])
    if code:
        return [f"exit code {code}: {text}"]
    Trace.load(saved).validate()
    got, want = (json.loads(path.read_text(encoding="utf-8")) for path in (ours, outcome))
    return compare(got, want, unique)


def _captured(arguments: list[str]) -> tuple[int, str]:
    """Exit code and output of the command, run in this process."""
    import contextlib
    import io

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(arguments)
    return code, out.getvalue() if code == 0 else err.getvalue()


def of_file(cases: Callable[[Path], Iterator[tuple[str, Callable[[], list[str]]]]]) -> Callable[[Path], Iterator[Case]]:
    """A suite that is one YAML file: its items as cases."""
    def found(path: Path) -> Iterator[Case]:
        for name, run in cases(path):
            yield Case(f"{path.stem}-{name}", lambda _scratch, run=run: run())
    return found


SUITES: dict[str, Callable[[Path], Iterator[Case]]] = {
    "swf_reference": swf_cases, "slurm_golden": slurm_cases,
    "published_reliability.yaml": of_file(reliability.published_cases),
    "worked_examples.yaml": of_file(reliability.worked_cases),
    "simulator_defaults.yaml": of_file(reliability.default_cases),
}
