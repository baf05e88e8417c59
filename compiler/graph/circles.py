"""Circles: what waits for itself, found, and drawn with the place of every edge."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from compiler.errors import collecting
from compiler.graph.levels import T
from compiler.model.diagnostic import Diagnostic, Related
from compiler.model.plan import Edge, Vertex

_HINT: Final = (
    "take one of these away: `gate: none` for a requirement whose address is needed at run time only, "
    "`components: [...]` to say which components need it, or an `after` less in a contract"
)


def refuse_circles(edges: Collection[Edge]) -> None:
    """Raise ``InputError`` with one drawing for every group of vertices that wait for one another.

    Each drawing is a shortest circle through the group's first vertex, with an arrow, a reason and a place per edge.
    """
    waits_for: defaultdict[Vertex, dict[Vertex, Edge]] = defaultdict(dict)
    for edge in sorted(edges, reverse=True):
        waits_for[edge.after][edge.before] = edge
    with collecting() as mistakes:
        for group in groups({vertex: sorted(before) for vertex, before in waits_for.items()}):
            if len(group) > 1:
                mistakes.extend([_drawing(_circle(min(group), waits_for))])


def _circle(start: Vertex, waits_for: Mapping[Vertex, Mapping[Vertex, Edge]]) -> tuple[Edge, ...]:
    """The edges of a shortest way from ``start`` back to it."""
    reached: dict[Vertex, Edge] = {}
    queue = deque([start])
    while start not in reached:
        vertex = queue.popleft()
        for before, edge in sorted(waits_for.get(vertex, {}).items()):
            if before not in reached:
                reached[before] = edge
                queue.append(before)
    circle = [reached[start]]
    while circle[0].after != start:
        circle.insert(0, reached[circle[0].after])
    return tuple(circle)


def _drawing(circle: tuple[Edge, ...]) -> Diagnostic:
    message = (
        f"the order of a site must have a beginning, but {len(circle)} of its components wait for one another "
        "in a circle (`a -> b` says that a waits for b)"
    )
    related = tuple(Related(f"{edge.after} -> {edge.before}, because {edge.why}", edge.origin) for edge in circle)
    return Diagnostic(message, hint=_HINT, related=related)


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
