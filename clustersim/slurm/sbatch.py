"""A batch script with its ``#SBATCH`` lines as the job it submits.

Source: sbatch(1). The script begins with ``#!``; ``#SBATCH`` lines count up to the first command; options stand as
``--name=value``, ``--name value``, ``-n value`` or ``-nvalue``. What only concerns files, mail and binding is passed
over. The script does not say how long its work takes: ``run`` does, in seconds.
"""
from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clustersim import hostlist, units
from clustersim.cluster import Cluster
from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.slurm.accounts import Accounting
from clustersim.slurm.conffile import Entry, Notice, not_modelled, read_text
from clustersim.slurm.requests import MAX_COUNT, JobSpec, read_job
from clustersim.slurm.sbatchoptions import FLAGS, NOT_MODELLED, OPTIONAL, PASSED_OVER, READ, SHORT
from clustersim.slurm.schema import Section, suggest
from clustersim.slurm.settings import Settings

MARK = "#SBATCH"
ALL_OPTIONS = frozenset(READ) | PASSED_OVER | NOT_MODELLED


@dataclass(frozen=True, slots=True)
class Script:
    """The job that a script asks for; ``notices`` is what the reader should know."""

    spec: JobSpec
    notices: tuple[Notice, ...] = ()


class _Options(Section):
    """A job's keys with the line each comes from, so that errors name the script's line and option."""

    def __init__(self, data: dict[str, Any], file: str, entries: dict[str, Entry]) -> None:
        self.entries = entries
        super().__init__(data, file, "")

    def where(self, key: str = "") -> str:
        entry = self.entries.get(key)
        return entry.where if entry else super().where(key)


def read_script(path: str | Path, cluster: Cluster, settings: Settings, **job: Any) -> Script:
    """:func:`parse_script` of the file ``path``."""
    path = Path(path)
    return parse_script(read_text(path, _("a readable batch script")), cluster, settings, file=path.name, **job)


def parse_script(text: str, cluster: Cluster, settings: Settings, accounting: Accounting | None = None, *,
                 id: str = "job", user: str = "alice", run: int = 0, at: int = 0, file: str = "job.sh",
                 before: dict[str, JobSpec] | None = None) -> Script:
    """The job of ``text``, submitted by ``user`` at ``at`` seconds; ``before`` are jobs a dependency may name.

    :class:`~clustersim.errors.InputError` names file, line and option. A later option overrides an earlier one.
    """
    notices: list[Notice] = []
    data: dict[str, Any] = {"id": id, "at": at, "user": user, "run_s": run}
    entries: dict[str, Entry] = {}
    most = 0
    for entry in _entries(text, file, notices):
        name = entry.key.removeprefix("--")
        if name in NOT_MODELLED:
            notices.append(not_modelled(entry))
        if name not in READ:
            continue
        key = READ[name]
        if name == "nodes":
            least, most = _nodes(entry)
            data[key] = least
        else:
            data[key] = _value(name, entry)
        entries[key] = entry
    data["extra_args"] = [f"--{name}={data.pop(key)}" for name, key in _GPU_TEXTS.items() if key in data]
    entries["extra_args"] = next((entries[key] for key in _GPU_TEXTS.values() if key in entries), Entry("", "", file, 1))
    _only_known(data, entries, cluster)
    item = _Options(data, file, entries)
    spec = read_job(item, cluster, settings, accounting or Accounting(), before or {})
    if most > spec.min_nodes:
        spec = replace(spec, max_nodes=most)
    return Script(spec, tuple(notices))


_GPU_TEXTS = {"gres": "gres", "gpus": "typed_gpus", "gpus-per-node": "typed_gpus_per_node"}


def _entries(text: str, file: str, notices: list[Notice]) -> Iterator[Entry]:
    """The options in the order of the script, each with its line; ``key`` is the long form, ``--nodes``."""
    lines = text.split("\n")
    if not lines[0].startswith("#!"):
        raise InputError(_("{file}, line {line}").format(file=file, line=1), lines[0].rstrip(),
                         _("#! and the path of an interpreter, such as #!/bin/bash"))
    begun = False
    for number, line in enumerate(lines[1:], 2):
        line = line.rstrip("\r")
        if line.startswith(MARK) and (len(line) == len(MARK) or line[len(MARK)].isspace()):
            if begun:
                where = _("{file}, line {line}").format(file=file, line=number)
                notices.append(Notice(where, _("this #SBATCH line stands behind the first command, so sbatch ignores it.")))
                continue
            yield from _words(line[len(MARK):], file, number)
        elif line.strip() and not line.startswith("#"):
            begun = True


