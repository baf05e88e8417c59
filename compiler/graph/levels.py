"""Levels of a graph: as few as possible."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from compiler.model.circles import T


def levels(predecessors: Mapping[T, Collection[T]]) -> dict[T, int]:
    """The level of every vertex of ``predecessors``, which maps each one to those that it waits for.

    - *Topological*: a vertex is in a higher level than whatever it waits for.
    - *Few*: there are as many levels as the longest chain has vertices; each vertex is in the lowest that it can be in.
    - *Stable*: a level depends on what lies before the vertex and on nothing else; not on the order in which
      vertices or edges are listed, and not on what waits for it or stands beside it. A new vertex therefore moves
      only those that come to wait for it.

    Vertices that wait in a circle, and those that wait for them, have no level and are left out.

    >>> levels({"api": ["sync", "cache"], "sync": ["database"], "database": [], "cache": []})
    {'cache': 0, 'database': 0, 'sync': 1, 'api': 2}
    """
    followers: defaultdict[T, list[T]] = defaultdict(list)
    missing = {vertex: len(set(before)) for vertex, before in predecessors.items()}
    for vertex, before in predecessors.items():
        for one in set(before):
            followers[one].append(vertex)
    found: dict[T, int] = {}
    ready = sorted(vertex for vertex, count in missing.items() if not count)
    level = 0
    while ready:
        found.update(dict.fromkeys(ready, level))
        ready = sorted(_released(ready, followers, missing))
        level += 1
    return found


def _released(done: list[T], followers: Mapping[T, list[T]], missing: dict[T, int]) -> list[T]:
    """Those whose last predecessor is among ``done``."""
    released = []
    for vertex in done:
        for follower in followers.get(vertex, ()):
            missing[follower] -= 1
            if not missing[follower]:
                released.append(follower)
    return released


def longest_chain(predecessors: Mapping[T, Collection[T]], level: Mapping[T, int]) -> tuple[T, ...]:
    """A chain of as many vertices as there are levels, first to last; of several, the one that sorts first backwards.

    >>> before = {"api": ["sync", "cache"], "sync": ["database"], "database": [], "cache": []}
    >>> longest_chain(before, levels(before))
    ('database', 'sync', 'api')
    """
    if not level:
        return ()
    top = max(level.values())
    chain = [min(vertex for vertex, at in level.items() if at == top)]
    for at in range(top - 1, -1, -1):
        chain.append(min(vertex for vertex in predecessors[chain[-1]] if level[vertex] == at))
    return tuple(reversed(chain))
