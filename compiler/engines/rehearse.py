"""Rehearsals: what an engine makes of the emitted files, from an empty cluster to a power loss.

A rehearsal goes in turns: every Application or Kustomization does what it can, then every pod that nothing holds any
more starts. It ends when a turn changes nothing. What is not healthy then never will be, and ``stuck`` says why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Final

from compiler.engines.argocd import ArgoCD, hook_types
from compiler.engines.cluster import Cluster, leads_to
from compiler.engines.flux import Flux
from compiler.engines.log import Entry, Log
from compiler.engines.objects import Applied
from compiler.engines.revision import Revision
from compiler.model.manifest import ObjectId, Reference

_PATIENCE: Final = 2
"""Turns without a change before a rehearsal is over."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """What is not as Git wants it when nothing happens any more, with the reasons, and circles of waiting."""

    unhealthy: Mapping[ObjectId, tuple[str, ...]]
    absent: Mapping[ObjectId, str]
    circles: tuple[tuple[str, ...], ...]

    def __bool__(self) -> bool:
        """Whether anything is stuck."""
        return bool(self.unhealthy or self.absent)


@dataclass(slots=True)
class Rehearsal:
    """An engine on a cluster, and the repository that it reads; ``roots`` are the objects that a user applies."""

    engine: ArgoCD | Flux
    cluster: Cluster
    revision: Revision
    log: Log
    _seen: list[object] = field(default_factory=list)

    @classmethod
    def argocd(cls, revision: Revision, roots: Sequence[Applied], given: Iterable[Reference] = ()) -> Rehearsal:
        """Argo CD on an empty cluster, in which ``given`` exists."""
        log, cluster = Log(), _empty(revision, roots, given)
        return cls(ArgoCD(cluster, roots, log), cluster, revision, log)

    @classmethod
    def flux(cls, revision: Revision, roots: Sequence[Applied], given: Iterable[Reference] = ()) -> Rehearsal:
        """Flux on an empty cluster, in which ``given`` exists."""
        log, cluster = Log(), _empty(revision, roots, given)
        return cls(Flux(cluster, roots, log), cluster, revision, log)

    # What happens.

    def run(self, revision: Revision | None = None) -> tuple[Entry, ...]:
        """Let everything happen that will, after a commit if ``revision`` is one; what happened, in order."""
        if revision is not None:
            self.revision = revision
            self.cluster.defined_here |= _defined(revision)
        begun, still, before = len(self.log.entries), 0, self._picture()
        while still < _PATIENCE:
            self.log.turn += 1
            self.engine.step(self.revision)
            self.cluster.tick()
            after = self._picture()
            still, before = still + 1 if after == before else 0, after
        return tuple(self.log.entries[begun:])

    def _picture(self) -> tuple[object, ...]:
        objects = tuple((one, live.applied.text, live.up, live.owner) for one, live in self.cluster.objects.items())
        return objects, self.engine.state()

    def lose_power(self) -> Mapping[ObjectId, int]:
        """Every pod is gone at once and comes back; when each started, in turns from then."""
        self.cluster.lose_power()
        begun = self.cluster.ticks
        self.run()
        return {one: tick - begun for one, tick in self.cluster.started.items()}

    # What can be seen.

    @property
    def wanted(self) -> Mapping[ObjectId, Applied]:
        """Everything that Git asks for, but hooks that Argo CD makes and takes away."""
        found: dict[ObjectId, Applied] = {}
        for _, objects in self._parts():
            found |= {each.id: each for each in objects if each.id.kind and self._is_kept(each)}
        return found

    def _is_kept(self, applied: Applied) -> bool:
        return isinstance(self.engine, Flux) or hook_types(applied) is None

    def _parts(self) -> Iterator[tuple[str, tuple[Applied, ...]]]:
        parts = (
            self.engine.applications(self.revision)
            if isinstance(self.engine, ArgoCD)
            else self.engine.kustomizations(self.revision)
        )
        yield from ((part.name, part.objects) for part in parts)

    def stuck(self) -> Stuck:
        """What is not as Git wants it now that nothing happens any more."""
        wanted, there = self.wanted, self.cluster.objects
        by = {each.id: name for name, objects in self._parts() for each in objects}
        absent = {one: by.get(one, "") for one in sorted(wanted) if one not in there}
        return Stuck(self.cluster.unhealthy(), absent, tuple(self._circles()))

    def _circles(self) -> Iterator[tuple[str, ...]]:
        graph = self._waiting()
        while graph:
            try:
                tuple(TopologicalSorter(graph).static_order())
            except CycleError as error:
                circle = tuple(reversed(error.args[1]))
                yield circle
                graph = {
                    one: {each for each in to if each not in circle} for one, to in graph.items() if one not in circle
                }
            else:
                return

    def _waiting(self) -> dict[str, set[str]]:
        """Who waits for whom: syncs for objects, objects for what they need, what does not exist yet for its sync."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for name, objects in self.engine.holds().items():
            found[f"the sync of {name}"] |= {str(each) for each in objects}
        if isinstance(self.engine, Flux):
            for name, waits in self.engine.waits().items():
                found[f"the sync of {name}"] |= {
                    f"the sync of {wait.split()[1]}" for wait in waits if wait.startswith("K")
                }
        by = {each.id: name for name, objects in self._parts() for each in objects}
        for one, name in by.items():
            if one not in self.cluster.objects:
                found[str(one)].add(f"the sync of {name}")
        everything = {each.id: each for _, objects in self._parts() for each in objects}
        for one, live in self.cluster.objects.items():
            if not self.cluster.healthy(one):
                found[str(one)] |= {str(each) for each in self._lacks(live.applied, everything)}
        return dict(found)

    def _lacks(self, applied: Applied, everything: Mapping[ObjectId, Applied]) -> Iterator[ObjectId]:
        for need in applied.needs:
            if not self.cluster.exists(need):
                yield from (one for one, other in everything.items() if _is(one, need) or _makes(other, need))
        for wait in applied.waits:
            if not self.cluster.answers(wait):
                yield from meant(wait, everything)

    def in_vain(self, one: ObjectId) -> bool:
        """Whether the pods of an object wait for something that nothing in Git is, or makes."""
        live, everything = self.cluster.objects.get(one), self.wanted
        if live is None:
            return False
        needs = (need for need in live.applied.needs if not self.cluster.exists(need))
        waits = (wait for wait in live.applied.waits if not self.cluster.answers(wait))
        unknown = (
            not any(_is(each, need) or _makes(other, need) for each, other in everything.items()) for need in needs
        )
        return any(unknown) or any(not any(meant(wait, everything)) for wait in waits)

    def failures(self) -> tuple[Entry, ...]:
        """The last word of everyone who failed last, to sync or to apply."""
        last = {entry.who: entry for entry in self.log.entries}
        return tuple(entry for entry in last.values() if entry.what.startswith(("fails", "cannot apply")))

    def blocked_by(self, broken: ObjectId) -> tuple[ObjectId, ...]:
        """What a first install leaves undone, or unhealthy, when one object never becomes healthy."""
        self.cluster.broken.add(broken)
        self.run()
        found = self.stuck()
        return tuple(sorted({*found.unhealthy, *found.absent} - {broken}))


