"""Durations as Slurm and people write them. Inside the simulator time is whole seconds (``int``)."""
from __future__ import annotations

import re

from clustersim.errors import InputError
from clustersim.messages import N_, _

MINUTE, HOUR, DAY = 60, 3_600, 86_400
MONTH_H = 730  # hours in a twelfth of a year

_SIZES = ((DAY, N_("d")), (HOUR, N_("h")), (MINUTE, N_("min")), (1, N_("s")))
_SLURM_TIME = re.compile(r"(?:(?P<days>\d{1,9})-(?P<rest>\d{1,9}(?::\d{1,9}){0,2})|(?P<plain>\d{1,9}(?::\d{1,9}){0,2}))")


def parse_slurm_minutes(text: str, where: str = "time limit") -> int | None:
    """Whole minutes of a Slurm time limit, seconds rounded up; ``None`` for ``UNLIMITED`` or ``INFINITE``.

    Forms (sbatch(1), ``--time``): ``minutes``, ``minutes:seconds``, ``hours:minutes:seconds``, ``days-hours``,
    ``days-hours:minutes``, ``days-hours:minutes:seconds``. Raises :class:`InputError` naming ``where``.

    >>> parse_slurm_minutes("90"), parse_slurm_minutes("1-2"), parse_slurm_minutes("10:01")
    (90, 1560, 11)
    """
    if text.strip().upper() in {"UNLIMITED", "INFINITE", "-1"}:
        return None
    match = _SLURM_TIME.fullmatch(text.strip())
    if not match:
        raise InputError(where, text, "minutes, M:SS, H:MM:SS, D-H, D-H:MM, D-H:MM:SS, UNLIMITED or INFINITE")
    seconds = int(match["days"] or 0) * DAY
    parts = [int(p) for p in (match["rest"] or match["plain"]).split(":")]
    scales: dict[int, tuple[int, ...]] = {1: (MINUTE,), 2: (MINUTE, 1), 3: (HOUR, MINUTE, 1)}
    scale = (HOUR, MINUTE, 1) if match["days"] is not None else scales[len(parts)]
    seconds += sum(p * s for p, s in zip(parts, scale, strict=False))
    return -(-seconds // MINUTE)


def slurm_time(seconds: int | None) -> str:
    """A duration as squeue prints it: ``M:SS``, ``H:MM:SS`` or ``D-HH:MM:SS``; ``UNLIMITED`` for ``None``.

    >>> slurm_time(59), slurm_time(3_661), slurm_time(90_061)
    ('0:59', '1:01:01', '1-01:01:01')
    """
    if seconds is None:
        return "UNLIMITED"
    days, rest = divmod(int(seconds), DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, secs = divmod(rest, MINUTE)
    if days:
        return f"{days}-{hours:02d}:{minutes:02d}:{secs:02d}"
    return f"{hours}:{minutes:02d}:{secs:02d}" if hours else f"{minutes}:{secs:02d}"


def three_digits(number: float) -> str:
    """A large number that is known to three digits at best, for prose: ``514,000``.

    >>> three_digits(513_819.3), three_digits(3_535_077), three_digits(-41.27), three_digits(0)
    ('514,000', '3,540,000', '-41', '0')
    """
    return f"{float(f'{number:.3g}'):,.0f}"


def human_duration(seconds: float) -> str:
    """A duration for prose, at most two units: ``3 h 20 min``.

    >>> human_duration(12_000), human_duration(45), human_duration(0), human_duration(100_000)
    ('3 h 20 min', '45 s', '0 s', '1 d 4 h')
    """
    total = int(round(seconds))
    if total < 0:
        return "-" + human_duration(-total)
    parts: list[str] = []
    for size, unit in _SIZES:
        n, total = divmod(total, size)
        if n:
            parts.append(f"{n} {_(unit)}")
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts) or f"0 {_('s')}"


def clock_time(seconds: int) -> str:
    """An instant of a simulated run, counted from 00:00: ``03:20`` or ``1 d 03:20`` (seconds only if not zero).

    >>> clock_time(12_000), clock_time(86_461)
    ('03:20', '1 d 00:01:01')
    """
    sign = "-" if seconds < 0 else ""
    days, rest = divmod(abs(seconds), DAY)
    text = f"{rest // HOUR:02d}:{rest // MINUTE % 60:02d}" + (f":{rest % MINUTE:02d}" if rest % MINUTE else "")
    return sign + (f"{days} {_('d')} {text}" if days else text)
