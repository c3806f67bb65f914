"""GPUs as ``Gres=`` of a node line and as ``gres.conf`` write them.

Source: gres.conf(5) and the ``Gres`` key of slurm.conf(5). slurm.conf says what is scheduled; gres.conf says what a node
really finds. A node that finds less than slurm.conf promises is drained by the controller; what it finds beyond that
is not used.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from clustersim import hostlist
from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.slurm.conffile import Entry, Keys, Notice, Opener, lines_of
from clustersim.slurm.confkeys import GRES_KEYS
from clustersim.slurm.schema import suggest, words

MAX_GPUS = 1024  # as in a workload file; Slurm's own bound is far above any machine
_GRES = re.compile(r"([a-z][\w-]*)((?::\w[\w.+-]*)*?)(?::(\d{1,9})([kmgtp]?))?(?:\([^()]*\))?", re.ASCII | re.IGNORECASE)
_SCALE = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4, "P": 1024**5}
_FLAGS = ("no_consume",)
_FILE_FLAGS = words("countonly explicit one_sharing all_sharing nvidia_gpu_env amd_gpu_env intel_gpu_env opencl_env no_gpu_env")
_NONE = {"", "none", "(null)"}


@dataclass(frozen=True, slots=True)
class Found:
    """One line of gres.conf about GPUs: what the nodes find. ``nodes`` is ``None`` for all nodes."""

    nodes: frozenset[str] | None
    type: str
    count: int


@dataclass(frozen=True, slots=True)
class GresConf:
    """``lines`` in the order of the file; with ``detect`` the nodes ask their hardware and find what there is."""

    lines: tuple[Found, ...] = ()
    detect: bool = False

    def finds(self, node: str) -> dict[str, int]:
        """The GPUs by type that ``node`` would find."""
        found: dict[str, int] = {}
        for line in self.lines:
            if line.nodes is None or node in line.nodes:
                found[line.type] = found.get(line.type, 0) + line.count
        return found


def node_gres(entry: Entry, types: Iterable[str], keys: Keys) -> tuple[int, str]:
    """(GPUs, their type) of a node's ``Gres``; other resources leave a notice, as only GPUs are scheduled here."""
    gpus: dict[str, int] = {}
    known = list(types)
    for word in _split(entry.value) if entry.value.lower() not in _NONE else ():
        match = _GRES.fullmatch(word)
        if not match:
            raise entry.wrong(_("NAME[:TYPE][:COUNT] between commas, such as gpu:a100:8"))
        name, middle = match[1].lower(), [part for part in match[2].split(":") if part]
        if name not in known:
            raise entry.wrong(_("a resource that GresTypes lists ({types})").format(types=", ".join(known) or _("none")),
                              suggest(name, known))
        plain = [part for part in middle if part.lower() not in _FLAGS]
        if len(plain) > 1:
            raise entry.wrong(_("NAME[:TYPE][:COUNT] between commas, such as gpu:a100:8"))
        count = int(match[3] or 1) * _SCALE[(match[4] or "").upper()]
        if name != "gpu" or len(plain) < len(middle):
            keys.left_out(entry, word)
        elif count > MAX_GPUS:
            raise entry.wrong(_("at most {count} GPUs").format(count=MAX_GPUS))
        else:
            kind = plain[0] if plain else ""
            gpus[kind] = gpus.get(kind, 0) + count
    if len(gpus) > 1:
        text = _("GPUs of several types on one node are counted together here, without a type.")
        keys.notices.append(Notice(entry.where, text))
        return sum(gpus.values()), ""
    return next(((count, kind) for kind, count in gpus.items()), (0, ""))


def _split(text: str) -> list[str]:
    """The parts between commas that stand outside parentheses."""
    return [part.strip() for part in re.split(r",(?![^()]*\))", text) if part.strip()]


