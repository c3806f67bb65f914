"""A batch script with its ``#SBATCH`` lines as the job it submits.

Source: sbatch(1), ``src/sbatch/opt.c`` (lines and words) and ``src/common/slurm_opt.c`` (values). The script begins with
``#!``; ``#SBATCH`` lines count up to the first command; options stand as ``--name=value``, ``--name value``, ``-n value``,
``-nvalue``, and short ones without a value in one word; unlike sbatch this takes no shortened name of a long option. What
only concerns files, mail and binding is passed over. The script does not say how long its work takes: ``run`` does, in
seconds.
"""
from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clustersim import hostlist, units
from clustersim.cluster import Cluster
from clustersim.errors import InputError, UnsupportedError
from clustersim.messages import _
from clustersim.slurm.accounts import Accounting
from clustersim.slurm.conffile import Entry, Notice, not_modelled, read_text
from clustersim.slurm.features import parse_constraint
from clustersim.slurm.requests import MAX_COUNT, JobSpec, read_job
from clustersim.slurm.sbatchoptions import FLAGS, NOT_MODELLED, OPTIONAL, OTHER_NAMES, PASSED_OVER, READ, SHORT, VALUES
from clustersim.slurm.schema import Section, suggest
from clustersim.slurm.settings import Settings

MARK, OLD_MARK = "#SBATCH", "#SLURM"
ALL_OPTIONS = frozenset(READ) | PASSED_OVER | NOT_MODELLED | frozenset(OTHER_NAMES)
UNLIMITED = 365 * 24 * 60  # minutes: the year for which Slurm plans a job without a limit


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
    return parse_script(read_text(path, _("a readable batch script"), mark=True), cluster, settings, file=path.name, **job)


def parse_script(text: str, cluster: Cluster, settings: Settings, accounting: Accounting | None = None, *,
                 id: str = "job", user: str = "alice", run: int = 0, at: int = 0, file: str = "job.sh",
                 before: dict[str, JobSpec] | None = None) -> Script:
    """The job of ``text``, submitted by ``user`` at ``at`` seconds; ``before`` are jobs a dependency may name.

    :class:`~clustersim.errors.InputError` names file, line and option. A later option overrides an earlier one.
    """
    notices: list[Notice] = []
    data: dict[str, Any] = {"id": id, "at": at, "user": user, "run_s": run}
    entries: dict[str, Entry] = {}
    for entry in _entries(text, file, notices):
        name = entry.key.removeprefix("--")
        name = OTHER_NAMES.get(name, name)
        _check(name, entry)
        if name in NOT_MODELLED or (name == "requeue" and entry.value):
            notices.append(not_modelled(entry))
        if name not in READ or (name == "gres" and entry.value.lower() == "none"):
            continue
        if accounting is None and name in {"account", "qos"} and entry.value:
            text = _("{what} is left out: no accounts and QOS are known here.")
            notices.append(Notice(entry.where, text.format(what=f"{entry.key}={entry.value}")))
            continue
        key = READ[name]
        if name == "nodes":
            least, most = _nodes(entry)
            data[key] = least if least == most else f"{least}-{most}"
        else:
            data[key] = _value(name, entry, notices)
        entries[key] = entry
    data["extra_args"] = [f"--{name}={data.pop(key)}" for name, key in _GPU_TEXTS.items() if key in data]
    entries["extra_args"] = next((entries[key] for key in _GPU_TEXTS.values() if key in entries), Entry("", "", file, 1))
    _only_known(data, entries, cluster)
    item = _Options(data, file, entries)
    spec = read_job(item, cluster, settings, accounting or Accounting(), before or {})
    return Script(spec, tuple(notices))


_GPU_TEXTS = {"gres": "gres", "gpus": "typed_gpus", "gpus-per-node": "typed_gpus_per_node"}


def _entries(text: str, file: str, notices: list[Notice]) -> Iterator[Entry]:
    """The options in the order of the script, each with its line; ``key`` is the long form, ``--nodes``."""
    lines = text.split("\n")
    _as_sbatch_takes(lines, file)
    begun = False
    for number, line in enumerate(lines[1:], 2):
        marked = line.startswith((MARK, OLD_MARK))
        if marked and begun:
            where = _("{file}, line {line}").format(file=file, line=number)
            notices.append(Notice(where, _("this #SBATCH line stands behind the first command, so sbatch ignores it.")))
        elif marked:
            yield from _words(line[len(MARK if line.startswith(MARK) else OLD_MARK) :], file, number)
        elif line.strip() and not line.lstrip().startswith("#"):
            begun = True


