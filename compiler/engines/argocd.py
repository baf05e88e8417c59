"""Argo CD: how one sync of one Application goes, and when one begins.

A model of argo-cd 37ee0097cf (3.6.0), ``gitops-engine/pkg/sync`` (``sync_context.go``, ``sync_tasks.go``,
``syncwaves``, ``hook``) and ``controller/appcontroller.go``, as far as order depends on it. The tests have a case for
each sentence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from compiler.engines import health
from compiler.engines.cluster import Cluster
from compiler.engines.log import Log
from compiler.engines.objects import Applied, sources
from compiler.engines.revision import Revision
from compiler.model.kinds import is_namespaced
from compiler.model.manifest import ObjectId
from compiler.relations.untyped import Map, mapping

PHASES: Final = ("PreSync", "Sync", "PostSync", "SyncFail")
_HOOK: Final = "argocd.argoproj.io/hook"
_HELM_HOOK: Final = "helm.sh/hook"
_OPTIONS: Final = "argocd.argoproj.io/sync-options"
_HELM: Final[Mapping[str, str]] = {
    "crd-install": "",
    "pre-install": "PreSync",
    "pre-upgrade": "PreSync",
    "post-install": "PostSync",
    "post-upgrade": "PostSync",
    "pre-delete": "PreDelete",
    "post-delete": "PostDelete",
}
"""Helm's hook types that Argo CD knows; an object with none but others is never applied."""

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


@dataclass(frozen=True)
class Application:
    """An Application and what its sources hold at one revision."""

    name: str
    spec: Map
    objects: tuple[Applied, ...]

    @classmethod
    def of(cls, applied: Applied, revision: Revision) -> Application:
        """What ``applied``, an Application, comes to at ``revision``."""
        found = [each for source in sources(applied.spec) for each in revision.directory(source)]
        default = str(mapping(applied.spec, "destination").get("namespace", ""))
        return cls(applied.id.name, applied.spec, tuple(_placed(each, default) for each in found))

    @property
    def automated(self) -> bool:
        """Whether it syncs by itself."""
        return bool(mapping(self.spec, "syncPolicy").get("automated") is not None)

    @property
    def prunes(self) -> bool:
        """Whether a sync of its own deletes what left Git."""
        return mapping(self.spec, "syncPolicy", "automated").get("prune") is True

    @property
    def attempts(self) -> int:
        """How often a failed sync is tried again; -1 is without end."""
        limit = mapping(self.spec, "syncPolicy", "retry").get("limit", 0)
        return limit if isinstance(limit, int) else 0

    def option(self, name: str) -> bool:
        """Whether a sync option is on."""
        listed = mapping(self.spec, "syncPolicy").get("syncOptions")
        return isinstance(listed, list) and f"{name}=true" in listed

    @cached_property
    def wanted(self) -> frozenset[ObjectId]:
        """Everything that Git holds of it."""
        return frozenset(each.id for each in self.objects)

    @cached_property
    def desired(self) -> tuple[Applied, ...]:
        """What it applies in the phase Sync and compares with the cluster: everything but hooks."""
        return tuple(each for each in self.objects if hook_types(each) is None)


def _placed(applied: Applied, namespace: str) -> Applied:
    """An object of a namespaced kind without a namespace gets the destination's."""
    if (
        applied.id.namespace
        or not namespace
        or not applied.id.kind
        or not is_namespaced(applied.id.group, applied.id.kind)
    ):
        return applied
    return replace(applied, id=replace(applied.id, namespace=namespace))


def hook_types(applied: Applied) -> tuple[str, ...] | None:
    """The hook types of an object: None for an ordinary one, empty for one that is never applied.

    Argo CD's own annotation replaces Helm's on the same object. ``crd-install`` is an ordinary object.
    """
    if own := applied.listed(_HOOK):
        return tuple(each for each in own if each != "Skip")
    helm = applied.listed(_HELM_HOOK)
    if not helm or "crd-install" in helm:
        return None
    return tuple(dict.fromkeys(_HELM[each] for each in helm if _HELM.get(each)))


