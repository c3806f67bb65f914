"""Many runs: every combination of parameters with every seed, on all cores or on any Dask cluster, into one table.

::

    def goodput(gpus, interval_min, seed):
        plan = Plan(gpus=gpus, wall_days=30, checkpoints=Checkpoints.blocking(interval_min * 60, 60))
        return {"goodput": report(simulate(plan, seed)).goodput}

    sweep(goodput, {"gpus": [1024, 16384], "interval_min": [10, 30, 60]}, seeds=100, table="goodput.csv")

The rows stand in the order of the parameters and seeds, whatever finished first, so the same call gives the same file.
Finished runs are kept in a journal beside the table (``goodput.csv.journal``): a sweep that was killed goes on where it
was. By default Dask starts a worker for each core; ``client`` is any ``distributed.Client`` (Slurm through dask-jobqueue,
Kubernetes through dask-kubernetes); ``workers=0`` runs everything in this process, without Dask.
"""
from __future__ import annotations

import csv
import io
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from clustersim.errors import ClusterSimError, InputError
from clustersim.messages import _
from clustersim.units import human_duration

Value = int | float | str | bool | None
Run = Callable[..., Mapping[str, Value]]
Task = tuple[int, dict[str, Value]]  # its place in the table, and what the run is called with
Done = tuple[int, dict[str, Value]]  # its place, and what came out

FORMAT = "clustersim-sweep/1"
LOST_WORKERS = 10  # a batch whose worker died so often is given up: it kills its workers


