"""Pods that do not start yet, each beside what it lacks; only those that something came for are looked at again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from compiler.engines.census import Census, Labelled, labels, name_of, plain
from compiler.engines.objects import Applied
from compiler.model.manifest import ObjectId, Reference
from compiler.relations.waits import labels_of

Sign = Reference | Labelled
"""What says that something may have come: the name of it, or a label of pods that run now."""


class Parked:
    """Who is to be looked at, and under which signs the others stand."""

    def __init__(self) -> None:
        self._under: defaultdict[Sign, set[ObjectId]] = defaultdict(set)
        self._due: set[ObjectId] = set()

    def look_at(self, pod: ObjectId) -> None:
        """Look at one the next time, whatever it lacks."""
        self._due.add(pod)

    def park(self, pod: ObjectId, signs: Iterable[Sign]) -> None:
        """Leave one alone until one of ``signs`` is seen."""
        for sign in signs:
            self._under[sign].add(pod)

    def see(self, signs: Iterable[Sign]) -> None:
        """Something came: those that stand under its signs are due."""
        for sign in signs:
            self._due |= self._under.pop(sign, set())

    def take(self) -> set[ObjectId]:
        """Those that are due, once."""
        due, self._due = self._due, set()
        return due


def signs_of(applied: Applied) -> Iterator[Sign]:
    """What others may stand under once ``applied`` exists, or its pods run."""
    yield name_of(applied)
    yield from map(plain, applied.makes)
    yield from labels(applied)


def signs_for(lacks: Reference, census: Census) -> Iterator[Sign]:
    """What would say that ``lacks`` is there: its name, or one label of the pods that it means."""
    yield plain(lacks)
    service = census.service(lacks)
    pairs = (service.selects or ()) if service is not None else labels_of(lacks.name)
    yield from ((lacks.namespace, pair) for pair in pairs[:1])
