"""Argo CD: when a sync of one Application begins, how it goes on, and on what it stands still.

A model of argo-cd 37ee0097cf (3.6.0), ``gitops-engine/pkg/sync/sync_context.go`` and
``controller/appcontroller.go``, as far as order depends on it. The tests have a case for each sentence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from compiler.engines.agenda import Agenda
from compiler.engines.application import OPTIONS, Application, delete_policies
from compiler.engines.changes import Changes
from compiler.engines.cluster import Cluster
from compiler.engines.log import Log
from compiler.engines.objects import Applied
from compiler.engines.revision import Revision
from compiler.engines.roster import Roster
from compiler.engines.standstill import Waiter
from compiler.engines.tasks import Group, Task, groups, leavers, prunable, tasks
from compiler.model.manifest import ObjectId

KIND: Final = ("argoproj.io", "Application")


@dataclass(slots=True)
class Operation:
    """A sync that is under way."""

    revision: str
    groups: tuple[Group, ...]
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
        self.cluster, self.log = cluster, log
        self.roster = Roster(cluster, roots, KIND, Application.of)
        self.changes = Changes(self._standing)
        self._asked = {root.id.name for root in roots}
        self._states: defaultdict[str, _State] = defaultdict(_State)
        self._agenda = Agenda()
        self._holders: defaultdict[ObjectId, set[str]] = defaultdict(set)

    def step(self, revision: Revision) -> None:
        """Give every Application its turn, in order of name.

        A turn that can change nothing is left out: it comes when the Application is new or changed, when one of its
        objects was changed or (while it waits) became healthy or is not any more, and when a sync is to be tried again.
        """
        self._renew(revision)
        self._listen()
        for name in self._agenda.round(self.roster.present):
            self.changes.touch(name)
            before = self._standing(name)
            self._turn(self.roster.present[name], revision)
            self._listen()
            if self._standing(name) != before or self._is_to_be_retried(name, revision):
                self._agenda.call(name)

    def _renew(self, revision: Revision) -> None:
        before = self.roster.present
        changed, gone = self.roster.renew(revision)
        for name in (changed | gone) & before.keys():
            for one in before[name].wanted:
                self._holders[one].discard(name)
        for name in changed:
            self._agenda.call(name)
            for one in self.roster.present[name].wanted:
                self._holders[one].add(name)

    def _listen(self) -> None:
        """Call everybody whom what happened on the cluster concerns."""
        news = self.cluster.news()
        concerned = news.owners.union(*(self._holders[one] for one in news.stored))
        waiting = {name for one in news.moved for name in self._holders[one] if self._states[name].operation}
        for name in concerned | waiting:
            self._agenda.call(name)

    def _turn(self, application: Application, revision: Revision) -> None:
        state = self._states[application.name]
        if state.operation is not None and state.operation.revision != revision.name and state.operation.awaiting:
            return self._go_on(application, state)
        if state.operation is None and self._begins(application, state, revision):
            state.operation = Operation(revision.name, groups(self._filtered(application)))
            if state.failed != revision.name:
                self.log(application.name, f"begins a sync of {revision.name}")
            if refusal := self._dry_run(application) or self._shared(application):
                self._fail(application, state, refusal)
        if state.operation is not None:
            self._go_on(application, state)
        return None

    def _begins(self, application: Application, state: _State, revision: Revision) -> bool:
        if state.failed == revision.name:
            return self._is_to_be_retried(application.name, revision)
        if application.name in self._asked and not state.synced:
            return True
        return application.automated and self.out_of_sync(application)

    def _is_to_be_retried(self, name: str, revision: Revision) -> bool:
        state, attempts = self._states[name], self.roster.present[name].attempts
        failed = state.operation is None and state.failed == revision.name
        return failed and (attempts < 0 or state.failures <= attempts)

    def out_of_sync(self, application: Application) -> bool:
        """Whether the cluster differs from Git in anything but hooks."""
        live = self.cluster.objects
        changed = (each.id not in live or live[each.id].applied.text != each.text for each in application.desired)
        return any(changed) or (application.prunes and any(map(prunable, leavers(application, self.cluster))))

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
            skipped |= "SkipDryRunOnMissingResource=true" in each.listed(OPTIONS)
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
            group = operation.groups[operation.at]
            if refusal := self._group(application, operation, group):
                return self._fail(application, state, refusal)
            if operation.awaiting:
                return None
            self._clean(group)
            operation.at, operation.applied = operation.at + 1, False
        if operation is not None:
            state.operation, state.synced, state.failed, state.failures = None, operation.revision, "", 0
            self.log(application.name, f"has synced {operation.revision}")
        return None

    def _group(self, application: Application, operation: Operation, group: Group) -> str:
        """Apply a group, if that is not done yet, and see what it still waits for; why the sync fails, if it does."""
        if not operation.applied:
            if refusal := self._apply(application, group):
                return refusal
            operation.applied = True
        waiting = tuple(one for one in group.awaited if not self.cluster.healthy(one))
        if any(one in self.cluster.broken for one in waiting if one.kind in {"Job", "Pod"}):
            return f"{waiting[0]} failed"
        operation.awaiting = waiting
        return ""

    def _apply(self, application: Application, group: Group) -> str:
        for task in group.tasks:
            name = task.applied.id
            if task.prune:
                self.cluster.delete(name)
                self.log(application.name, f"deletes {name} ({group})")
                continue
            if task.hook and name in self.cluster.objects and "BeforeHookCreation" in delete_policies(task.applied):
                self.cluster.delete(name)
                self.log(application.name, f"deletes {name}, a hook, to make it anew ({group})")
            replace = bool({"Force=true", "Replace=true"} <= set(task.applied.listed(OPTIONS)))
            answer = self.cluster.apply(task.applied, "" if task.hook else application.name, replace=replace)
            if answer.refused:
                return answer.why
            if answer.verb != "unchanged":
                self.log(application.name, f"applies {name} ({group})")
        return ""

    def _clean(self, group: Group) -> None:
        for task in group.tasks:
            if task.hook and "HookSucceeded" in delete_policies(task.applied):
                self.cluster.delete(task.applied.id)

    def _fail(self, application: Application, state: _State, why: str) -> None:
        operation = state.operation
        assert operation is not None  # noqa: S101 - only what is under way fails
        if state.failed != operation.revision:
            self.log(application.name, f"fails to sync {operation.revision}: {why}")
        state.failures, state.failed, state.operation = state.failures + 1, operation.revision, None

    def waits(self, revision: Revision) -> Mapping[str, tuple[Waiter, ...]]:
        """Each Application whose sync stands still, be it of an older revision, and the objects that it waits for."""
        under_way = ((one.name, self._states[one.name].operation) for one in self.roster.at(revision))
        return {name: tuple(map(Waiter, operation.awaiting)) for name, operation in under_way if operation is not None}

    def _standing(self, name: str) -> tuple[str, int, int]:
        state = self._states[name]
        return state.synced, state.operation.at if state.operation else -1, min(state.failures, 1)
