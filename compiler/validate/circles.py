"""A circle of waiting, each step with the reason and the place where somebody wrote it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import pairwise
from typing import Final

from compiler import engines
from compiler.engines import Circle, Waiter
from compiler.model.data import Data
from compiler.model.diagnostic import Related
from compiler.model.manifest import Field, Manifest
from compiler.model.node import Origin
from compiler.model.plan import Edge, Vertex
from compiler.validate.rule import Subject, View

_DELIVERED: Final = ("Application", "Kustomization")


class Tracer:
    """Where the steps of a circle come from in the repository."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._site = Origin(view.site.file)
        self._found = {one.id: (subject, one) for subject in view.subjects for one in subject.bundle.manifests}

    def steps(self, circle: Circle) -> tuple[Related, ...]:
        """Every step, in order."""
        found: list[Related] = []
        held = circle[-2]
        for one, other in pairwise(circle):
            found += self._step(one, other, held)
            held = other if one.sync and not other.sync else held
        return tuple(found)

    def place(self, circle: Circle) -> tuple[Field | None, Origin]:
        """What of the first object that waits for another one names that, and its template."""
        for one, other in pairwise(circle):
            found = self._found.get(one.object)
            if found is not None and not other.sync:
                return _names(*found, other.object.name), self._template(one)
        return None, self._site

    def _step(self, one: Waiter, other: Waiter, held: Waiter) -> Iterator[Related]:
        arrow = f"{one} -> {other}"
        if other.sync:
            yield from self._planned(arrow, one, other, held)
        elif one.sync:
            yield Related(f"{arrow}, because what comes later waits until it is healthy", self._template(other))
        else:
            yield Related(f"{arrow}, because its pods do not start without it", self._template(one))

    def _planned(self, arrow: str, one: Waiter, other: Waiter, held: Waiter) -> Iterator[Related]:
        """Why a sync comes after another one, or why an object comes after ``held``, on which its own sync stands."""
        after = self._owners.get(one.sync, set()) if one.sync else self._homes(one)
        before = self._owners.get(other.sync, set()) if one.sync else self._homes(held)
        edges = self._chain(before, after)
        for edge in edges:
            yield Related(f"{arrow}: `{edge.after}` comes after `{edge.before}`, because {edge.why}", edge.origin)
        if not edges:
            yield Related(f"{arrow}, which applies it", self._template(one))

    def _template(self, one: Waiter) -> Origin:
        found: tuple[Subject, Manifest] | None = self._found.get(one.object)
        return found[0].origin(found[1]) if found is not None else self._site

    @cached_property
    def _owners(self) -> Mapping[str, set[Vertex]]:
        """The components that each Application or Kustomization applies."""
        found: defaultdict[str, set[Vertex]] = defaultdict(set)
        owners = engines.owners(self._view.emitted.revision)
        for owner in (owner for kind in _DELIVERED for owner in owners[kind]):
            found[owner.name].update(home for each in owner.objects if (home := self._view.plan.homes.get(each.id)))
        return found

    def _homes(self, one: Waiter) -> set[Vertex]:
        home = self._view.plan.homes.get(one.object)
        return {home} if home is not None else set()

    @cached_property
    def _into(self) -> Mapping[Vertex, list[Edge]]:
        found: defaultdict[Vertex, list[Edge]] = defaultdict(list)
        for edge in self._view.plan.edges:
            found[edge.after].append(edge)
        return found

    def _chain(self, before: set[Vertex], after: set[Vertex]) -> tuple[Edge, ...]:
        """A shortest chain of edges of the plan from one of ``before`` to one of ``after``, first to last."""
        queue: deque[tuple[Edge, ...]] = deque(
            (edge,) for vertex in sorted(after) for edge in self._into.get(vertex, ())
        )
        seen = set(after)
        while queue:
            chain = queue.popleft()
            first = chain[0].before
            if first in before:
                return chain
            if first not in seen:
                seen.add(first)
                queue.extend((edge, *chain) for edge in self._into.get(first, ()))
        return ()


def _names(subject: Subject, manifest: Manifest, name: str) -> Field | None:
    """The first field of an object's spec that holds ``name``."""
    path = next(_leaves(subject.data(manifest).get("spec"), name), None)
    return Field(subject.bundle.instance, manifest.id, ("spec", *path)) if path is not None else None


def _leaves(data: Data, name: str) -> Iterator[tuple[str | int, ...]]:
    """The paths of the texts that hold ``name``, in order."""
    if isinstance(data, str) and name in data:
        yield ()
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in pairs:
        yield from ((key, *rest) for rest in _leaves(value, name))