def parse_gres_conf(text: str, known: Mapping[str, object], types: Iterable[str], notices: list[Notice],
                    opener: Opener | None = None, file: str = "gres.conf") -> GresConf:
    """``text`` of a gres.conf for the nodes ``known``; :class:`InputError` names file, line and key."""
    keys = Keys.of("gres.conf", GRES_KEYS, notices, CPUs="Cores", Files="File", Link="Links")
    lines: list[Found] = []
    detect = False
    for entries in lines_of(text, file, opener):
        record = keys.record(entries)
        detect = _detects(record) or detect
        if set(record) <= {"AutoDetect", "NodeName"}:
            continue
        name = record.get("Name")
        if name is None:
            raise InputError(entries[0].where, entries[0].value, _("Name=gpu (or another of GresTypes) in the line"))
        if name.value.lower() not in types:
            raise name.wrong(_("a resource that GresTypes lists ({types})").format(types=", ".join(types) or _("none")),
                             suggest(name.value, types))
        _check_texts(record)
        count = _count(record)
        nodes = _nodes(record.get("NodeName"), known)
        if name.value.lower() != "gpu":
            keys.left_out(name)
        else:
            lines.append(Found(nodes, _type(record), count))
    return GresConf(tuple(lines), detect)


def _detects(record: Mapping[str, Entry]) -> bool:
    entry = record.get("AutoDetect")
    if entry is None:
        return False
    options = ("nvml", "nvidia", "rsmi", "oneapi", "nrt", "off")
    if entry.value.lower() not in options:
        raise entry.wrong(_("one of {options}").format(options=", ".join(options)), suggest(entry.value, options))
    return entry.value.lower() != "off"


def _check_texts(record: Mapping[str, Entry]) -> None:
    """Refuse what gres.conf(5) does not name, also where it has no effect here."""
    if "Flags" in record:
        for word in record["Flags"].words():
            if word.lower() not in _FILE_FLAGS:
                raise record["Flags"].wrong(_("one of {options}").format(options=", ".join(sorted(_FILE_FLAGS))),
                                            suggest(word, _FILE_FLAGS))
    if "Links" in record and not re.fullmatch(r"(-[12]|\d{1,9})(,(-[12]|\d{1,9}))*", record["Links"].value, re.ASCII):
        raise record["Links"].wrong(_("numbers of links, with -1 for the device itself, such as -1,4"))
    for part in record["Cores"].words() if "Cores" in record else ():
        match = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9})(:\d{1,9})?)?", part, re.ASCII)
        if not match or int(match[1]) > int(match[2] or match[1]):
            raise record["Cores"].wrong(_("core numbers such as 0-7,16"))


def _type(record: Mapping[str, Entry]) -> str:
    entry = record.get("Type")
    if entry is None:
        return ""
    if not re.fullmatch(r"\w[\w.+-]*", entry.value, re.ASCII):
        raise entry.wrong(_("a word of letters and digits, such as a100"))
    return entry.value


def _count(record: Mapping[str, Entry]) -> int:
    """``Count``, or as many as ``File`` names; both given must agree (gres.conf(5))."""
    file, count = record.get("File"), record.get("Count")
    names = hostlist.expand(file.value, file.where) if file else []
    several = record.get("MultipleFiles")
    for entry in filter(None, (file, several)):
        if not all(name.startswith("/") for name in hostlist.expand(entry.value, entry.where)):
            raise entry.wrong(_("full paths of devices, such as /dev/nvidia[0-7]"))
    if count is None:
        return len(names) or 1
    number = count.number(low=1, high=MAX_GPUS) if record["Name"].value.lower() == "gpu" else 0
    if number and names and "MultipleFiles" not in record and number != len(names):
        raise count.wrong(_("{count}, the devices that File names").format(count=len(names)))
    return number


def _nodes(entry: Entry | None, known: Mapping[str, object]) -> frozenset[str] | None:
    if entry is None:
        return None
    names = hostlist.expand(entry.value, entry.where)
    for name in names:
        if name not in known:
            raise InputError(entry.where, name, _("a node of slurm.conf"), suggest(name, known))
    return frozenset(names)
