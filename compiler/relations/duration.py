"""Durations as Go writes them."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


def seconds(text: str) -> float | None:
    """How many seconds ``text`` is; None where it is no duration (Go, ``time.ParseDuration``).

    >>> seconds("1h30m"), seconds("0.5s"), seconds("90"), seconds("soon")
    (5400.0, 0.5, None, None)
    """
    parts = _PART.findall(text)
    whole = "".join(number + unit for number, unit in parts) == text
    return sum(float(number) * _UNITS[unit] for number, unit in parts) if parts and whole else None
