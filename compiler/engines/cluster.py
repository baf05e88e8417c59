"""A cluster in small: what exists, what is refused, which pods run, and why others do not.

It knows what ordering depends on and nothing else: an object needs its Namespace and the definition of its kind; some
fields cannot be changed; a pod starts once what it names exists and what it waits for by itself is there; a Job is
done once its pod ran; a Service is there once a pod behind it runs. Controllers of custom kinds are taken to be
installed and to do their work at once, unless ``broken`` says otherwise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from compiler.engines.census import Census, plain
from compiler.engines.changes import Changes
from compiler.engines.objects import Applied
from compiler.engines.parked import Parked, signs_for, signs_of
from compiler.model.manifest import ObjectId, Reference

_GIVEN: Final = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
_FINISHES: Final = frozenset({("batch", "Job")})


@dataclass(slots=True)
class Live:
    """An object that exists. ``owner`` is who applied it, ``up`` whether its pods run (a Job: have run)."""

    applied: Applied
    owner: str
    up: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server says to an object: ``created``, ``configured``, ``unchanged``, or ``refused`` and why."""

    verb: str
    why: str = ""

    @property
    def refused(self) -> bool:
        """Whether nothing was stored."""
        return self.verb == "refused"


_UNCHANGED: Final = Answer("unchanged")


@dataclass(frozen=True, slots=True)
class Lack:
    """What holds the pods of an object: something that must exist (``needed``), or that they wait for themselves."""

    what: Reference
    needed: bool

    def __str__(self) -> str:
        """In words."""
        kind, name = self.what.kind, self.what.name
        return f"there is no {kind} {name}" if self.needed else f"its pods wait for {kind} {name}"


@dataclass(frozen=True, slots=True)
class News:
    """What happened: ``stored`` objects were changed or taken away, ``moved`` ones may have another health.

    ``owners`` are those who applied what was changed, taken away or made unhealthy.
    """

    owners: set[str] = field(default_factory=set)
    stored: set[ObjectId] = field(default_factory=set)
    moved: set[ObjectId] = field(default_factory=set)


