"""What a turn changed, told from what it touched alone: a turn costs what it does, not what there is."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Changes(Generic[K]):
    """Everything that was touched since the last turn, as it was then; ``now`` says how something stands.

    >>> standing = {"keystone": "waits"}
    >>> changes = Changes(standing.get)
    >>> changes.touch("keystone")
    >>> standing["keystone"] = "is ready"
    >>> changes.settle(), changes.settle()
    (True, False)
    """

    __slots__ = ("_now", "_was")

    def __init__(self, now: Callable[[K], object]) -> None:
        self._now = now
        self._was: dict[K, object] = {}

    def touch(self, key: K) -> None:
        """Say that something is about to change."""
        if key not in self._was:
            self._was[key] = self._now(key)

    def settle(self) -> bool:
        """Whether anything stands otherwise than when it was touched first; the next turn begins."""
        was, self._was = self._was, {}
        return any(self._now(key) != standing for key, standing in was.items())
