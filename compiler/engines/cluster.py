"""A cluster in small: what exists, what is refused, which pods run, and why others do not.

It knows what ordering depends on and nothing else: an object needs its Namespace and the definition of its kind; some
fields cannot be changed; a pod starts once what it names exists and what it waits for by itself is there; a Job is
done once its pod ran; a Service is there once a pod behind it runs. Controllers of custom kinds are taken to be
installed and to do their work at once, unless ``broken`` says otherwise.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from compiler.engines.objects import DELIVERS, Applied
from compiler.model.manifest import ObjectId, Reference
from compiler.relations.waits import labels_of

_GIVEN: Final = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
_GROUPS: Final = {"Job": "batch", "DaemonSet": "apps", "Deployment": "apps", "StatefulSet": "apps"}
"""The groups of what pods wait for by name."""

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


@dataclass(slots=True)
class Cluster:
    """What exists: ``given`` from the beginning. ``broken`` objects never become healthy.

    ``touched`` are the owners of what was changed, taken away or made unhealthy since somebody asked last;
    ``delivered`` counts the changes to objects that tell an engine what to apply.
    """

    given: Collection[Reference] = ()
    broken: set[ObjectId] = field(default_factory=set)
    objects: dict[ObjectId, Live] = field(default_factory=dict)
    started: dict[ObjectId, int] = field(default_factory=dict)
    _names: Counter[Reference] = field(default_factory=Counter)
    _makers: defaultdict[Reference, set[ObjectId]] = field(default_factory=lambda: defaultdict(set))
    _defined: Counter[tuple[str, str]] = field(default_factory=Counter)
    _pods: defaultdict[str, set[ObjectId]] = field(default_factory=lambda: defaultdict(set))
    _owned: defaultdict[str, set[ObjectId]] = field(default_factory=lambda: defaultdict(set))
    _down: set[ObjectId] = field(default_factory=set)
    _delivering: dict[ObjectId, Applied] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    delivered: int = 0
    ticks: int = 0
    defined_here: set[tuple[str, str]] = field(default_factory=set)

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
        self._drop(live.applied.id)
        self.objects[live.applied.id] = live
        if live.applied.runs and not live.up:
            self._down.add(live.applied.id)
        self._own(live, live.owner)
        self._count(live.applied, 1)

    def _drop(self, object_id: ObjectId) -> None:
        live = self.objects.pop(object_id, None)
        if live is not None:
            self._down.discard(object_id)
            self._owned[live.owner].discard(object_id)
            self.touched.add(live.owner)
            self._count(live.applied, -1)

    def _own(self, live: Live, owner: str) -> None:
        self._owned[live.owner].discard(live.applied.id)
        self.touched.add(live.owner)
        live.owner = owner
        self._owned[owner].add(live.applied.id)

    def _count(self, applied: Applied, by: int) -> None:
        """Keep count of names, of what is made, of kinds that are defined; and of pods by their namespace."""
        identity = applied.id
        self._names[Reference(identity.kind, identity.namespace, identity.name)] += by
        for made in applied.makes:
            makers = self._makers[made]
            makers.add(identity) if by > 0 else makers.discard(identity)
        if applied.defines:
            self._defined[applied.defines] += by
        if applied.runs:
            pods = self._pods[identity.namespace]
            pods.add(identity) if by > 0 else pods.discard(identity)
        if identity.group in DELIVERS:
            self.delivered += 1
            self._delivering.pop(identity, None)
            self._delivering |= {identity: applied} if by > 0 else {}

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
        return self._defined[kind] > 0

    def delete(self, object_id: ObjectId) -> None:
        """Take an object away; with a Namespace goes all that lies in it."""
        self._drop(object_id)
        if object_id.kind == "Namespace" and not object_id.group:
            for inside in [one for one in self.objects if one.namespace == object_id.name]:
                self._drop(inside)

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
            self.objects[object_id].up = False
            self._down.add(object_id)
            self.touched.add(self.objects[object_id].owner)

    def lose_power(self) -> None:
        """Every pod is gone at once; what was done stays done."""
        for live in self.objects.values():
            if live.applied.runs and live.applied.kind not in _FINISHES:
                live.up = False
                self._down.add(live.applied.id)
                self.touched.add(live.owner)
        self.started.clear()

    # What happens in it.

    def tick(self) -> bool:
        """Start every pod that nothing holds any more, all at once. Whether anything happened."""
        self.ticks += 1
        ready = [self.objects[one] for one in self._down if self._may_start(self.objects[one])]
        for live in ready:
            live.up = True
            self._down.discard(live.applied.id)
            self.started[live.applied.id] = self.ticks
        return bool(ready)

    def _may_start(self, live: Live) -> bool:
        if live.up or not live.applied.runs or live.applied.id in self.broken:
            return False
        return next(self.missing(live.applied), None) is None

    def settle(self) -> None:
        """Let everything happen that can."""
        while self.tick():
            pass

    # What can be seen of it.

    def delivering(self, kind: tuple[str, str]) -> tuple[Applied, ...]:
        """Every object of a kind that tells an engine what to apply."""
        return tuple(each for each in self._delivering.values() if each.kind == kind)

    def owned(self, owner: str) -> tuple[ObjectId, ...]:
        """Everything that ``owner`` applied last, in order."""
        return tuple(sorted(self._owned[owner]))

    def healthy(self, object_id: ObjectId) -> bool:
        """Whether an object is what it should be: it exists, and its pods run, or have run."""
        live = self.objects.get(object_id)
        if live is None or object_id in self.broken:
            return False
        return live.up or not live.applied.runs

    def missing(self, applied: Applied) -> Iterator[str]:
        """Why the pods of an object do not start, in words; nothing if they may."""
        for need in applied.needs:
            if not self.exists(need):
                yield f"there is no {need.kind} {need.name}"
        for wait in applied.waits:
            if not self.answers(wait):
                yield f"its pods wait for {wait.kind} {wait.name}"

    def exists(self, need: Reference) -> bool:
        """Whether something of that name exists, or has been made by what is healthy."""
        wanted = Reference(need.kind, need.namespace, need.name)
        return wanted in self.given or self._names[wanted] > 0 or bool(self._makers[wanted] - self.broken)

    def answers(self, wait: Reference) -> bool:
        """Whether what a pod waits for is there: a Job is done, a Service or labels lead to a pod that runs."""
        if wait in self.given:
            return True
        labels = labels_of(wait.name)
        if labels:
            found = (self.objects[one] for one in self._pods[wait.namespace])
            return any(live.up and set(labels) <= set(live.applied.pods or ()) for live in found)
        live = self.objects.get(ObjectId(wait.namespace, wait.kind, _GROUPS.get(wait.kind, ""), wait.name))
        if live is None:
            return False
        return any(pod.up for pod in self.behind(live.applied)) if wait.kind == "Service" else live.up

    def behind(self, service: Applied) -> Iterator[Live]:
        """The workloads that a Service leads to."""
        for one in sorted(self._pods[service.id.namespace]):
            if leads_to(service, self.objects[one].applied):
                yield self.objects[one]

    def unhealthy(self) -> Mapping[ObjectId, tuple[str, ...]]:
        """Every object that is not what it should be, with the reasons."""
        found = {}
        for object_id, live in sorted(self.objects.items()):
            if not self.healthy(object_id):
                broken = ("it never becomes healthy",) if object_id in self.broken else ()
                found[object_id] = (*broken, *self.missing(live.applied))
        return found


def leads_to(service: Applied, workload: Applied) -> bool:
    """Whether a Service selects the pods of a workload of its namespace."""
    if not service.selects or workload.pods is None:
        return False
    return set(service.selects) <= set(workload.pods)
