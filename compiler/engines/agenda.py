"""Whose turn it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from heapq import heappop, heappush


class Agenda:
    """Names that have something to do, round by round, each round in order of name.

    Who is called while a round goes on has its turn in the same round if its place in it is still to come.

    >>> agenda = Agenda()
    >>> agenda.call("b")
    >>> for name in agenda.round({"a", "b", "c"}):
    ...     print(name)
    ...     agenda.call("a")
    ...     agenda.call("c" if name == "b" else "a")
    b
    c
    >>> list(agenda.round({"a", "b", "c"}))
    ['a']
    """

    def __init__(self) -> None:
        self._now: list[str] = []
        self._next: set[str] = set()
        self._at: str | None = None

    def call(self, name: str) -> None:
        """Give somebody a turn as soon as the order allows it."""
        if self._at is not None and name > self._at:
            heappush(self._now, name)
        else:
            self._next.add(name)

    def round(self, present: Collection[str]) -> Iterator[str]:
        """Everybody who was called and is ``present``, once."""
        self._now, self._next, self._at = sorted(self._next), set(), ""
        while self._now:
            name = heappop(self._now)
            if name != self._at and name in present:
                self._at = name
                yield name
        self._at = None
