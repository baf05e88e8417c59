"""Rehearsals: what an engine makes of the emitted files, from an empty cluster to a power loss.

A rehearsal goes in turns: every Application or Kustomization does what it can, then every pod that nothing holds any
more starts. It ends when a turn changes nothing. What is not healthy then never will be, and ``stuck`` says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from compiler.engines.application import hook_types
from compiler.engines.argocd import ArgoCD
from compiler.engines.cluster import Cluster
from compiler.engines.flux import Flux
from compiler.engines.log import Entry, Log
from compiler.engines.objects import Applied
from compiler.engines.revision import Revision
from compiler.engines.standstill import Standstill, Stuck
from compiler.model.manifest import ObjectId, Reference

_PATIENCE: Final = 2
"""Turns without a change before a rehearsal is over."""


@dataclass(slots=True)
class Rehearsal:
    """An engine on a cluster, and the repository that it reads; ``roots`` are the objects that a user applies."""

    engine: ArgoCD | Flux
    cluster: Cluster
    revision: Revision
    log: Log

    @classmethod
    def argocd(
        cls,
        revision: Revision,
        roots: Sequence[Applied],
        given: Iterable[Reference] = (),
        *,
        assesses: bool = False,
    ) -> Rehearsal:
        """Argo CD on an empty cluster, in which ``given`` exists; it ``assesses`` the health of Applications or not."""
        log, cluster = Log(), _empty(revision, roots, given)
        return cls(ArgoCD(cluster, roots, log, assesses=assesses), cluster, revision, log)

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
        begun, still = len(self.log.entries), 0
        self._settle()
        while still < _PATIENCE:
            self.log.turn += 1
            self.cluster.heed()
            self.engine.step(self.revision)
            self.cluster.tick()
            still = 0 if self._settle() else still + 1
        return tuple(self.log.entries[begun:])

    def _settle(self) -> bool:
        """Whether the turn that ends changed anything."""
        return self.cluster.changes.settle() | self.engine.changes.settle()

    def lose_power(self) -> Mapping[ObjectId, int]:
        """Every pod is gone at once and comes back; when each started, in turns from then."""
        self.cluster.lose_power()
        begun = self.cluster.ticks
        self.run()
        return {one: tick - begun for one, tick in self.cluster.started.items()}

    # What can be seen.

    def stuck(self) -> Stuck:
        """What is not as Git wants it now that nothing happens any more."""
        parts = self.engine.roster.at(self.revision)
        applied = {each.id: (each, part.name) for part in parts for each in part.objects}
        kept = {one for one, (each, _) in applied.items() if one.kind and self._is_kept(each)}
        return Standstill(self.cluster, applied, kept, self.engine.waits(self.revision)).stuck()

    def _is_kept(self, applied: Applied) -> bool:
        """Whether it stays: hooks are made and taken away by Argo CD."""
        return isinstance(self.engine, Flux) or hook_types(applied) is None

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


def _empty(revision: Revision, roots: Sequence[Applied], given: Iterable[Reference]) -> Cluster:
    """A cluster in which the engine itself is installed, and nothing else but what is given."""
    engine = {Reference("Namespace", "", root.id.namespace) for root in roots}
    return Cluster(frozenset(given) | engine, defined_here=_defined(revision))


def _defined(revision: Revision) -> set[tuple[str, str]]:
    return {each.defines for objects in revision.files.values() for each in objects if each.defines}


Begin = Callable[[Revision, Sequence[Applied]], Rehearsal]
"""``Rehearsal.argocd`` or ``Rehearsal.flux``."""