class Cluster:
    """What exists: ``given`` from the beginning. ``broken`` objects never become healthy, ``bound`` ones never go.

    ``started`` says in which tick pods started, ``changes`` what is not as it was when the turn began.
    """

    def __init__(self, given: Collection[Reference] = (), defined_here: Collection[tuple[str, str]] = ()) -> None:
        self.given = frozenset(map(plain, given))
        self.defined_here = set(defined_here)
        self.objects: dict[ObjectId, Live] = {}
        self.broken: set[ObjectId] = set()
        self.bound: set[ObjectId] = set()
        self.started: dict[ObjectId, int] = {}
        self.ticks = 0
        self.census = Census()
        self.changes = Changes(self._standing)
        self._news = News()
        self._parked = Parked()
        self._heard: frozenset[ObjectId] = frozenset()
        self._owned: defaultdict[str, set[ObjectId]] = defaultdict(set)

    def _standing(self, object_id: ObjectId) -> tuple[str, bool, str] | None:
        live = self.objects.get(object_id)
        return (live.applied.text, live.up, live.owner) if live is not None else None

    # What is done to it.

    def apply(self, applied: Applied, owner: str, *, replace: bool = False) -> Answer:
        """Store an object, as server-side apply does; ``replace`` deletes one whose fixed fields change.

        Pods of a changed workload start anew.
        """
        known = self.objects.get(applied.id)
        if known is not None and known.applied.text == applied.text:
            if known.owner != owner:
                self._own(known, owner)
            return _UNCHANGED
        if why := self._refusal(applied):
            return Answer("refused", why)
        if known is None:
            self._put(Live(applied, owner))
            return Answer("created")
        if known.applied.fixed != applied.fixed:
            if not replace:
                return Answer("refused", f"{applied.id} exists, and what changed in it cannot be changed")
            self._put(Live(applied, owner))
            return Answer("recreated")
        self._put(Live(applied, owner, up=known.up and not applied.runs))
        return Answer("configured")

    def _put(self, live: Live) -> None:
        self.changes.touch(live.applied.id)
        self._drop(live.applied.id)
        self.objects[live.applied.id] = live
        self._own(live, live.owner)
        self.census.enter(live.applied)
        self._parked.look_at(live.applied.id)
        self._parked.see(signs_of(live.applied))

    def _drop(self, object_id: ObjectId) -> None:
        self.changes.touch(object_id)
        live = self.objects.pop(object_id, None)
        if live is not None:
            self._owned[live.owner].discard(object_id)
            self._news.owners.add(live.owner)
            self._news.stored.add(object_id)
            self.census.leave(live.applied)

    def _own(self, live: Live, owner: str) -> None:
        self.changes.touch(live.applied.id)
        self._owned[live.owner].discard(live.applied.id)
        self._news.owners.add(live.owner)
        self._news.stored.add(live.applied.id)
        live.owner = owner
        self._owned[owner].add(live.applied.id)

    def _refusal(self, applied: Applied) -> str:
        if applied.id.namespace and not self.has_namespace(applied.id.namespace):
            return f"there is no Namespace {applied.id.namespace}"
        if applied.kind in self.defined_here and not self.is_defined(applied.kind):
            return f"no CustomResourceDefinition defines {applied.id.kind} ({applied.id.group})"
        return ""

    def has_namespace(self, name: str) -> bool:
        """Whether a Namespace exists."""
        return (
            name in _GIVEN
            or ObjectId("", "Namespace", "", name) in self.objects
            or Reference("Namespace", "", name) in self.given
        )

    def is_defined(self, kind: tuple[str, str]) -> bool:
        """Whether a definition of ``kind`` exists."""
        return self.census.defines(kind)

    def delete(self, object_id: ObjectId) -> bool:
        """Take an object away; with a Namespace goes all that lies in it. Whether it is gone."""
        if object_id in self.bound:
            return False
        self._drop(object_id)
        if object_id.kind == "Namespace" and not object_id.group:
            for inside in [one for one in self.objects if one.namespace == object_id.name]:
                self._drop(inside)
        return True

    def expire(self) -> tuple[ObjectId, ...]:
        """Delete every Job that is done and has a time to live."""
        gone = tuple(one for one, live in self.objects.items() if live.applied.expires and live.up)
        for one in gone:
            self._drop(one)
        return gone

    def fail(self, object_id: ObjectId) -> None:
        """The pods of an object are not ready any more, and do not come back."""
        self.broken.add(object_id)
        if object_id in self.objects:
            self._stop(self.objects[object_id])

    def lose_power(self) -> None:
        """Every pod is gone at once; what was done stays done."""
        for live in self.objects.values():
            if live.applied.runs and live.applied.kind not in _FINISHES:
                self._stop(live)
        self.started.clear()

    def _stop(self, live: Live) -> None:
        self.changes.touch(live.applied.id)
        live.up = False
        self._news.owners.add(live.owner)
        self._news.moved.add(live.applied.id)
        self._parked.look_at(live.applied.id)

    # What happens in it.

    def heed(self) -> None:
        """Look again at what has been broken since the last time, or is not any more."""
        for one in self.broken ^ self._heard:
            self._news.moved.add(one)
            self._parked.look_at(one)
            if one in self.objects:
                self._parked.see(signs_of(self.objects[one].applied))
        self._heard = frozenset(self.broken)

    def tick(self) -> None:
        """Start every pod that nothing holds any more, all at once."""
        self.ticks += 1
        for live in [live for live in self._due() if self._may_start(live)]:
            self.changes.touch(live.applied.id)
            live.up = True
            self._news.moved.add(live.applied.id)
            self.started[live.applied.id] = self.ticks
            self._parked.see(signs_of(live.applied))

    def _due(self) -> Iterator[Live]:
        found = (self.objects.get(one) for one in self._parked.take())
        return (live for live in found if live is not None and live.applied.runs and not live.up)

    def _may_start(self, live: Live) -> bool:
        if live.applied.id in self.broken:
            return False
        lack = next(self.lacks(live.applied), None)
        if lack is not None:
            self._parked.park(live.applied.id, signs_for(lack.what, self.census))
        return lack is None

    # What can be seen of it.

    def news(self) -> News:
        """What happened since somebody asked last."""
        found, self._news = self._news, News()
        return found

    def owned(self, owner: str) -> tuple[ObjectId, ...]:
        """Everything that ``owner`` applied last, in order."""
        return tuple(sorted(self._owned[owner]))

    def healthy(self, object_id: ObjectId) -> bool:
        """Whether an object is what it should be: it exists, and its pods run, or have run."""
        live = self.objects.get(object_id)
        if live is None or object_id in self.broken:
            return False
        return live.up or not live.applied.runs

    def lacks(self, applied: Applied) -> Iterator[Lack]:
        """Why the pods of an object do not start; nothing if they may."""
        yield from (Lack(need, needed=True) for need in applied.needs if not self.exists(need))
        yield from (Lack(wait, needed=False) for wait in applied.waits if not self.answers(wait))

    def exists(self, need: Reference) -> bool:
        """Whether something of that name exists, or has been made by what is healthy."""
        return plain(need) in self.given or bool(self.census.named(need) or self.census.makers(need) - self.broken)

    def answers(self, wait: Reference) -> bool:
        """Whether what a pod waits for is there: a Job is done, a Service or labels lead to a pod that runs."""
        return wait in self.given or any(self.objects[one].up for one in self.census.behind(wait))

    def unhealthy(self) -> Mapping[ObjectId, tuple[str, ...]]:
        """Every object that is not what it should be, with the reasons."""
        found = {}
        for object_id, live in sorted(self.objects.items()):
            if not self.healthy(object_id):
                broken = ("it never becomes healthy",) if object_id in self.broken else ()
                found[object_id] = (*broken, *map(str, self.lacks(live.applied)))
        return found


def leads_to(service: Applied, workload: Applied) -> bool:
    """Whether a Service selects the pods of a workload of its namespace."""
    if not service.selects or workload.pods is None:
        return False
    return set(service.selects) <= set(workload.pods)
