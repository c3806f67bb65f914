"""Jobs to run: the table of a workload, the Standard Workload Format (SWF) reader, and a seeded generator.

SWF: one job a line, 18 fields, comments begin with ``;`` (Parallel Workloads Archive, version 2.2). How a line is read
here is written down with the reference schedules, ``tests/golden/swf_reference/README.md``.
"""
from __future__ import annotations

import gzip
import math
import random
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from clustersim.errors import InputError
from clustersim.messages import N_, _

FIELDS = (
    "job number", "submit time", "wait time", "run time", "allocated processors", "average CPU time", "used memory",
    "requested processors", "requested time", "requested memory", "status", "user id", "group id", "executable",
    "queue", "partition", "preceding job", "think time",
)
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[-+]?\d+", re.ASCII)
_WHOLE_FIELDS = {0, 1, 4, 7}  # a fraction of a second may stand in the others, never in these


@dataclass(slots=True)
class JobTable:
    """Jobs as columns in queue order (by submission, then as given). Times in whole seconds.

    ``ids``, ``submit``, ``cores``, ``runtime`` (at most ``limit``) and ``limit`` have one entry a job; ``dropped``
    counts the jobs that can never run here, by reason, and ``cut`` the lines (dropped ones too) whose run time is above
    their limit.
    """

    ids: list[int] = field(default_factory=list)
    submit: list[int] = field(default_factory=list)
    cores: list[int] = field(default_factory=list)
    runtime: list[int] = field(default_factory=list)
    limit: list[int] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    cut: int = 0

    def __len__(self) -> int:
        return len(self.ids)

    def append(self, job: int, submit: int, cores: int, runtime: int, limit: int) -> None:
        self.ids.append(job)
        self.submit.append(submit)
        self.cores.append(cores)
        self.runtime.append(runtime)
        self.limit.append(limit)

    def sort(self) -> None:
        """Put the jobs into queue order; equal submissions keep the order in which they were given."""
        submit = self.submit
        if any(a > b for a, b in zip(submit, submit[1:], strict=False)):
            order = sorted(range(len(submit)), key=submit.__getitem__)
            for name in ("ids", "submit", "cores", "runtime", "limit"):
                column = getattr(self, name)
                setattr(self, name, [column[i] for i in order])


def read_swf(path: str | Path, cores: int, progress: Callable[[int], None] | None = None) -> JobTable:
    """The jobs of an SWF log (plain or gzip) that fit a machine of ``cores`` cores.

    ``progress`` is called with the number of lines read, now and then. Raises :class:`InputError` naming file, line,
    field and what was expected.
    """
    table = JobTable()
    no_size = too_large = cut = count = 0
    ids, submits, sizes, runtimes, limits = table.ids, table.submit, table.cores, table.runtime, table.limit
    for count, line in enumerate(_lines(Path(path)), 1):
        x = line.split()
        if not x or x[0][:1] == b";":
            continue
        if len(x) == 18 and not line.translate(None, b"0123456789- \t\r\n"):
            try:
                v = list(map(int, x))
            except ValueError:
                v = _careful(path, count, x)
        else:
            v = _careful(path, count, x)
        job, submit, _wait, runtime, size, _cpu, _memory, asked, limit = v[:9]
        if asked > 0:
            size = asked
        if limit <= 0:
            limit = runtime if runtime > 1 else 1
        elif runtime > limit:
            runtime = limit
            cut += 1
        if runtime < 0 or size <= 0:
            no_size += 1
        elif size > cores:
            too_large += 1
        else:
            ids.append(job)
            submits.append(submit)
            sizes.append(size)
            runtimes.append(runtime)
            limits.append(limit)
        if progress and not count % 50_000:
            progress(count)
    table.dropped = {N_("no run time or size"): no_size, N_("larger than the machine"): too_large}
    table.cut = cut
    table.sort()
    return table


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as probe:
            packed = probe.read(2) == b"\x1f\x8b"
        with _opened(path, packed) as stream:
            yield from stream
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(str(path), str(error), _("a whole gzip file"), _("Copy the file again")) from None
    except OSError as error:
        raise InputError(str(path), error.strerror or str(error), _("an SWF log that can be read")) from None


def _opened(path: Path, packed: bool) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if packed else path.open("rb")


def _careful(path: str | Path, line: int, x: list[bytes]) -> list[int]:
    """The fields of a line that is not 18 plain whole numbers: as numbers, or an error that says which is wrong."""
    words = [word.decode("utf-8", "replace") for word in x]
    if len(words) != 18:
        raise InputError(_("{file}, line {line}").format(file=path, line=line), " ".join(words),
                         _("18 fields, not {n}").format(n=len(words)), _("A comment begins with ;"))
    return [_field(path, line, word, i) for i, word in enumerate(words)]


def _field(path: str | Path, line: int, word: str, i: int) -> int:
    form, expected = (_WHOLE, _("a whole number")) if i in _WHOLE_FIELDS else (_NUMBER, _("a number"))
    if form.fullmatch(word) and math.isfinite(float(word)):
        return int(word) if _WHOLE.fullmatch(word) else int(float(word))
    where = _("{file}, line {line}, field {n} ({name})").format(file=path, line=line, n=i + 1, name=FIELDS[i])
    raise InputError(where, word, expected)


def generate(jobs: int, cores: int, load: float, over_ask: float = 3.0, seed: int = 1) -> JobTable:
    """A seeded workload for lessons: ``jobs`` jobs that offer ``load`` (0 to 1) to a pool of ``cores`` cores.

    Sizes are powers of two up to half the pool, run times log-uniform from 5 minutes to 8 hours, arrivals Poisson; a
    user asks for between one and ``2 * over_ask - 1`` times the true run time (``over_ask`` on average), rounded up
    to 5 minutes. The shapes are assumptions of this book, made to show queueing; they are not fitted to a machine.
    """
    rng = random.Random(seed)
    top = max(0, int(math.log2(max(1, cores // 2))))
    drawn = []
    for _i in range(jobs):
        size = 2 ** rng.randint(0, top)
        runtime = int(math.exp(rng.uniform(math.log(300), math.log(28_800))))
        asked = runtime * (1 + 2 * (over_ask - 1) * rng.random())
        drawn.append((size, runtime, -(-int(asked) // 300) * 300))
    area = sum(size * runtime for size, runtime, _limit in drawn)
    gap = area / (load * cores) / max(1, jobs)
    table, clock = JobTable(), 0.0
    for i, (size, runtime, limit) in enumerate(drawn, 1):
        table.append(i, int(clock), size, runtime, limit)
        clock += rng.expovariate(1.0) * gap
    return table
