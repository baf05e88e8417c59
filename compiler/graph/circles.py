"""Circles: what waits for itself, found, and drawn with the place of every edge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from itertools import pairwise
from typing import Final

from compiler.errors import collecting
from compiler.model.circles import groups, shortest
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
                way = shortest(min(group), waits_for)
                mistakes.extend([_drawing(tuple(waits_for[one][other] for one, other in pairwise(way)))])


def _drawing(circle: tuple[Edge, ...]) -> Diagnostic:
    message = (
        f"the order of a site must have a beginning, but {len(circle)} of its components wait for one another "
        "in a circle (`a -> b` says that a waits for b)"
    )
    related = tuple(Related(f"{edge.after} -> {edge.before}, because {edge.why}", edge.origin) for edge in circle)
    return Diagnostic(message, hint=_HINT, related=related)