def _as_sbatch_takes(lines: list[str], file: str) -> None:
    """sbatch refuses a script without ``#!``, with a NUL character or with the line ends of DOS (``sbatch.c``)."""
    def refuse(line: int, found: str, expected: str, remedy: str = "") -> InputError:
        return InputError(_("{file}, line {line}").format(file=file, line=line), found, expected, remedy)

    if not lines[0].startswith("#!"):
        remedy = _("Save the file without a byte order mark.") if lines[0].startswith("\ufeff") else ""
        raise refuse(1, lines[0].rstrip(), _("#! and the path of an interpreter, such as #!/bin/bash"), remedy)
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            raise refuse(number, line, _("text without the character NUL"))
        if line.endswith("\r"):
            remedy = _("dos2unix, or \"save with LF\" in an editor, mends the file.")
            raise refuse(number, line, _("lines that end as in Unix, not as in DOS (CR LF)"), remedy)


def _words(text: str, file: str, line: int) -> Iterator[Entry]:
    where = _("{file}, line {line}").format(file=file, line=line)
    words = _split(text, where)
    if words and words[0].lower() in {"hetjob", "packjob"}:
        raise UnsupportedError(where, words[0])
    place = 0
    while place < len(words):
        options = list(_options(words[place], where))
        place += 1
        for name, value in options:
            entry = Entry(f"--{name}", value or "", file, line)
            if value is None and name not in FLAGS and name not in OPTIONAL:
                if place >= len(words) or re.match(r"-[A-Za-z-]", words[place]):
                    raise InputError(entry.where, words[place - 1], _("a value, as in {option}=VALUE").format(option=entry.key))
                entry = replace(entry, value=words[place])
                place += 1
            elif value is not None and name in FLAGS:
                raise entry.wrong(_("{option} without a value").format(option=entry.key))
            yield entry


def _split(text: str, where: str) -> list[str]:
    """The words of a line: quoted parts may hold blanks, a backslash shields any character but a blank outside of them,
    ``#`` begins a comment (``get_argument`` in ``src/sbatch/opt.c``)."""
    words: list[str] = []
    word, quote, shielded = "", "", False
    for char in f"{text} ":
        if shielded and (quote or not char.isspace()):
            word, shielded = word + char, False
        elif char == "\\":
            shielded = True
        elif quote:
            word, quote = (word, "") if char == quote else (word + char, quote)
        elif char in "\"'":
            quote = char
        elif char == "#" or char.isspace():
            words += [word] if word else []
            word, shielded = "", False
            if char == "#":
                break
        else:
            word += char
    if quote:
        raise InputError(where, text.strip(), _("quotation marks in pairs"))
    return [*words, word.rstrip()] if word.strip() else words


def _options(word: str, where: str) -> Iterator[tuple[str, str | None]]:
    """(long name, value or ``None``) of ``--name[=value]`` or ``-n[value]``; ``-Hv`` is two options."""
    if word.startswith("--"):
        name, sign, value = word[2:].partition("=")
        if name not in ALL_OPTIONS:
            raise InputError(where, f"--{name}", _("an option of sbatch"), _hint(name))
        yield name, value if sign else None
        return
    if len(word) < 2 or word[0] != "-":
        raise InputError(where, word, _("an option of sbatch, such as --nodes=2"))
    rest = word[1:]
    while rest:
        if rest[0] not in SHORT:
            raise InputError(where, f"-{rest[0]}", _("an option of sbatch"))
        name, rest = SHORT[rest[0]], rest[1:]
        yield name, (rest or None) if name not in FLAGS else None
        rest = rest if name in FLAGS else ""


def _check(name: str, entry: Entry) -> None:
    """Refuse what sbatch itself would, of an option that has no effect here."""
    if name in {"time-min", "delay-boot"}:
        units.parse_slurm_minutes(entry.value, entry.where)
    if name in {"batch", "prefer"} and entry.value:
        parse_constraint(entry.value, entry.where)
    pattern, expected = VALUES.get(name, (r".+" if name in NOT_MODELLED - FLAGS - OPTIONAL else r".*", ""))
    if not re.fullmatch(pattern, entry.value, re.DOTALL):
        raise entry.wrong(_(expected) if expected else _("a value, as in {option}=VALUE").format(option=entry.key))


