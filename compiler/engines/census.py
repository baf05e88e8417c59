"""What exists, found by its name, by what makes it, and by the labels of its pods; never by looking at everything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from compiler.engines.objects import DELIVERS, Applied
from compiler.model.manifest import ObjectId, Reference
from compiler.relations.waits import labels_of

Labelled = tuple[str, tuple[str, str]]
"""A namespace, and one label of pods in it."""

_NOBODY: Final[frozenset[ObjectId]] = frozenset()


class Census:
    """Objects, counted in and out; ``delivered`` counts the changes to those that tell an engine what to apply."""

    def __init__(self, objects: Iterable[Applied] = ()) -> None:
        self._named: defaultdict[Reference, set[ObjectId]] = defaultdict(set)
        self._makers: defaultdict[Reference, set[ObjectId]] = defaultdict(set)
        self._definers: defaultdict[tuple[str, str], set[ObjectId]] = defaultdict(set)
        self._pods: defaultdict[Labelled, set[ObjectId]] = defaultdict(set)
        self._services: dict[tuple[str, str], Applied] = {}
        self._delivering: dict[ObjectId, Applied] = {}
        self.delivered = 0
        for applied in objects:
            self.enter(applied)

    # Coming and going.

    def enter(self, applied: Applied) -> None:
        """It exists from now on."""
        for group in self._groups(applied):
            group.add(applied.id)
        if _is_service(applied):
            self._services[applied.id.namespace, applied.id.name] = applied
        if applied.id.group in DELIVERS:
            self.delivered += 1
            self._delivering[applied.id] = applied

    def leave(self, applied: Applied) -> None:
        """It does not exist any more."""
        for group in self._groups(applied):
            group.discard(applied.id)
        if _is_service(applied):
            self._services.pop((applied.id.namespace, applied.id.name), None)
        if applied.id.group in DELIVERS:
            self.delivered += 1
            self._delivering.pop(applied.id, None)

    def _groups(self, applied: Applied) -> Iterator[set[ObjectId]]:
        yield self._named[name_of(applied)]
        yield from (self._makers[plain(made)] for made in applied.makes)
        if applied.defines:
            yield self._definers[applied.defines]
        yield from (self._pods[one] for one in labels(applied))

    # Who it is.

    def named(self, reference: Reference) -> AbstractSet[ObjectId]:
        """The objects of a name."""
        return self._named.get(plain(reference), _NOBODY)

    def makers(self, reference: Reference) -> AbstractSet[ObjectId]:
        """The objects that make something of a name appear."""
        return self._makers.get(plain(reference), _NOBODY)

    def defines(self, kind: tuple[str, str]) -> bool:
        """Whether a definition of ``kind`` exists."""
        return bool(self._definers.get(kind))

    def delivering(self, kind: tuple[str, str]) -> tuple[Applied, ...]:
        """Every object of a kind that tells an engine what to apply."""
        return tuple(each for each in self._delivering.values() if each.kind == kind)

    def service(self, wait: Reference) -> Applied | None:
        """The Service that pods wait for."""
        return self._services.get((wait.namespace, wait.name)) if wait.kind == "Service" else None

    def behind(self, wait: Reference) -> Iterator[ObjectId]:
        """The objects that pods wait for: those that a Service or labels lead to, or the one that is named itself."""
        service, pairs = self.service(wait), labels_of(wait.name)
        if wait.kind == "Service":
            pairs = (service.selects or ()) if service is not None else ()
        elif not pairs:
            yield from self.named(wait)
        found = sorted((self._pods.get((wait.namespace, pair), _NOBODY) for pair in pairs), key=len)
        yield from (one for one in found[0] if all(one in others for others in found[1:])) if found else ()


def plain(reference: Reference) -> Reference:
    """The name alone, whether or not it must exist."""
    if not reference.optional:
        return reference
    return Reference(reference.kind, reference.namespace, reference.name)


def name_of(applied: Applied) -> Reference:
    """The name of an object, as others say it."""
    return Reference(applied.id.kind, applied.id.namespace, applied.id.name)


def labels(applied: Applied) -> Iterator[Labelled]:
    """Every label of its pods."""
    return ((applied.id.namespace, pair) for pair in applied.pods or ())


def _is_service(applied: Applied) -> bool:
    return applied.id.kind == "Service" and not applied.id.group
