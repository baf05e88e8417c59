"""What one sync of Argo CD does, in its order.

A model of argo-cd 37ee0097cf (3.6.0), ``gitops-engine/pkg/sync`` (``sync_context.go``, ``sync_tasks.go``,
``syncwaves``). The tests have a case for each sentence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from compiler.engines.application import OPTIONS, Application, hook_types
from compiler.engines.cluster import Cluster
from compiler.engines.objects import Applied
from compiler.model.manifest import ObjectId

PHASES: Final = ("PreSync", "Sync", "PostSync", "SyncFail")
_KINDS: Final = (
    *("Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodSecurityPolicy", "PodDisruptionBudget"),
    *("ServiceAccount", "Secret", "SecretList", "ConfigMap", "StorageClass", "PersistentVolume"),
    *("PersistentVolumeClaim", "CustomResourceDefinition", "ClusterRole", "ClusterRoleList", "ClusterRoleBinding"),
    *("ClusterRoleBindingList", "Role", "RoleList", "RoleBinding", "RoleBindingList", "Service", "DaemonSet", "Pod"),
    *("ReplicationController", "ReplicaSet", "Deployment", "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob"),
    *("IngressClass", "Ingress", "APIService"),
)
RANK: Final[Mapping[str, int]] = {kind: rank - len(_KINDS) for rank, kind in enumerate(_KINDS)}
"""The order of kinds inside a wave (``sync_tasks.go``); kinds that are not in the table come last."""


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that a sync does with one object."""

    phase: int
    wave: int
    applied: Applied
    hook: bool = False
    prune: bool = False


def tasks(application: Application, cluster: Cluster, *, prune: bool) -> tuple[Task, ...]:
    """Everything that one sync does, in its order."""
    found = [task for each in application.objects for task in _of(each)]
    if prune:
        found += tuple(_prunes(application, cluster, found))
    return tuple(sorted(_hoisted(found), key=_place))


def _place(task: Task) -> tuple[int, int, int, str]:
    """Its place in the order: phase, wave, kind, name."""
    return task.phase, task.wave, RANK.get(task.applied.id.kind, 0), task.applied.id.name


def _of(applied: Applied) -> Iterator[Task]:
    types = hook_types(applied)
    if types is None:
        yield Task(PHASES.index("Sync"), applied.wave, applied)
    for kind in types or ():
        if kind in PHASES:
            yield Task(PHASES.index(kind), applied.wave, applied, hook=True)


def leavers(application: Application, cluster: Cluster) -> list[Applied]:
    """What the Application has applied, and Git no longer holds. Hooks are not among them: they are never pruned."""
    owned = (cluster.objects[one].applied for one in cluster.owned(application.name) if one not in application.wanted)
    return [each for each in owned if hook_types(each) is None]


def _prunes(application: Application, cluster: Cluster, others: Sequence[Task]) -> Iterator[Task]:
    """Prunings in the waves of their objects, turned around: the last goes first."""
    gone = [each for each in leavers(application, cluster) if prunable(each)]
    sync = PHASES.index("Sync")
    last = max((task.wave for task in others if task.phase == sync), default=0) + 1
    every = application.option("PruneLast")
    late = {each.id for each in gone if every or "PruneLast=true" in each.listed(OPTIONS)}
    waves = sorted({each.wave for each in gone if each.id not in late})
    turned = dict(zip(waves, reversed(waves), strict=True))
    for each in gone:
        yield Task(sync, last if each.id in late else turned[each.wave], each, prune=True)


def prunable(applied: Applied) -> bool:
    """Whether a sync may delete it."""
    return "Prune=false" not in applied.listed(OPTIONS)


def _asks(applied: Applied) -> bool:
    return "Prune=confirm" in applied.listed(OPTIONS)


def _hoisted(found: Sequence[Task]) -> Iterator[Task]:
    """Namespaces and definitions move to the phase and wave of the first object that needs them."""
    first: dict[tuple[str, str], tuple[int, int]] = {}
    for task in found:
        if not task.prune:
            for need in (("Namespace", task.applied.id.namespace), task.applied.kind):
                first[need] = min((task.phase, task.wave), first.get(need, (task.phase, task.wave)))
    for task in found:
        needed = first.get(_given(task.applied), (task.phase, task.wave))
        moved = not task.prune and needed < (task.phase, task.wave)
        yield Task(*needed, task.applied, task.hook) if moved else task


def _given(applied: Applied) -> tuple[str, str]:
    """What an object gives to those that need it: its Namespace, or the kind that it defines."""
    if applied.kind == ("", "Namespace"):
        return "Namespace", applied.id.name
    return applied.defines or ("nothing", "")


def failing(application: Application) -> Iterator[Task]:
    """The hooks of a sync that failed, in their order."""
    last = PHASES.index("SyncFail")
    yield from sorted((task for each in application.objects for task in _of(each) if task.phase == last), key=_place)


@dataclass(frozen=True, slots=True)
class Group:
    """The tasks of one phase and wave, and what must be healthy before the next group begins."""

    phase: int
    wave: int
    tasks: tuple[Task, ...]
    awaited: tuple[ObjectId, ...] = ()

    @property
    def unconfirmed(self) -> tuple[ObjectId, ...]:
        """What it deletes only once somebody has confirmed that."""
        return tuple(task.applied.id for task in self.tasks if task.prune and _asks(task.applied))

    def __str__(self) -> str:
        """As messages call it."""
        return f"{PHASES[self.phase]}, wave {self.wave}"


def groups(found: Iterable[Task], known: Collection[tuple[str, str]]) -> tuple[Group, ...]:
    """``found``, which is in order, in groups; of each the health of the ``known`` kinds is awaited.

    Prunings come first in a group. The last group of a sync without hooks is not awaited. The phase SyncFail is none.
    """
    of: dict[tuple[int, int], list[Task]] = {}
    for task in found:
        of.setdefault((task.phase, task.wave), []).append(task)
    every = [
        Group(*key, tuple(sorted(of[key], key=lambda task: not task.prune)))
        for key in sorted(of)
        if key[0] != PHASES.index("SyncFail")
    ]
    last = None if any(task.hook for group in every for task in group.tasks) else every[-1:]
    following = (*every[1:], None)
    return tuple(
        one if [one] == last else replace(one, awaited=tuple(_awaited(one, after, every, known)))
        for one, after in zip(every, following, strict=False)
    )


def _awaited(
    group: Group, after: Group | None, every: Sequence[Group], known: Collection[tuple[str, str]]
) -> Iterator[ObjectId]:
    """The objects of the group itself; before the phase PostSync begins, those of the whole phase Sync."""
    ends = group.phase == PHASES.index("Sync") and after is not None and after.phase == PHASES.index("PostSync")
    for one in every if ends else (group,):
        if one.phase == group.phase:
            kept = (each.applied for each in one.tasks if not each.prune)
            yield from (each.id for each in kept if each.kind in known)