def _hint(name: str) -> str:
    return suggest(f"--{name}", [f"--{option}" for option in ALL_OPTIONS])


def _nodes(entry: Entry) -> tuple[int, int]:
    if re.fullmatch(r"\d+(-\d+(:\d+)?)?(,\d+(-\d+(:\d+)?)?)*", entry.value, re.ASCII) and re.search("[,:]", entry.value):
        raise UnsupportedError(entry.where, f"--nodes={entry.value}")
    match = re.fullmatch(r"(\d{1,9})(k?)(?:-(\d{1,9})(k?))?", entry.value, re.ASCII | re.IGNORECASE)
    least = int(match[1]) * (1024 if match[2] else 1) if match else 0
    most = int(match[3]) * (1024 if match[4] else 1) if match and match[3] else least
    if not 1 <= least <= most <= MAX_COUNT:
        raise entry.wrong(_("a count of nodes, or LEAST-MOST"))
    return least, most


_COUNTS = {"ntasks", "ntasks-per-node", "cpus-per-task", "gpus-per-task"}


def _value(name: str, entry: Entry, notices: list[Notice]) -> Any:
    """The value as a workload file writes it; :func:`read_job` checks what depends on the cluster."""
    if name in _COUNTS:
        return entry.number(low=1, high=MAX_COUNT)
    if name == "time":
        minutes = units.parse_slurm_minutes(entry.value, entry.where) or UNLIMITED  # 0 asks for no limit (sbatch(1))
        if minutes > 10 * UNLIMITED:
            raise entry.wrong(_("a time limit of at most ten years"))
        return minutes
    if name == "nice":
        if not re.fullmatch(r"-?\d{1,10}|", entry.value, re.ASCII):
            raise entry.wrong(_("a whole number"))
        return int(entry.value or 100)  # a plain --nice means 100 (sbatch(1))
    if name in {"hold", "requeue", "no-requeue"}:
        return name != "no-requeue"
    if name == "exclusive":
        word = entry.value.lower()
        if word not in {"", "user", "exclusive", "allocation", "mcs", "topo", "oversubscribe"}:
            raise entry.wrong(_("--exclusive or --exclusive=user"))
        if word in {"mcs", "topo", "oversubscribe"}:
            notices.append(not_modelled(entry))
            return False
        return "user" if word == "user" else True
    if name in {"gpus", "gpus-per-node", "gres"}:
        return _gpus(name, entry, notices)
    if not entry.value:
        raise entry.wrong(_("a value, as in {option}=VALUE").format(option=entry.key))
    return entry.value


def _gpus(name: str, entry: Entry, notices: list[Notice]) -> str:
    """The GPUs asked for; what else a list of resources names leaves a notice."""
    words = entry.words() if name == "gres" else [entry.value]
    if name != "gres" and re.fullmatch(r"[A-Za-z0-9][\w.+-]*:\d{1,9}(,[A-Za-z0-9][\w.+-]*:\d{1,9})+", entry.value, re.ASCII):
        raise UnsupportedError(entry.where, _("GPUs of several types in one job"))
    wanted = [word for word in words if word.partition(":")[0] == "gpu"] or [entry.value]
    if len(wanted) > 1:
        raise UnsupportedError(entry.where, _("GPUs of several types in one job"))
    for word in words:
        if word not in wanted and len(words) > 1:
            notices.append(not_modelled(entry, word))
    pattern = r"gpu(:[A-Za-z0-9][\w.+-]*)??(:\d{1,9})?" if name == "gres" else r"([A-Za-z0-9][\w.+-]*:)?\d{1,9}"
    number = wanted[0].rpartition(":")[2]
    if not re.fullmatch(pattern, wanted[0], re.ASCII) or (number.isdigit() and int(number) > MAX_COUNT):
        raise entry.wrong("gpu[:TYPE][:COUNT]" if name == "gres" else "[TYPE:]COUNT")
    return wanted[0]


def _only_known(data: dict[str, Any], entries: dict[str, Entry], cluster: Cluster) -> None:
    """A host list may name only nodes of the cluster; thousands of them are not compared for a suggestion."""
    for key in ("nodelist", "exclude"):
        for name in hostlist.expand(data[key], entries[key].where) if key in data else ():
            if name not in cluster.index:
                raise InputError(entries[key].where, name, _("a node of the cluster"))
