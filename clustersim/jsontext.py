"""JSON that comes from outside: what is wrong with it is named with its place.

Beyond what :mod:`json` refuses, a key must stand once in an object (the later one would silently win), a number may not
be longer than Python reads, and text may hold no half of a surrogate pair, which no file could take. Source: RFC 8259,
sections 4, 6 and 8.2.
"""
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clustersim.errors import InputError
from clustersim.messages import _

LONGEST = 4_300  # digits: beyond it Python reads no whole number
_HALF = re.compile("[\ud800-\udfff]")


def read_text(path: Path, expected: str) -> str:
    """The text of the file ``path``, which is ``expected``; :class:`InputError` says why it cannot be read, and where."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        where, found = _("{file}, byte {n}").format(file=path, n=error.start), error.object[error.start : error.start + 4]
        raise InputError(where, found, _("UTF-8 text, {what}").format(what=expected)) from None
    except OSError as error:
        raise InputError(str(path), error.strerror or str(error), expected) from None
    except ValueError as error:  # a NUL in the name
        raise InputError(repr(str(path)), str(error), expected) from None


def load_json(text: str, file: str, expected: str) -> Any:
    """What ``text`` says. ``expected`` completes "expected ..."; :class:`InputError` names ``file`` and line or JSON path."""
    twice: list[tuple[dict[str, Any], str]] = []
    try:
        data, kept = _counted(text)
        if kept < text.count('":') or _APART.search(text):  # a key twice, or a text that looks like a key
            data, twice = _twice(text)
    except json.JSONDecodeError as error:
        found = text.removeprefix("\ufeff")[error.pos : error.pos + 30] or _("the end of the text")
        said = _("The JSON reader says: {words}.").format(words=error.msg)
        raise InputError(_place(file, error.lineno, error.colno), found, expected, said) from None
    except RecursionError:
        raise InputError(file, _("brackets nested too deep"), expected) from None
    except ValueError:
        raise _too_long(text, file) from None
    if twice or "\\u" in text:
        _refuse(data, file, {id(one): key for one, key in twice})
    return data


_APART = re.compile(r'"\s+:')


def _counted(text: str) -> tuple[Any, int]:
    """What ``text`` says, and how many keys its objects keep: fewer than it has where one stands twice."""
    kept = 0

    def count(data: dict[str, Any]) -> dict[str, Any]:
        nonlocal kept
        kept += len(data)
        return data

    return json.loads(text.removeprefix("\ufeff"), object_hook=count), kept


def _twice(text: str) -> tuple[Any, list[tuple[dict[str, Any], str]]]:
    """What ``text`` says, and the objects with a key twice, with that key. Takes twice the time of :func:`_counted`."""
    found: list[tuple[dict[str, Any], str]] = []

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        data = dict(pairs)
        if len(data) < len(pairs):
            keys = [key for key, _value in pairs]
            found.append((data, next(key for key in keys if keys.count(key) > 1)))
        return data

    return json.loads(text.removeprefix("\ufeff"), object_pairs_hook=made), found


def _place(file: str, line: int, column: int) -> str:
    return _("{file}, line {line}, column {column}").format(file=file, line=line, column=column)


def _too_long(text: str, file: str) -> InputError:
    long = re.search(rf"\d{{{LONGEST + 1},}}", text)
    start = long.start() if long else 0
    where = _place(file, text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start))
    return InputError(where, text[start : start + 80], _("a number of at most {n} digits").format(n=LONGEST))


def _refuse(data: Any, file: str, twice: dict[int, str]) -> None:
    """The first object with a key twice, or the first text with half a character."""
    for path, value in _walk(data):
        if id(value) in twice:
            key = twice[id(value)]
            raise InputError(f"{file}: {f'{path}.{key}' if path else key}", key, _("each key once in an object"))
        if isinstance(value, str) and _HALF.search(value):
            raise InputError(f"{file}: {path}", ascii(value), _("whole characters, not half of a surrogate pair"))


def _walk(data: Any) -> Iterator[tuple[str, Any]]:
    """(JSON path, value) of everything in ``data``, and of its keys, in the order of the text; however deep it is."""
    waiting: list[tuple[str, Any]] = [("", data)]
    while waiting:
        path, value = waiting.pop()
        yield path, value
        if isinstance(value, dict):
            below = [(f"{path}.{key}" if path else key, item) for key, item in value.items()]
            waiting += reversed([pair for key, one in zip(value, below, strict=True) for pair in ((path, key), one)])
        elif isinstance(value, list):
            waiting += reversed([(f"{path}[{i}]", item) for i, item in enumerate(value)])
