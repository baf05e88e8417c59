"""Verdicts on the emitted files that cost more than to compare these files with those of the last compile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from compiler import engines
from compiler.cache import digest_of_sources
from compiler.model.data import digest
from compiler.validate.rule import Finding, View


def remembered(view: View, code: str, more: str, check: Callable[[View], Iterator[Finding]]) -> Iterator[Finding]:
    """What ``check`` finds, unless it is remembered that it found nothing in the very same files.

    ``more`` is whatever else its verdict depends on, beside what engines read.
    """
    key = digest(f"{code} {_models()} {view.emitted.fingerprint} {more}")
    if view.memory.known_good(key):
        return
    found = tuple(check(view))
    if not found:
        view.memory.remember(key)
    yield from found


@cache
def _models() -> str:
    """What a verdict depends on beside the files."""
    return digest_of_sources(Path(engines.__file__).parent) + digest_of_sources(Path(__file__).parent)
