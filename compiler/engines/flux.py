"""Flux: how one Kustomization is reconciled, and when its turn comes.

A model of kustomize-controller 186fb3b (1.9.4) and fluxcd/pkg e2cfd1a2, as far as order depends on it:
``internal/controller/kustomization_controller.go`` (``checkDependencies``, ``reconcile``), ``ssa/manager_apply.go``
(``ApplyAllStaged``). The tests have a case for each sentence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from compiler.engines import health
from compiler.engines.cluster import Cluster
from compiler.engines.log import Log
from compiler.engines.objects import Applied
from compiler.engines.revision import Revision
from compiler.model.manifest import ObjectId
from compiler.relations.untyped import Map, items, mapping

_STAGED: Final = frozenset({"CustomResourceDefinition", "ClusterRole", "Namespace"})
_PREFIX: Final = "kustomize.toolkit.fluxcd.io"
KIND: Final = (_PREFIX, "Kustomization")


@dataclass(frozen=True)
class Kustomization:
    """A Kustomization and what its path builds at one revision."""

    name: str
    spec: Map
    objects: tuple[Applied, ...]

    @classmethod
    def of(cls, applied: Applied, revision: Revision) -> Kustomization:
        """What ``applied``, a Kustomization, comes to at ``revision``."""
        return cls(applied.id.name, applied.spec, tuple(revision.built(str(applied.spec.get("path", ".")))))

    @cached_property
    def depends_on(self) -> tuple[str, ...]:
        """The Kustomizations that it waits for."""
        return tuple(str(each.get("name")) for each in items(self.spec, "dependsOn"))

    @cached_property
    def source(self) -> str:
        """Where it comes from."""
        reference = mapping(self.spec, "sourceRef")
        return f"{reference.get('kind')}/{reference.get('name')}"

    @cached_property
    def awaited(self) -> tuple[Applied, ...]:
        """Those of its objects that it is ready only with."""
        return tuple(each for each in self.objects if self.awaits(each))

    @cached_property
    def staged(self) -> tuple[tuple[str, tuple[Applied, ...]], ...]:
        """Its objects in the order in which it applies them."""
        return tuple(stages(self.objects))

    @cached_property
    def wanted(self) -> frozenset[ObjectId]:
        """Everything that Git holds of it."""
        return frozenset(each.id for each in self.objects)

    def rewrites(self, applied: Applied) -> bool:
        """Whether ``postBuild`` replaces the text ``${NAME}`` in an object, by nothing if nobody gives it a value."""
        closed = applied.annotations.get(f"{_PREFIX}/substitute") == "disabled"
        return "postBuild" in self.spec and applied.variables and not closed

    def awaits(self, applied: Applied) -> bool:
        """Whether it is ready only once this object is healthy, as far as the object's health can be told."""
        told = {str(each.get("kind")) for each in items(self.spec, "healthCheckExprs")}
        named = {(str(each.get("kind")), str(each.get("name"))) for each in items(self.spec, "healthChecks")}
        known = applied.kind in health.FLUX_BUILT_IN or applied.id.kind in told
        return known and (self.spec.get("wait") is True or (applied.id.kind, applied.id.name) in named)


def stages(objects: Sequence[Applied]) -> Iterator[tuple[str, tuple[Applied, ...]]]:
    """How one Kustomization applies: definitions first, then classes, then everything else at once."""
    definitions = tuple(each for each in objects if each.id.kind in _STAGED)
    classes = tuple(each for each in objects if each.id.kind.endswith("Class") and each not in definitions)
    rest = tuple(each for each in objects if each not in definitions and each not in classes)
    for name, stage in (("definitions", definitions), ("classes", classes), ("everything else", rest)):
        if stage:
            yield name, stage


def _differences(
    before: Mapping[str, Kustomization], present: Mapping[str, Kustomization]
) -> tuple[set[str], set[str]]:
    """Which Kustomizations are new or changed, and which are gone."""
    if before is present:
        return set(), set()
    changed = {name for name, each in present.items() if each is not before.get(name)}
    return changed, before.keys() - present.keys()


