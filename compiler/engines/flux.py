"""Flux: how one Kustomization is reconciled, and when its turn comes.

A model of kustomize-controller 186fb3b (1.9.4), as far as order depends on it:
``internal/controller/kustomization_controller.go`` (``checkDependencies``, ``reconcile``). The tests have a case for
each sentence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from compiler.engines.changes import Changes
from compiler.engines.cluster import Cluster
from compiler.engines.kustomization import KIND, PREFIX, Kustomization
from compiler.engines.log import Log
from compiler.engines.objects import Applied
from compiler.engines.revision import Revision
from compiler.engines.roster import Roster
from compiler.engines.standstill import Waiter
from compiler.model.manifest import ObjectId


def _followers(present: Mapping[str, Kustomization]) -> defaultdict[str, set[str]]:
    """The Kustomizations that wait for each one."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, kustomization in present.items():
        for other in kustomization.depends_on:
            found[other].add(name)
    return found


def _unfit(kustomization: Kustomization, applied: Applied) -> str:
    """Why an object cannot even be sent to the API server."""
    if not applied.id.kind:
        return f"{applied.path} is not a manifest"
    if applied.sealed and not kustomization.spec.get("decryption"):
        return f"{applied.id} is encrypted, and nothing says how to decrypt it"
    return f"{applied.id} has no name of its own, and cannot be applied" if applied.unnamed else ""


@dataclass(slots=True)
class _State:
    """What kustomize-controller remembers: the revision that was applied, whether it is ready, what it owns.

    ``observed`` is the object that it looked at last, ``held`` says whether a dependency holds it, ``at`` which one of
    those that it names was looked at last.
    """

    revision: str = ""
    ready: bool = False
    inventory: frozenset[ObjectId] = frozenset()
    held: bool = False
    at: int = 0
    observed: str = ""
    awaiting: tuple[ObjectId, ...] = ()
    said: set[str] = field(default_factory=set)


