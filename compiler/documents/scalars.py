"""What a plain scalar means to Kubernetes.

The rules are those of ``sigs.k8s.io/yaml``, which reads YAML with go-yaml v2 and then converts it to JSON (see
``resolve.go`` and ``convertToJSONableObject`` there): YAML 1.1 booleans, octal integers, no sexagesimal numbers,
timestamps stay strings, an integer beyond 64 bits is a float, and a whole float is an integer once it is JSON.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final

from compiler.model.data import Scalar

_WORDS: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_NUMERIC: Final = frozenset("+-.0123456789")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER: Final = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)|(?P<dec>0|[1-9][0-9]*))"
)
_BASES: Final = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}
_LOWEST: Final = -(2**63)
_HIGHEST: Final = 2**64 - 1


def resolve(text: str) -> Scalar:
    """The value of the plain (unquoted, untagged) scalar ``text``.

    >>> [resolve(text) for text in ("0644", "on", "1e3", "12:30:45", "2026-04-01", "03190301", "1_000", "9" * 17)]
    [420, True, 1000, '12:30:45', '2026-04-01', 3190301, 1000, 99999999999999999]
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    return _number(text)


def _number(text: str) -> Scalar:
    plain = text.replace("_", "") if text[0] != "." else text
    integer = _integer(plain) if text[0] != "." else None
    if integer is not None:
        return integer
    if _FLOAT.fullmatch(plain) and math.isfinite(float(plain)):
        return as_json(float(plain))
    return text


def _integer(plain: str) -> int | None:
    found = _INTEGER.fullmatch(plain)
    if found is None or found.lastgroup is None:
        return None
    base = found.lastgroup
    value = int(found[base], _BASES[base]) * (-1 if found["sign"] == "-" else 1)
    fits = _LOWEST <= value <= (_HIGHEST if not found["sign"] else 2**63 - 1)
    return value if fits else None


def as_json(value: float) -> Scalar:
    """A float as Go's JSON writes it: whole numbers below 1e21 have no fraction, and the fewest digits that say it."""
    if math.isfinite(value) and value.is_integer() and abs(value) < 1e21:  # noqa: PLR2004 - encoding/json's own bound
        return int(Decimal(repr(value)))
    return value


def as_key(value: Scalar) -> str | None:
    """A map key as a string, as the conversion to JSON writes it; None for a key that JSON cannot have."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int():
            return str(value)
        case float():
            return f"{value:.9g}"
        case None:
            return None