def _followers(present: Mapping[str, Kustomization]) -> defaultdict[str, set[str]]:
    """The Kustomizations that wait for each one."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, kustomization in present.items():
        for other in kustomization.depends_on:
            found[other].add(name)
    return found


@dataclass(slots=True)
class _State:
    """What kustomize-controller remembers: the revision that was applied, whether it is ready, what it owns."""

    revision: str = ""
    ready: bool = False
    inventory: frozenset[ObjectId] = frozenset()
    waits: tuple[str, ...] = ()
    awaiting: tuple[ObjectId, ...] = ()
    said: set[str] = field(default_factory=set)


class Flux:
    """kustomize-controller on a cluster.

    Kustomizations exist once they are applied: ``roots`` by a user, others by one of them.
    """

    def __init__(self, cluster: Cluster, roots: Sequence[Applied], log: Log) -> None:
        self.cluster, self.roots, self.log = cluster, tuple(roots), log
        self._states: defaultdict[str, _State] = defaultdict(_State)
        self._read: dict[tuple[ObjectId, str, str], Kustomization] = {}
        self._present: Mapping[str, Kustomization] = {}
        self._followers: defaultdict[str, set[str]] = defaultdict(set)
        self._at = ("", -1)
        self._woken: set[str] = set()
        self._busy: set[str] = set()

    def kustomizations(self, revision: Revision) -> list[Kustomization]:
        """Every Kustomization that exists, with what its path builds now."""
        found = {root.id.name: root for root in self.roots}
        found |= {each.id.name: each for each in self.cluster.delivering(KIND)}
        return [self._kustomization(each, revision) for _, each in sorted(found.items())]

    def _kustomization(self, applied: Applied, revision: Revision) -> Kustomization:
        key = (applied.id, applied.text, revision.name)
        if key not in self._read:
            self._read[key] = Kustomization.of(applied, revision)
        return self._read[key]

    def step(self, revision: Revision) -> None:
        """Give every Kustomization its turn. One sees another's readiness as it was before the turn.

        A turn that can change nothing is left out: nothing that the Kustomization reads, applied or waits for has
        changed since its last one.
        """
        state = (revision.name, self.cluster.delivered)
        present = self._present
        if state != self._at:
            present, self._at = {each.name: each for each in self.kustomizations(revision)}, state
        changed, gone = _differences(self._present, present)
        if changed or gone:
            self._followers = _followers(present)
        woken = self._woken.union(*(self._followers[name] for name in gone))
        due = sorted((changed | woken | self._busy | self.cluster.touched) & present.keys())
        self._present, self._woken, self.cluster.touched = present, set(), set()
        before = {name: self._standing(name) for name in due}
        for name in due:
            self._turn(present[name], present, before, revision)
            if self._standing(name) != before[name]:
                self._woken |= self._followers[name]
            idle = self._states[name].ready or self._states[name].waits
            self._busy.discard(name) if idle else self._busy.add(name)

    def _standing(self, name: str) -> tuple[bool, str]:
        return self._states[name].ready, self._states[name].revision

    def _turn(
        self,
        kustomization: Kustomization,
        present: Mapping[str, Kustomization],
        before: Mapping[str, tuple[bool, str]],
        revision: Revision,
    ) -> None:
        state = self._states[kustomization.name]
        state.waits = tuple(self._unmet(kustomization, present, before, revision))
        if state.waits:
            state.ready = state.ready and state.revision == revision.name
            return
        if refusal := self._apply(kustomization):
            state.ready = False
            self._once(kustomization, f"cannot apply {revision.name}: {refusal}")
            return
        self._prune(kustomization, state)
        was = (state.ready, state.revision)
        state.revision = revision.name
        state.awaiting = tuple(each.id for each in kustomization.awaited if not self.cluster.healthy(each.id))
        state.ready = not state.awaiting
        if state.ready and was != (True, revision.name):
            self.log(kustomization.name, f"is ready at {revision.name}")

    def _unmet(
        self,
        kustomization: Kustomization,
        present: Mapping[str, Kustomization],
        before: Mapping[str, tuple[bool, str]],
        revision: Revision,
    ) -> Iterator[str]:
        """A dependency must exist, be ready, and, from the same source, have applied the same revision."""
        for name in kustomization.depends_on:
            if name not in present:
                yield f"there is no Kustomization {name}"
                continue
            ready, applied = before[name] if name in before else self._standing(name)
            same = present[name].source == kustomization.source
            if not ready or (same and applied != revision.name):
                yield f"Kustomization {name} is not ready"

    def _apply(self, kustomization: Kustomization) -> str:
        for name, stage in kustomization.staged:
            for applied in stage:
                if not applied.id.kind:
                    return f"{applied.path} is not a manifest"
                if refusal := self._object(kustomization, applied, name):
                    return refusal
        return ""

    def _object(self, kustomization: Kustomization, applied: Applied, stage: str) -> str:
        how = applied.annotations.get(f"{_PREFIX}/ssa", "")
        known = self.cluster.objects.get(applied.id)
        if how == "Ignore" or (how == "IfNotPresent" and known is not None):
            return ""
        force = kustomization.spec.get("force") is True or applied.annotations.get(f"{_PREFIX}/force") == "enabled"
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
            kept = live is None or live.applied.annotations.get(f"{_PREFIX}/prune") == "disabled"
            if live is not None and live.owner == kustomization.name and not kept:
                self.cluster.delete(gone)
                self.log(kustomization.name, f"deletes {gone}")
        state.inventory = wanted

    def _once(self, kustomization: Kustomization, what: str) -> None:
        said = self._states[kustomization.name].said
        if what not in said:
            said.add(what)
            self.log(kustomization.name, what)

    def holds(self) -> Mapping[str, tuple[ObjectId, ...]]:
        """Each Kustomization that waits for the health of objects, and which."""
        return {name: state.awaiting for name, state in sorted(self._states.items()) if state.awaiting}

    def waits(self) -> Mapping[str, tuple[str, ...]]:
        """Each Kustomization whose turn has not come, and why."""
        return {name: state.waits for name, state in sorted(self._states.items()) if state.waits}

    def state(self) -> tuple[tuple[str, str, bool, tuple[str, ...]], ...]:
        """Where everything stands, to be compared."""
        return tuple((name, s.revision, s.ready, s.waits) for name, s in sorted(self._states.items()))
