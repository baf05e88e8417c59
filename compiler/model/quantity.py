"""Quantities as Kubernetes writes them (apimachinery's `resource.Quantity`): a number, and what it is counted in."""

from __future__ import annotations

import re
from decimal import Decimal
from math import ceil
from typing import Final

from compiler.model.data import Data

_QUANTITY: Final = re.compile(r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?P<suffix>[eE][+-]?\d+|[KMGTPE]i|[numkMGTPE])?")
_SUFFIXES: Final = {
    "": Decimal(1),
    **{suffix: Decimal(10) ** power for suffix, power in zip("num", (-9, -6, -3), strict=True)},
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
}


def quantity(written: Data) -> Decimal | None:
    """The number that ``written`` is, or None where it is no quantity.

    >>> [str(quantity(text)) for text in ("500m", "2", 2, "1Ki", "1.5k", "1e3", "many")]
    ['0.500', '2', '2', '1024', '1500.0', '1000', 'None']
    """
    if isinstance(written, bool) or not isinstance(written, int | float | str):
        return None
    found = _QUANTITY.fullmatch(str(written))
    if found is None:
        return None
    suffix = found["suffix"] or ""
    scale = Decimal(10) ** int(suffix[1:]) if suffix[:1] in {"e", "E"} and suffix not in {"E", "Ei"} else None
    return Decimal(found["number"]) * (_SUFFIXES[suffix] if scale is None else scale)


def millis(written: Data) -> int | None:
    """Processors in thousandths, rounded up as the scheduler does; None where ``written`` is no quantity.

    >>> millis("500m"), millis("1.5"), millis(2), millis("x")
    (500, 1500, 2000, None)
    """
    found = quantity(written)
    return None if found is None else ceil(found * 1000)


def whole(written: Data) -> int | None:
    """Bytes, or pieces, rounded up; None where ``written`` is no quantity.

    >>> whole("1Gi"), whole("1.5k"), whole(7)
    (1073741824, 1500, 7)
    """
    found = quantity(written)
    return None if found is None else ceil(found)


def has_unit(written: Data) -> bool:
    """Whether ``written`` says what it is counted in.

    >>> has_unit("64Gi"), has_unit("64"), has_unit(64)
    (True, False, False)
    """
    return isinstance(written, str) and not written[-1:].isdigit()


_SHOWN: Final = (("Ti", 1024**4), ("Gi", 1024**3), ("Mi", 1024**2), ("Ki", 1024))


def cpu_text(thousandths: int) -> str:
    """Processors as people write them.

    >>> cpu_text(500), cpu_text(12000), cpu_text(12500)
    ('500m', '12', '12.5')
    """
    if abs(thousandths) < 1000:  # noqa: PLR2004 - below one processor
        return f"{thousandths}m"
    return (
        f"{Decimal(thousandths) / 1000:f}".rstrip("0").rstrip(".") if thousandths % 1000 else str(thousandths // 1000)
    )


def memory_text(count: int) -> str:
    """Bytes as people write them, with one decimal at most.

    >>> memory_text(1073741824), memory_text(1610612736), memory_text(12)
    ('1Gi', '1.5Gi', '12')
    """
    for suffix, size in _SHOWN:
        if abs(count) >= size:
            return f"{round(count / size, 1):g}{suffix}"
    return str(count)