def delete_policies(applied: Applied) -> frozenset[str]:
    """When a hook is deleted: both annotations together; ``BeforeHookCreation`` where there is none."""
    helm = {
        "before-hook-creation": "BeforeHookCreation",
        "hook-succeeded": "HookSucceeded",
        "hook-failed": "HookFailed",
    }
    found = {helm.get(each, each) for each in applied.listed("helm.sh/hook-delete-policy")}
    found |= set(applied.listed("argocd.argoproj.io/hook-delete-policy"))
    return frozenset(found or {"BeforeHookCreation"})


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that a sync does with one object."""

    phase: int
    wave: int
    applied: Applied
    hook: bool = False
    prune: bool = False

    @property
    def place(self) -> tuple[int, int, int, str]:
        """Its place in the order: phase, wave, kind, name."""
        return self.phase, self.wave, RANK.get(self.applied.id.kind, 0), self.applied.id.name


def tasks(application: Application, cluster: Cluster, *, prune: bool) -> tuple[Task, ...]:
    """Everything that one sync does, in its order."""
    found = [task for each in application.objects for task in _of(each)]
    if prune:
        found += _prunes(application, cluster, found)
    return tuple(sorted(_hoisted(found), key=lambda task: task.place))


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


def _prunes(application: Application, cluster: Cluster, others: Sequence[Task]) -> list[Task]:
    """Prunings in the waves of their objects, turned around: the last goes first."""
    gone = [each for each in leavers(application, cluster) if _prunable(each)]
    sync = PHASES.index("Sync")
    last = max((task.wave for task in others if task.phase == sync), default=0) + 1
    late = [each for each in gone if application.option("PruneLast") or "PruneLast=true" in each.listed(_OPTIONS)]
    waves = sorted({each.wave for each in gone if each not in late})
    turned = dict(zip(waves, reversed(waves), strict=True))
    return [Task(sync, last if each in late else turned[each.wave], each, prune=True) for each in gone]


def _prunable(applied: Applied) -> bool:
    return "Prune=false" not in applied.listed(_OPTIONS)


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


@dataclass(slots=True)
class Operation:
    """A sync that is under way."""

    revision: str
    groups: list[tuple[tuple[int, int], list[Task]]]
    at: int = 0
    applied: bool = False
    awaiting: tuple[ObjectId, ...] = ()


@dataclass(slots=True)
class _State:
    """What Argo CD remembers of an Application."""

    operation: Operation | None = None
    synced: str = ""
    failures: int = 0
    failed: str = ""


class ArgoCD:
    """Argo CD on a cluster.

    Applications exist once they are applied: ``roots`` by a user, others by an Application.
    """

    def __init__(self, cluster: Cluster, roots: Sequence[Applied], log: Log) -> None:
        self.cluster, self.roots, self.log = cluster, tuple(roots), log
        self._states: defaultdict[str, _State] = defaultdict(_State)
        self.asked: set[str] = {root.id.name for root in roots}
        self._read: dict[tuple[ObjectId, str, str], Application] = {}

    def applications(self, revision: Revision) -> list[Application]:
        """Every Application that exists, with what its sources hold now."""
        found = {root.id.name: root for root in self.roots}
        found |= {each.id.name: each for each in self.cluster.delivering(("argoproj.io", "Application"))}
        return [self._application(each, revision) for _, each in sorted(found.items())]

    def _application(self, applied: Applied, revision: Revision) -> Application:
        key = (applied.id, applied.text, revision.name)
        if key not in self._read:
            self._read[key] = Application.of(applied, revision)
        return self._read[key]

    def step(self, revision: Revision) -> None:
        """Give every Application its turn."""
        for application in self.applications(revision):
            self._turn(application, revision)

    def _turn(self, application: Application, revision: Revision) -> None:
        state = self._states[application.name]
        if state.operation is not None and state.operation.revision != revision.name and state.operation.awaiting:
            return self._go_on(application, state)
        if state.operation is None and self._begins(application, state, revision):
            state.operation = Operation(revision.name, self._groups(application))
            if state.failed != revision.name:
                self.log(application.name, f"begins a sync of {revision.name}")
            if refusal := self._dry_run(application) or self._shared(application):
                self._fail(application, state, refusal)
        if state.operation is not None:
            self._go_on(application, state)
        return None

    def _begins(self, application: Application, state: _State, revision: Revision) -> bool:
        if state.failed == revision.name:
            return application.attempts < 0 or state.failures <= application.attempts
        if application.name in self.asked and not state.synced:
            return True
        return application.automated and self.out_of_sync(application)

    def out_of_sync(self, application: Application) -> bool:
        """Whether the cluster differs from Git in anything but hooks."""
        live = self.cluster.objects
        changed = (each.id not in live or live[each.id].applied.text != each.text for each in application.desired)
        return any(changed) or (application.prunes and any(map(_prunable, leavers(application, self.cluster))))

    def _groups(self, application: Application) -> list[tuple[tuple[int, int], list[Task]]]:
        found: dict[tuple[int, int], list[Task]] = {}
        for task in self._filtered(application):
            found.setdefault((task.phase, task.wave), []).append(task)
        return [(key, found[key]) for key in sorted(found) if key[0] != PHASES.index("SyncFail")]

    def _filtered(self, application: Application) -> Iterator[Task]:
        """With ``ApplyOutOfSyncOnly`` what is as Git wants it is left out, but for hooks."""
        only = application.option("ApplyOutOfSyncOnly")
        for task in tasks(application, self.cluster, prune=application.prunes):
            live = self.cluster.objects.get(task.applied.id)
            same = live is not None and live.applied.text == task.applied.text
            if not (only and same and not task.hook and not task.prune):
                yield task

    def _dry_run(self, application: Application) -> str:
        """Why nothing is applied: a file is no manifest, or a kind is neither known nor defined in the Application."""
        own = {each.defines for each in application.objects if each.defines}
        for each in application.objects:
            if not each.id.kind:
                return f"{each.path} is not a manifest"
            unknown = each.kind in self.cluster.defined_here and not self.cluster.is_defined(each.kind)
            skipped = application.option("SkipDryRunOnMissingResource")
            skipped |= "SkipDryRunOnMissingResource=true" in each.listed(_OPTIONS)
            if unknown and each.kind not in own and not skipped:
                return f"the dry run of {each.id} fails: its kind is not defined"
        return ""

    def _shared(self, application: Application) -> str:
        if not application.option("FailOnSharedResource"):
            return ""
        for each in application.desired:
            live = self.cluster.objects.get(each.id)
            if live is not None and live.owner not in {application.name, ""}:
                return f"{each.id} belongs to {live.owner}"
        return ""

    def _go_on(self, application: Application, state: _State) -> None:
        operation = state.operation
        while operation is not None and operation.at < len(operation.groups):
            (phase, wave), group = operation.groups[operation.at]
            if not operation.applied:
                if refusal := self._apply(application, group, f"{PHASES[phase]}, wave {wave}"):
                    self._fail(application, state, refusal)
                    return
                operation.applied = True
            waiting = self._waiting(operation, group)
            if any(each in self.cluster.broken for each in waiting if each.kind in {"Job", "Pod"}):
                self._fail(application, state, f"{waiting[0]} failed")
                return
            operation.awaiting = waiting
            if waiting:
                return
            self._clean(group)
            operation.at, operation.applied = operation.at + 1, False
        if operation is not None:
            state.operation, state.synced, state.failed, state.failures = None, operation.revision, "", 0
            self.log(application.name, f"has synced {operation.revision}")

    def _apply(self, application: Application, group: Sequence[Task], where: str) -> str:
        for task in group:
            name = task.applied.id
            if task.prune:
                self.cluster.delete(name)
                self.log(application.name, f"deletes {name} ({where})")
                continue
            if task.hook and name in self.cluster.objects and "BeforeHookCreation" in delete_policies(task.applied):
                self.cluster.delete(name)
                self.log(application.name, f"deletes {name}, a hook, to make it anew ({where})")
            replace = bool({"Force=true", "Replace=true"} <= set(task.applied.listed(_OPTIONS)))
            answer = self.cluster.apply(task.applied, "" if task.hook else application.name, replace=replace)
            if answer.refused:
                return answer.why
            if answer.verb != "unchanged":
                self.log(application.name, f"applies {name} ({where})")
        return ""

    def _waiting(self, operation: Operation, group: Sequence[Task]) -> tuple[ObjectId, ...]:
        """What the next group waits for. The last wave of a sync without hooks is not awaited."""
        hooks = any(task.hook for _, others in operation.groups for task in others)
        if operation.at == len(operation.groups) - 1 and not hooks:
            return ()
        found = [task.applied for task in group if not task.prune]
        phase = operation.groups[operation.at][0][0]
        ends_sync = phase == PHASES.index("Sync") and operation.at + 1 < len(operation.groups)
        if ends_sync and operation.groups[operation.at + 1][0][0] == PHASES.index("PostSync"):
            found = [
                task.applied for (p, _), others in operation.groups if p == phase for task in others if not task.prune
            ]
        return tuple(each.id for each in found if self._progressing(each))

    def _progressing(self, applied: Applied) -> bool:
        known = applied.kind in health.ARGOCD
        return known and not self.cluster.healthy(applied.id)

    def _clean(self, group: Sequence[Task]) -> None:
        for task in group:
            if task.hook and "HookSucceeded" in delete_policies(task.applied):
                self.cluster.delete(task.applied.id)

    def _fail(self, application: Application, state: _State, why: str) -> None:
        operation = state.operation
        assert operation is not None  # noqa: S101 - only what is under way fails
        if state.failed != operation.revision:
            self.log(application.name, f"fails to sync {operation.revision}: {why}")
        state.failures, state.failed, state.operation = state.failures + 1, operation.revision, None

    def holds(self) -> Mapping[str, tuple[ObjectId, ...]]:
        """Each Application whose sync stands still, and the objects that it waits for."""
        return {
            name: state.operation.awaiting
            for name, state in sorted(self._states.items())
            if state.operation is not None
        }

    def state(self) -> tuple[tuple[str, str, int, int], ...]:
        """Where everything stands, to be compared."""
        return tuple(
            (name, s.synced, s.operation.at if s.operation else -1, min(s.failures, 1))
            for name, s in sorted(self._states.items())
        )
