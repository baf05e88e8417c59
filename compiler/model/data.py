"""Untyped data, typed once: what YAML, JSON and Helm speak."""

from __future__ import annotations

import hashlib
import json
from typing import TypeAlias

from compiler.model.names import Digest

Scalar: TypeAlias = str | int | float | bool | None
Data: TypeAlias = "Scalar | list[Data] | dict[str, Data]"
"""What JSON can say. Only the edges (YAML, Jsonnet, Helm) handle it raw; rooms handle nouns."""


def canonical(value: Data) -> str:
    """JSON of ``value`` with sorted keys and no spaces: equal data gives equal text, so it can be hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(content: bytes | str) -> Digest:
    """The SHA-256 of ``content``, in hexadecimal."""
    return Digest(hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest())
