"""Slurm host lists: ``n[1-3,7]`` to names and back.

Own module because the public ones are GPL or not pure Python. Zero padding is kept, several brackets multiply, the
last one runs fastest, and commas outside brackets join lists (facts: scontrol(1), ``show hostnames``).
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from clustersim.errors import InputError

_BRACKET = re.compile(r"\[([^\[\]]*)\]")
_RANGE = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?")
_TAIL = re.compile(r"(.*?)(\d+)$")
MAX_HOSTS = 65_536


def expand(text: str, where: str = "host list") -> list[str]:
    """The names of a host list, in the order written.

    >>> expand("g[01-03],lx7")
    ['g01', 'g02', 'g03', 'lx7']
    """
    names: list[str] = []
    for part in _split(text, where):
        names.extend(_expand_one(part, where))
        if len(names) > MAX_HOSTS:
            raise InputError(where, text, f"at most {MAX_HOSTS} hosts")
    return names


def _split(text: str, where: str) -> Iterator[str]:
    depth, begin = 0, 0
    for i, char in enumerate(text):
        if char == "[":
            depth += 1
        elif char == "]":
            depth -= 1
        elif char == "," and depth == 0:
            yield _part(text[begin:i], text, where)
            begin = i + 1
        if depth not in (0, 1):
            raise InputError(where, text, "brackets in pairs, one level deep, such as n[1-3,7]")
    if depth:
        raise InputError(where, text, "a closing bracket")
    yield _part(text[begin:], text, where)


def _part(part: str, text: str, where: str) -> str:
    if not part.strip():
        raise InputError(where, text, "names such as n1 or n[1-3,7], with one comma between them")
    return part.strip()


def _expand_one(part: str, where: str) -> list[str]:
    match = _BRACKET.search(part)
    if not match:
        return [part]
    head, tails = part[: match.start()], _expand_one(part[match.end():], where) if match.end() < len(part) else [""]
    numbers: list[str] = []
    for item in match[1].split(","):
        span = _RANGE.fullmatch(item.strip())
        if not span:
            raise InputError(where, part, "numbers or ranges in brackets, such as [1-3,7]")
        low, high = span[1], span[2] or span[1]
        if int(high) < int(low):
            raise InputError(where, part, f"a range that rises, not {item.strip()}")
        if int(high) - int(low) >= MAX_HOSTS:
            raise InputError(where, part, f"at most {MAX_HOSTS} hosts")
        width = len(low) if low.startswith("0") or len(low) == len(high) else 0
        numbers.extend(str(n).zfill(width) for n in range(int(low), int(high) + 1))
        if len(numbers) * len(tails) > MAX_HOSTS:
            raise InputError(where, part, f"at most {MAX_HOSTS} hosts")
    return [f"{head}{n}{tail}" for n in numbers for tail in tails]


def compress(names: Iterable[str]) -> str:
    """The short form of ``names``, sorted within each prefix as ``scontrol show hostlist`` prints allocations.

    >>> compress(["n3", "n1", "n2", "gpu1"])
    'gpu1,n[1-3]'
    """
    groups: dict[tuple[str, int], set[int]] = {}
    plain: set[str] = set()
    for name in names:
        match = _TAIL.fullmatch(name)
        if not match:
            plain.add(name)
            continue
        width = len(match[2]) if match[2].startswith("0") else 0
        groups.setdefault((match[1], width), set()).add(int(match[2]))
    out = sorted(plain)
    for (head, width), numbers in groups.items():
        spans = _spans(sorted(numbers))
        texts = [str(a).zfill(width) if a == b else f"{str(a).zfill(width)}-{str(b).zfill(width)}" for a, b in spans]
        single = len(texts) == 1 and spans[0][0] == spans[0][1]
        out.append(head + texts[0] if single else f"{head}[{','.join(texts)}]")
    return ",".join(sorted(out))


def _spans(numbers: list[int]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for n in numbers:
        if spans and n == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], n)
        else:
            spans.append((n, n))
    return spans


def natural(name: str) -> tuple[tuple[int, int], ...]:
    """A key to sort host names by, numbers in them as numbers: the order of Slurm's node table (``strnatcmp.c``).

    >>> sorted(["n10", "n9", "m1", "n1"], key=natural)
    ['m1', 'n1', 'n9', 'n10']
    """
    return tuple((ord("0"), int(part)) if part.isdigit() else (ord(part), 0) for part in re.findall(r"\d+|\D", name, re.ASCII))