def _words(text: str, file: str, line: int) -> Iterator[Entry]:
    where = _("{file}, line {line}").format(file=file, line=line)
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        raise InputError(where, text.strip(), _("quotation marks in pairs")) from None
    place = 0
    while place < len(words):
        name, value = _option(words[place], where)
        place += 1
        entry = Entry(f"--{name}", value or "", file, line)
        if value is None and name not in FLAGS and name not in OPTIONAL:
            if place >= len(words) or re.match(r"-[A-Za-z-]", words[place]):
                raise InputError(entry.where, words[place - 1], _("a value, as in {option}=VALUE").format(option=entry.key))
            entry = replace(entry, value=words[place])
            place += 1
        elif value is not None and name in FLAGS:
            raise entry.wrong(_("{option} without a value").format(option=entry.key))
        yield entry


def _option(word: str, where: str) -> tuple[str, str | None]:
    """(long name, value or ``None``) of ``--name[=value]`` or ``-n[value]``."""
    if word.startswith("--"):
        name, sign, value = word[2:].partition("=")
        if name not in ALL_OPTIONS:
            raise InputError(where, f"--{name}", _("an option of sbatch"), _hint(name))
        return name, value if sign else None
    if len(word) > 1 and word.startswith("-"):
        if word[1] not in SHORT:
            raise InputError(where, word[:2], _("an option of sbatch"))
        return SHORT[word[1]], word[2:] or None
    raise InputError(where, word, _("an option of sbatch, such as --nodes=2"))


def _hint(name: str) -> str:
    return suggest(f"--{name}", [f"--{option}" for option in ALL_OPTIONS])


def _nodes(entry: Entry) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", entry.value, re.ASCII)
    least, most = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= least <= most <= MAX_COUNT:
        raise entry.wrong(_("a count of nodes, or LEAST-MOST"))
    return least, most


_COUNTS = {"ntasks", "ntasks-per-node", "cpus-per-task", "gpus-per-task"}


def _value(name: str, entry: Entry) -> Any:
    """The value as a workload file writes it; :func:`read_job` checks what depends on the cluster."""
    if name in _COUNTS:
        return entry.number(low=1, high=MAX_COUNT)
    if name == "time":
        minutes = units.parse_slurm_minutes(entry.value, entry.where)
        if minutes is not None and not 1 <= minutes <= 10 * 365 * 24 * 60:
            raise entry.wrong(_("a time limit of a minute or more, at most ten years"))
        return minutes
    if name == "nice":
        if not re.fullmatch(r"-?\d{1,10}|", entry.value, re.ASCII):
            raise entry.wrong(_("a whole number"))
        return int(entry.value or 100)  # a plain --nice means 100 (sbatch(1))
    if name in {"hold", "requeue", "no-requeue"}:
        return name != "no-requeue"
    if name == "exclusive":
        if entry.value not in {"", "user"}:
            raise entry.wrong(_("--exclusive or --exclusive=user"))
        return entry.value or True
    if name in {"gpus", "gpus-per-node", "gres"}:
        return _gpus(name, entry)
    if not entry.value:
        raise entry.wrong(_("a value, as in {option}=VALUE").format(option=entry.key))
    return entry.value


def _gpus(name: str, entry: Entry) -> str:
    pattern = r"gpu(:[A-Za-z][\w-]*)?(:\d{1,9})?" if name == "gres" else r"([A-Za-z][\w-]*:)?\d{1,9}"
    number = entry.value.rpartition(":")[2]
    if not re.fullmatch(pattern, entry.value, re.ASCII) or (number.isdigit() and int(number) > MAX_COUNT):
        raise entry.wrong("gpu[:TYPE][:COUNT]" if name == "gres" else "[TYPE:]COUNT")
    return entry.value


def _only_known(data: dict[str, Any], entries: dict[str, Entry], cluster: Cluster) -> None:
    """A host list may name only nodes of the cluster; thousands of them are not compared for a suggestion."""
    for key in ("nodelist", "exclude"):
        for name in hostlist.expand(data[key], entries[key].where) if key in data else ():
            if name not in cluster.index:
                raise InputError(entries[key].where, name, _("a node of the cluster"))