def meant(wait: Reference, everything: Mapping[ObjectId, Applied]) -> Iterator[ObjectId]:
    """The objects that a pod waits for: those behind a Service, or the Job itself."""
    for one, other in everything.items():
        if (one.kind, one.namespace, one.name) != (wait.kind, wait.namespace, wait.name):
            continue
        if wait.kind != "Service":
            yield one
            continue
        yield from (
            each.id for each in everything.values() if each.id.namespace == one.namespace and leads_to(other, each)
        )


def _is(one: ObjectId, need: Reference) -> bool:
    return (one.kind, one.namespace, one.name) == (need.kind, need.namespace, need.name)


def _makes(applied: Applied, need: Reference) -> bool:
    return any(
        (each.kind, each.namespace, each.name) == (need.kind, need.namespace, need.name) for each in applied.makes
    )


def _empty(revision: Revision, roots: Sequence[Applied], given: Iterable[Reference]) -> Cluster:
    """A cluster in which the engine itself is installed, and nothing else but what is given."""
    engine = {Reference("Namespace", "", root.id.namespace) for root in roots}
    return Cluster(frozenset(given) | engine, defined_here=_defined(revision))


def _defined(revision: Revision) -> set[tuple[str, str]]:
    return {each.defines for objects in revision.files.values() for each in objects if each.defines}


Begin = Callable[[Revision, Sequence[Applied]], Rehearsal]
"""``Rehearsal.argocd`` or ``Rehearsal.flux``."""
