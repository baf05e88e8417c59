"""Who comes before whom in an order, through any number of others."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Reach(Generic[T]):
    """What precedes each vertex of a graph without circles, as one bit a vertex: linear in edges and near it in time.

    ``before`` maps a vertex to those that it comes directly after; ``order`` holds every vertex after all of these.

    >>> reach = Reach({"api": ["sync", "database"], "sync": ["database"]}, ["database", "sync", "api"])
    >>> reach.precedes("database", "api"), reach.precedes("api", "sync"), reach.nearest("api")
    (True, False, ('sync',))
    """

    def __init__(self, before: Mapping[T, Collection[T]], order: Iterable[T]) -> None:
        self._before = before
        self._bit: dict[T, int] = {}
        self._earlier: dict[T, int] = {}
        for number, vertex in enumerate(order):
            earlier = 0
            for one in before.get(vertex, ()):
                earlier |= self._earlier[one] | self._bit[one]
            self._bit[vertex], self._earlier[vertex] = 1 << number, earlier

    def precedes(self, one: T, other: T) -> bool:
        """Whether a chain leads from ``one`` to ``other``."""
        return bool(self._bit[one] & self._earlier[other])

    def nearest(self, vertex: T) -> tuple[T, ...]:
        """Those directly before ``vertex`` that precede none of the others: the rest follows from them."""
        direct = self._before.get(vertex, ())
        further = 0
        for one in direct:
            further |= self._earlier[one]
        return tuple(one for one in direct if not self._bit[one] & further)
