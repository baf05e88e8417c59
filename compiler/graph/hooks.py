"""What Helm's order of hooks means for a site in which every hook is an object like any other.

Helm runs the hooks of one event one after another, by weight, and awaits each; those before an installation or an
upgrade before it creates anything else, those after it at the end (https://helm.sh/docs/topics/charts_hooks/). Here

- of one event, a hook with a lower weight comes before those with the next higher one; hooks of one weight, which Helm
  runs by name, have no order;
- ``pre-install`` and ``pre-upgrade`` come before the workloads of the instance that are no hooks, and before its
  ``post-`` hooks;
- ``post-install`` and ``post-upgrade`` come after no workload for being that: Helm has created these by then and awaits
  none of them, and where they need what the hook does, a wait would have no end.

All this yields to everything else that is known: pods that wait by themselves, references, contracts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from compiler.graph.homes import Homes
from compiler.graph.places import Places
from compiler.model.circles import groups
from compiler.model.manifest import UNGATED, Bundle, Manifest
from compiler.model.plan import Edge, Vertex

_OPERATIONS: Final = (("pre-install", "post-install"), ("pre-upgrade", "post-upgrade"))
_WEIGHT: Final = "helm.sh/hook-weight"
_KNOWN: Final = frozenset({"", "batch", "apps", "rbac.authorization.k8s.io"})
"""Groups whose objects are awaited, or are done as soon as they exist: nothing can wait for a hook of any other."""


def hooked(bundles: tuple[Bundle, ...], homes: Homes, places: Places) -> tuple[Edge, ...]:
    """The edges that Helm's order of hooks asks for, the most telling first."""
    return tuple(edge for bundle in bundles for edge in _Hooks(bundle, homes, places).edges())


@dataclass(frozen=True, slots=True)
class _Hooks:
    """The hooks of one instance."""

    bundle: Bundle
    homes: Homes
    places: Places

    def edges(self) -> Iterator[Edge]:
        """By weight, then those before the operation before those after it, then before everything else."""
        by_event = {event: self._by_weight(event) for operation in _OPERATIONS for event in operation}
        for event, weighed in by_event.items():
            for (low, lighter), (high, heavier) in pairwise(sorted(weighed.items())):
                yield from self._all(lighter, heavier, f"of the `{event}` hooks {{}} has weight {low}, {{}} {high}")
        for before, after in _OPERATIONS:
            later = [one for weighed in by_event[after].values() for one in weighed]
            earlier = [one for weighed in by_event[before].values() for one in weighed]
            yield from self._all(earlier, later, f"{{}} is a `{before}` hook, {{}} a `{after}` hook")
            ordinary = [one for one in self.bundle.manifests if one.workload is not None and not one.hooks]
            yield from self._all(earlier, ordinary, f"{{}} is a `{before}` hook, {{}} is none")

    def _by_weight(self, event: str) -> Mapping[int, list[Manifest]]:
        found: defaultdict[int, list[Manifest]] = defaultdict(list)
        for manifest in self.bundle.manifests:
            if event in manifest.hooks and manifest.component not in UNGATED and manifest.id in self.homes.of:
                found[weight(manifest)].append(manifest)
        return found

    def _all(self, before: Iterable[Manifest], after: Iterable[Manifest], why: str) -> Iterator[Edge]:
        following = {self.homes.of[one.id]: one for one in sorted(after, key=lambda one: one.id, reverse=True)}
        for one in (one for one in before if one.id.group in _KNOWN):
            home = self.homes.of[one.id]
            for vertex, other in following.items():
                if vertex != home:
                    because = why.format(one.id, other.id)
                    yield Edge(home, vertex, because, self.places.template(one, self.bundle.instance))


def weight(manifest: Manifest) -> int:
    """The weight of a hook; 0 where it has none, or none that is an integer."""
    try:
        return int(dict(manifest.helm).get(_WEIGHT, "0"))
    except ValueError:
        return 0


def admit(asked: Iterable[Edge], edges: Iterable[Edge]) -> tuple[tuple[Edge, ...], tuple[Edge, ...]]:
    """Those of ``asked`` that can be kept beside ``edges`` and say something new; and those that yield.

    One yields if it would close a circle with ``edges`` and the ones before it.
    """
    before: defaultdict[Vertex, set[Vertex]] = defaultdict(set)
    for edge in edges:
        before[edge.after].add(edge.before)
    wanted: dict[tuple[Vertex, Vertex], Edge] = {}
    for edge in asked:
        if edge.before not in before[edge.after]:
            wanted.setdefault((edge.before, edge.after), edge)
    circle = _circles(before, wanted.values())
    kept, yielding = [], []
    for edge in wanted.values():
        inside = circle.get(edge.before, frozenset()) if edge.after in circle.get(edge.before, ()) else frozenset()
        if inside and _precedes(edge.after, edge.before, before, inside):
            yielding.append(edge)
        else:
            kept.append(edge)
            before[edge.after].add(edge.before)
    return tuple(kept), tuple(yielding)


def _circles(before: Mapping[Vertex, set[Vertex]], asked: Iterable[Edge]) -> Mapping[Vertex, frozenset[Vertex]]:
    """The vertices that would lead to one another if everything was kept, by each of them."""
    every: defaultdict[Vertex, set[Vertex]] = defaultdict(set)
    for vertex, direct in before.items():
        every[vertex] |= direct
    for edge in asked:
        every[edge.after].add(edge.before)
    found = (frozenset(group) for group in groups({vertex: sorted(each) for vertex, each in every.items()}))
    return {vertex: group for group in found if len(group) > 1 for vertex in group}


def _precedes(one: Vertex, other: Vertex, before: Mapping[Vertex, set[Vertex]], inside: frozenset[Vertex]) -> bool:
    """Whether ``other`` comes after ``one``, along vertices that are ``inside``."""
    seen = {other}
    queue = [other]
    while queue and one not in seen:
        new = (before.get(queue.pop(), set()) & inside) - seen
        seen |= new
        queue += new
    return one in seen
