"""Circles of a graph: the vertices that lead to one another, and a shortest way from one of them back to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Hashable, Iterator, Mapping
from typing import Any, Protocol, TypeVar


class Ordered(Hashable, Protocol):
    """What has an order of its own, so that no result depends on the order in which it was met."""

    def __lt__(self, other: Any, /) -> bool: ...  # noqa: ANN401 - as typeshed has it


T = TypeVar("T", bound=Ordered)


def groups(edges: Mapping[T, Collection[T]]) -> Iterator[tuple[T, ...]]:
    """The strongly connected components of a graph (Tarjan's algorithm, without recursion), each sorted.

    A group comes after every group that its edges lead to.

    >>> list(groups({"nova": ["neutron", "keystone"], "neutron": ["nova"], "keystone": []}))
    [('keystone',), ('neutron', 'nova')]
    """
    index: dict[T, int] = {}
    low: dict[T, int] = {}
    stack: list[T] = []
    open_: set[T] = set()
    for root in sorted(edges):
        if root in index:
            continue
        work: list[tuple[T, Iterator[T]]] = [(root, iter(edges[root]))]
        while work:
            vertex, targets = work[-1]
            if vertex not in index:
                index[vertex] = low[vertex] = len(index)
                stack.append(vertex)
                open_.add(vertex)
            target = next((one for one in targets if one not in index or one in open_), None)
            if target is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[vertex])
                if low[vertex] == index[vertex]:
                    yield _popped(stack, open_, vertex)
            elif target in index:
                low[vertex] = min(low[vertex], index[target])
            else:
                work.append((target, iter(edges.get(target, ()))))


def _popped(stack: list[T], open_: set[T], root: T) -> tuple[T, ...]:
    group: list[T] = []
    while not group or group[-1] != root:
        group.append(stack.pop())
    open_.difference_update(group)
    return tuple(sorted(group))


def shortest(start: T, edges: Mapping[T, Collection[T]]) -> tuple[T, ...]:
    """The vertices of a shortest way along ``edges`` from ``start``, which is in a circle, back to it, both included.

    >>> shortest("nova", {"nova": ["keystone", "neutron"], "neutron": ["nova", "neutron"]})
    ('nova', 'neutron', 'nova')
    """
    reached: dict[T, T] = {}
    queue = deque([start])
    while start not in reached:
        vertex = queue.popleft()
        for target in sorted(edges.get(vertex, ())):
            if target not in reached:
                reached[target] = vertex
                queue.append(target)
    way = [start, reached[start]]
    while way[-1] != start:
        way.append(reached[way[-1]])
    return tuple(reversed(way))