class Flux:
    """kustomize-controller on a cluster.

    Kustomizations exist once they are applied: ``roots`` by a user, others by one of them.
    """

    def __init__(self, cluster: Cluster, roots: Sequence[Applied], log: Log) -> None:
        self.cluster, self.log = cluster, log
        self.roster = Roster(cluster, roots, KIND, Kustomization.of)
        self.changes = Changes(self._standing)
        self._states: defaultdict[str, _State] = defaultdict(_State)
        self._followers: defaultdict[str, set[str]] = defaultdict(set)
        self._woken: set[str] = set()
        self._busy: set[str] = set()

    def step(self, revision: Revision) -> None:
        """Give every Kustomization its turn. One sees another's readiness as it was before the turn.

        A turn that can change nothing is left out: nothing that the Kustomization reads, applied or waits for has
        changed since its last one. One that only waits for the health of what it applied looks at nothing else.
        """
        stirred = self._stirred(revision)
        present = self.roster.present
        due = sorted((stirred | self._busy) & present.keys())
        before = {name: self._standing(name) for name in due}
        for name in due:
            self.changes.touch(name)
            if name in stirred or not self._states[name].awaiting:
                self._turn(present[name], before, revision)
            else:
                self._look(present[name], revision)
            if self._standing(name) != before[name]:
                self._woken |= self._followers[name]
            idle = self._states[name].ready or self._states[name].held
            self._busy.discard(name) if idle else self._busy.add(name)

    def _stirred(self, revision: Revision) -> set[str]:
        """Those for whom anything is new but the health of what they await."""
        before = self.roster.present
        changed, gone = self.roster.renew(revision)
        for name in sorted(gone):
            self._prune(replace(before[name], objects=()), self._states.pop(name, _State()))
        if changed or gone:
            self._followers = _followers(self.roster.present)
        woken, self._woken = self._woken, set()
        return changed.union(woken, self.cluster.news().owners, *(self._followers[name] for name in gone))

    def _standing(self, name: str) -> tuple[bool, str, str]:
        state = self._states[name]
        return state.ready, state.revision, state.observed

    def _turn(
        self,
        kustomization: Kustomization,
        before: Mapping[str, tuple[bool, str, str]],
        revision: Revision,
    ) -> None:
        state = self._states[kustomization.name]
        state.observed = kustomization.text
        state.held = self._is_held(kustomization, state, before, revision)
        if state.held:
            state.ready = state.ready and state.revision == revision.name
            return
        if refusal := self._apply(kustomization):
            state.ready, state.awaiting = False, ()
            self._once(kustomization, f"cannot apply {revision.name}: {refusal}")
            return
        self._prune(kustomization, state)
        state.awaiting = tuple(each.id for each in kustomization.awaited)
        self._look(kustomization, revision)

    def _look(self, kustomization: Kustomization, revision: Revision) -> None:
        """See which of the objects that it awaits are not healthy yet."""
        state = self._states[kustomization.name]
        was, state.revision = (state.ready, state.revision), revision.name
        state.awaiting = tuple(one for one in state.awaiting if not self.cluster.healthy(one))
        state.ready = not state.awaiting
        if state.ready and was != (True, revision.name):
            self.log(kustomization.name, f"is ready at {revision.name}")

    def _is_held(
        self,
        kustomization: Kustomization,
        state: _State,
        before: Mapping[str, tuple[bool, str, str]],
        revision: Revision,
    ) -> bool:
        """Whether a dependency holds it. The one that held it last is looked at first: mostly it still does."""
        names = kustomization.depends_on
        for at in chain(range(state.at, len(names)), range(min(state.at, len(names)))):
            if self._is_unmet(names[at], kustomization, before, revision):
                state.at = at
                return True
        return False

    def _is_unmet(
        self,
        name: str,
        kustomization: Kustomization,
        before: Mapping[str, tuple[bool, str, str]],
        revision: Revision,
    ) -> bool:
        """A dependency must exist, be ready as it is now, and, from the same source, have applied the same revision.

        An expression in place of that is taken to be true: what it asks for is not known here.
        """
        other = self.roster.present.get(name)
        if other is None or name in kustomization.told:
            return other is None
        ready, applied, observed = before[name] if name in before else self._standing(name)
        return (
            not ready or observed != other.text or (other.source == kustomization.source and applied != revision.name)
        )

    def _apply(self, kustomization: Kustomization) -> str:
        for name, stage in kustomization.staged:
            for applied in stage:
                if why := _unfit(kustomization, applied):
                    return why
                if refusal := self._object(kustomization, applied, name):
                    return refusal
        return ""

    def _object(self, kustomization: Kustomization, applied: Applied, stage: str) -> str:
        how = applied.annotations.get(f"{PREFIX}/ssa", "")
        known = self.cluster.objects.get(applied.id)
        if how == "Ignore" or (how == "IfNotPresent" and known is not None):
            return ""
        force = kustomization.spec.get("force") is True or applied.annotations.get(f"{PREFIX}/force") == "enabled"
        answer = self.cluster.apply(applied, kustomization.name, replace=force)
        if answer.refused:
            return answer.why
        if answer.verb != "unchanged":
            self.log(kustomization.name, f"applies {applied.id} ({stage})")
            if kustomization.rewrites(applied):
                self.log(kustomization.name, f"rewrites every ${{NAME}} in {applied.id}")
        return ""

    def _prune(self, kustomization: Kustomization, state: _State) -> None:
        """What left the Kustomization and is still owned by it is deleted, in no order."""
        wanted = kustomization.wanted
        for gone in sorted(state.inventory - wanted) if kustomization.spec.get("prune") is True else ():
            live = self.cluster.objects.get(gone)
            kept = live is None or live.applied.annotations.get(f"{PREFIX}/prune") == "disabled"
            if live is not None and live.owner == kustomization.name and not kept:
                self.cluster.delete(gone)
                self.log(kustomization.name, f"deletes {gone}")
        state.inventory = wanted

    def _once(self, kustomization: Kustomization, what: str) -> None:
        said = self._states[kustomization.name].said
        if what not in said:
            said.add(what)
            self.log(kustomization.name, what)

    def waits(self, revision: Revision) -> Mapping[str, tuple[Waiter, ...]]:
        """Each Kustomization that is not ready: the objects whose health it awaits, those whose turn comes first."""
        return {name: tuple(self._waits(each, revision)) for name, each in self.roster.present.items()}

    def _waits(self, kustomization: Kustomization, revision: Revision) -> Iterator[Waiter]:
        state = self._states[kustomization.name]
        yield from map(Waiter, state.awaiting)
        for name in kustomization.depends_on if state.held else ():
            if self._is_unmet(name, kustomization, {}, revision):
                yield Waiter(sync=name)
