"""What is stuck when nothing happens any more: on what everything waits, in which circles, and what waits in vain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from compiler.engines.census import Census
from compiler.engines.cluster import Cluster, Lack
from compiler.engines.objects import Applied
from compiler.model.circles import groups, shortest
from compiler.model.manifest import ObjectId

_NONE: Final = ObjectId("", "", "", "")


@dataclass(frozen=True, slots=True, order=True)
class Waiter:
    """What waits, or is waited for: an object, or the ``sync`` of the Application or Kustomization of that name."""

    object: ObjectId = _NONE
    sync: str = ""

    def __str__(self) -> str:
        """As messages call it."""
        return f"the sync of {self.sync}" if self.sync else str(self.object)


Circle = tuple[Waiter, ...]
"""Each waits for the next one; the last is the first again."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """What is not as Git wants it when nothing happens any more.

    ``unhealthy`` objects with the reasons, ``absent`` ones with whoever should have applied them, ``circles`` of
    waiting, and the objects that wait ``in_vain``, for what nothing in Git is, or makes.
    """

    unhealthy: Mapping[ObjectId, tuple[str, ...]]
    absent: Mapping[ObjectId, str]
    circles: tuple[Circle, ...] = ()
    in_vain: frozenset[ObjectId] = frozenset()

    def __bool__(self) -> bool:
        """Whether anything is stuck."""
        return bool(self.unhealthy or self.absent)


@dataclass(frozen=True)
class Standstill:
    """A cluster on which nothing happens any more, and what Git wants of it.

    ``applied`` is every object with the name of whoever applies it, ``kept`` those among them that are to be there in
    the end, ``waits`` what each sync that has not come to its end waits for.
    """

    cluster: Cluster
    applied: Mapping[ObjectId, tuple[Applied, str]]
    kept: Collection[ObjectId]
    waits: Mapping[str, Iterable[Waiter]]

    @cached_property
    def _census(self) -> Census:
        return Census(each for each, _ in self.applied.values())

    def stuck(self) -> Stuck:
        """What is not as Git wants it."""
        there = self.cluster.objects
        unhealthy = self.cluster.unhealthy()
        absent = {one: self.applied[one][1] for one in sorted(self.kept) if one not in there}
        in_vain = frozenset(one for one in unhealthy if self._waits_in_vain(there[one].applied))
        return Stuck(unhealthy, absent, tuple(_circles(self._waiting(unhealthy))), in_vain)

    def _waits_in_vain(self, applied: Applied) -> bool:
        return any(not any(self._meant(lack)) for lack in self.cluster.lacks(applied))

    def _meant(self, lack: Lack) -> Iterator[ObjectId]:
        """The objects that would be enough: what is or makes what is needed, or stands behind what is waited for."""
        if not lack.needed:
            return self._census.behind(lack.what)
        return iter(self._census.named(lack.what) | self._census.makers(lack.what))

    def _waiting(self, unhealthy: Iterable[ObjectId]) -> Mapping[Waiter, set[Waiter]]:
        """Who waits for whom: syncs for objects, objects for what they need, what does not exist yet for its sync."""
        found: defaultdict[Waiter, set[Waiter]] = defaultdict(set)
        for name, others in self.waits.items():
            found[Waiter(sync=name)].update(others)
        for one, (_, name) in self.applied.items():
            if one not in self.cluster.objects:
                found[Waiter(one)].add(Waiter(sync=name))
        for one in unhealthy:
            lacks = self.cluster.lacks(self.cluster.objects[one].applied)
            found[Waiter(one)].update(Waiter(other) for lack in lacks for other in self._meant(lack))
        return found


def _circles(waiting: Mapping[Waiter, Collection[Waiter]]) -> Iterator[Circle]:
    """A shortest circle for everything that waits for one another; it begins with a sync, where one is in it."""
    for group in groups({one: sorted(others) for one, others in waiting.items()}):
        inside = {one: set(waiting.get(one, ())) & set(group) for one in group}
        if inside[group[0]]:
            yield shortest(group[0], inside)