@dataclass(frozen=True)
class Results:
    """``columns`` are the parameters, ``seed`` and the values; ``resumed`` rows came from an earlier, killed sweep."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    path: Path
    resumed: int

    def dicts(self) -> Iterator[dict[str, Value]]:
        return (dict(zip(self.columns, row, strict=True)) for row in self.rows)


def sweep(run: Run, parameters: Mapping[str, Sequence[Value]], seeds: int | Iterable[int], table: str | Path,
          client: Any = None, workers: int | None = None, progress: bool = True, batch: int | None = None) -> Results:
    """Call ``run(**combination, seed=seed)`` for all combinations and seeds and write ``table`` (CSV).

    ``seeds`` is a number (0 to n-1) or the seeds themselves. ``run`` returns plain values by name, the same names each time.
    ``batch`` runs travel together (a quarter of a worker's share, at most 50, if ``None``).
    :class:`InputError` if the journal beside the table belongs to another sweep or is no journal, and if the table or the
    journal cannot be written (a full disk); what was in the journal stays.
    """
    seeds = range(seeds) if isinstance(seeds, int) else list(seeds)
    names = list(parameters)
    calls: list[dict[str, Value]] = [
        {**dict(zip(names, values, strict=True)), "seed": seed}
        for values in itertools.product(*parameters.values()) for seed in seeds]
    if not calls:
        raise InputError(_("sweep"), {name: len(values) for name, values in parameters.items()}, _("at least one run"))
    path = Path(table)
    with Journal(path.with_name(path.name + ".journal"), _fingerprint(run, parameters, seeds)) as journal:
        resumed = len(journal.done)
        todo: list[Task] = [(i, call) for i, call in enumerate(calls) if i not in journal.done]
        bar = Bar(len(calls), resumed) if progress else None
        for place, values in _results(run, todo, client, workers, batch):
            journal.add(place, values)
            if bar is not None:
                bar.step()
        columns, rows = _rows(calls, [journal.done[i] for i in range(len(calls))])
    _write(path, columns, rows)
    return Results(columns, rows, path, resumed)


def _fingerprint(run: Run, parameters: Mapping[str, Sequence[Value]], seeds: Sequence[int]) -> dict[str, Any]:
    name = getattr(run, "__qualname__", type(run).__qualname__)
    grid = {key: list(values) for key, values in parameters.items()}
    return {"format": FORMAT, "run": name, "parameters": grid, "seeds": list(seeds)}


# --- doing it ---------------------------------------------------------------------------------------------------------

def _results(run: Run, todo: Sequence[Task], client: Any, workers: int | None, batch: int | None) -> Iterator[Done]:
    if workers == 0 and client is None:
        yield from (done for task in todo for done in _do(run, [task]))
        return
    if not todo:
        return
    with ExitStack() as stack:
        if client is None:
            client = stack.enter_context(_local_client(workers))
        size = batch or max(1, min(50, len(todo) // (4 * max(1, len(client.ncores())))))
        yield from _on_dask(run, [todo[i:i + size] for i in range(0, len(todo), size)], client)


def _do(run: Run, tasks: Sequence[Task]) -> list[Done]:
    """What a worker does with a batch."""
    found: list[Done] = []
    for place, call in tasks:
        try:
            found.append((place, dict(run(**call))))
        except Exception as error:
            error.add_note(_("in the run with {call}").format(call=", ".join(f"{k}={v!r}" for k, v in call.items())))
            raise
    return found


def _on_dask(run: Run, batches: Sequence[Sequence[Task]], client: Any) -> Iterator[Done]:
    """Batches as they finish. Dask gives those of a worker that died to another one; what was done there is done again."""
    as_completed = import_module("distributed").as_completed
    futures = [client.submit(_do, run, tasks, pure=False, retries=LOST_WORKERS) for tasks in batches]
    try:
        for future in as_completed(futures):
            yield from future.result()
            future.release()
    finally:
        client.cancel([f for f in futures if not f.done()])


def _local_client(workers: int | None) -> Any:
    """Dask on this machine: one process a core, no dashboard; ends with the sweep."""
    try:
        dask, distributed = import_module("dask"), import_module("distributed")
    except ImportError:
        raise ClusterSimError(_(
            "a sweep on several cores needs Dask: run `{python} -m pip install dask distributed`, or give workers=0 to do "
            "without").format(python=sys.executable)) from None
    dask.config.set({"distributed.scheduler.allowed-failures": LOST_WORKERS})
    scratch = tempfile.TemporaryDirectory(prefix="clustersim-sweep-", ignore_cleanup_errors=True)
    cluster = distributed.LocalCluster(n_workers=workers or os.cpu_count() or 1, threads_per_worker=1, processes=True,
                                       dashboard_address=None, host="127.0.0.1", local_directory=scratch.name)
    client = distributed.Client(cluster)

    class Both:
        def __enter__(self) -> Any:
            return client

        def __exit__(self, *_error: object) -> None:
            client.close()
            cluster.close()
            scratch.cleanup()

    return Both()


# --- keeping it -------------------------------------------------------------------------------------------------------

@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """A full disk or a folder that is read-only, as an error that names the file."""
    try:
        yield
    except OSError as error:
        raise InputError(str(path), error.strerror, _("a place that can be written to"), _(
            "What is in the journal is not lost: once there is room, the same call goes on from there.")) from None


class Journal:
    """Finished runs, a JSON line each, on disk before the next one counts; a line cut by a kill is dropped."""

    def __init__(self, path: Path, fingerprint: Mapping[str, Any]) -> None:
        self.path, self.fingerprint = path, dict(fingerprint)
        self.done: dict[int, dict[str, Value]] = {}
        self._stream: TextIO | None = None

    def __enter__(self) -> Journal:
        with _writing(self.path):
            whole = self._read()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists():
                os.truncate(self.path, whole)
            self._stream = self.path.open("a", encoding="utf-8")
        if not whole:
            self._line(self.fingerprint)
        return self

    def __exit__(self, *_error: object) -> None:
        if self._stream is not None:
            with suppress(OSError):  # each line was flushed when it was written; a full disk has been reported there
                self._stream.close()

    def _read(self) -> int:
        """Take over what is there; returns how many bytes of it are whole lines."""
        whole = 0
        if not self.path.exists():
            return whole
        for number, line in enumerate(self.path.read_bytes().splitlines(keepends=True), 1):
            if not line.endswith(b"\n"):
                break
            entry = self._entry(number, line)
            if whole == 0:
                if json.loads(json.dumps(self.fingerprint)) != entry:
                    raise InputError(str(self.path), {k: entry.get(k) for k in ("run", "seeds")},
                                     _("the journal of this sweep"), _("Delete it, or choose another table."))
            else:
                self.done[entry[0]] = entry[1]
            whole += len(line)
        return whole

    def _entry(self, number: int, line: bytes) -> Any:
        """A whole line of the journal: first what it belongs to, then [place, values] of each run."""
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        run = isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], int) and isinstance(entry[1], dict)
        if not (isinstance(entry, dict) if number == 1 else run):
            raise InputError(_("{file}, line {n}").format(file=self.path, n=number), line[:40].decode(errors="replace"),
                             _("a line that a sweep has written"), _("Delete it, or choose another table."))
        return entry

    def add(self, place: int, values: dict[str, Value]) -> None:
        self._line([place, values])
        self.done[place] = json.loads(json.dumps(values))

    def _line(self, entry: object) -> None:
        assert self._stream is not None
        try:
            text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
        except TypeError as error:
            expected = _("parameters and values that are numbers, texts, True, False or None")
            raise InputError(_("sweep"), error, expected) from None
        with _writing(self.path):
            self._stream.write(text + "\n")
            self._stream.flush()


def _rows(calls: Sequence[Mapping[str, Value]], values: Sequence[Mapping[str, Value]]
          ) -> tuple[tuple[str, ...], tuple[tuple[Value, ...], ...]]:
    names = tuple(values[0])
    for call, found in zip(calls, values, strict=True):
        if set(found) != set(names) or set(names) & set(call):
            raise InputError(_("values of the run with {call}").format(call=dict(call)), sorted(found),
                             _("the same names each time, none of them a parameter"))
    return (*calls[0], *names), tuple((*call.values(), *(found[n] for n in names))
                                      for call, found in zip(calls, values, strict=True))


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    """The table at once: either the old file is there or the whole new one."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([repr(cell) if isinstance(cell, float) else cell for cell in row] for row in rows)
    part = path.with_name(path.name + ".part")
    try:
        with _writing(path):
            part.write_text(text.getvalue(), encoding="utf-8")
            os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


class Bar:
    """A progress bar on standard error: drawn in place on a terminal, else a line at each tenth."""

    WIDTH = 30

    def __init__(self, total: int, done: int = 0, stream: TextIO | None = None) -> None:
        self.total, self.done, self.first = total, done, done
        self.stream = sys.stderr if stream is None else stream
        self.begin = time.monotonic()
        self._shown = -1

    def step(self) -> None:
        self.done += 1
        terminal = self.stream.isatty()
        mark = self.done * (self.WIDTH if terminal else 10) // self.total
        if mark != self._shown:
            self._shown = mark
            self.stream.write(("\r" if terminal else "") + self.text() + ("" if terminal and self.done < self.total else "\n"))
            self.stream.flush()

    def text(self) -> str:
        full = self.done * self.WIDTH // self.total
        passed = time.monotonic() - self.begin
        left = passed / max(1, self.done - self.first) * (self.total - self.done)
        return _("[{bar}] {done} of {total} runs, {time} left").format(
            bar="#" * full + "." * (self.WIDTH - full), done=self.done, total=self.total, time=human_duration(left))
