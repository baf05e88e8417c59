"""Argo CD: when a sync of one Application begins, how it goes on, and on what it stands still.

A model of argo-cd 37ee0097cf (3.6.0), ``gitops-engine/pkg/sync/sync_context.go`` and
``controller/appcontroller.go``, as far as order depends on it. The tests have a case for each sentence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from compiler.engines import health
from compiler.engines.agenda import Agenda
from compiler.engines.application import Application
from compiler.engines.changes import Changes
from compiler.engines.cluster import Cluster
from compiler.engines.deletion import Deletion
from compiler.engines.log import Log
from compiler.engines.objects import Applied
from compiler.engines.revision import Revision
from compiler.engines.roster import Roster
from compiler.engines.standstill import Waiter
from compiler.engines.sync import Sync
from compiler.engines.tasks import Group, failing, groups, leavers, prunable
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
    began: bool = False


@dataclass(slots=True)
class _State:
    """What Argo CD remembers of an Application."""

    operation: Operation | None = None
    synced: str = ""
    failures: int = 0
    failed: str = ""
    hooked: bool = False


class ArgoCD:
    """Argo CD on a cluster.

    Applications exist once they are applied: ``roots`` by a user, who asks for their first sync, others by an
    Application. Whether one is healthy is awaited only where Argo CD is told to assess that (``assesses``).
    """

    def __init__(self, cluster: Cluster, roots: Sequence[Applied], log: Log, *, assesses: bool = False) -> None:
        self.cluster, self.log = cluster, log
        self.roster = Roster(cluster, roots, KIND, Application.of)
        self.changes = Changes(self._standing)
        self._sync = Sync(cluster, log)
        self._known = health.ARGOCD | {KIND} if assesses else health.ARGOCD
        self._asked: dict[str, Collection[ObjectId]] = {root.id.name: () for root in roots}
        self._confirmed: set[str] = set()
        self._leaving: dict[str, Deletion] = {}
        self._states: defaultdict[str, _State] = defaultdict(_State)
        self._agenda = Agenda()
        self._holders: defaultdict[ObjectId, set[str]] = defaultdict(set)

    def ask(self, name: str, only: Collection[ObjectId] = ()) -> None:
        """A user asks for a sync: of everything, or of these objects alone."""
        self._asked[name] = only
        self._agenda.call(name)

    def confirm(self, name: str) -> None:
        """A user confirms what an Application is to delete."""
        self._confirmed.add(name)
        self._agenda.call(name)

    def step(self, revision: Revision) -> None:
        """Give every Application its turn, in order of name.

        A turn that can change nothing is left out: it comes when the Application is new or changed, when one of its
        objects was changed or (while it waits) became healthy or is not any more, and when a sync is to be tried again.
        """
        self._renew(revision)
        self._delete()
        self._listen()
        for name in self._agenda.round(self.roster.present):
            self.changes.touch(name)
            before = self._standing(name)
            if self.roster.exists(name):
                self._turn(self.roster.present[name], revision)
            self._listen()
            if self._standing(name) != before or self._is_to_be_retried(name, revision) or self._looks_on(name):
                self._agenda.call(name)

    def _renew(self, revision: Revision) -> None:
        before = self.roster.present
        changed, gone = self.roster.renew(revision)
        for name in sorted(gone):
            hooked = self._states[name].hooked
            self._leaving[name] = Deletion(before[name], self.cluster, self.log, hooked)
        for name in (changed | gone) & before.keys():
            for one in before[name].wanted:
                self._holders[one].discard(name)
        for name in changed:
            self._agenda.call(name)
            for one in self.roster.present[name].wanted:
                self._holders[one].add(name)

    def _delete(self) -> None:
        """Go on with every deletion that is under way."""
        done = [name for name, one in self._leaving.items() if one.go_on(confirmed=name in self._confirmed)]
        for name in done:
            del self._leaving[name], self._states[name]

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
            self._begin(application, state, revision)
        if state.operation is not None:
            self._go_on(application, state)
        return None

    def _begin(self, application: Application, state: _State, revision: Revision) -> None:
        found = self._sync.tasks(application, self._asked.pop(application.name, ()))
        state.operation = Operation(revision.name, groups(found, self._known))
        if state.failed != revision.name:
            self.log(application.name, f"begins a sync of {revision.name}")
        if refusal := self._sync.dry_run(application) or self._sync.shared(application):
            self._fail(application, state, refusal)
        else:
            state.operation.began = True

    def _begins(self, application: Application, state: _State, revision: Revision) -> bool:
        if application.lost:
            return False
        if state.failed == revision.name:
            return self._is_to_be_retried(application.name, revision)
        if application.name in self._asked:
            return True
        return application.automated and self.out_of_sync(application)

    def _is_to_be_retried(self, name: str, revision: Revision) -> bool:
        state, attempts = self._states[name], self.roster.present[name].attempts
        failed = state.operation is None and state.failed == revision.name
        return failed and (attempts < 0 or state.failures <= attempts)

    def _looks_on(self, name: str) -> bool:
        """Whether it waits for other Applications, whose health no object's own change tells."""
        operation = self._states[name].operation
        return operation is not None and any((one.group, one.kind) == KIND for one in operation.awaiting)

    def out_of_sync(self, application: Application) -> bool:
        """Whether the cluster differs from Git in anything but hooks."""
        live = self.cluster.objects
        changed = (each.id not in live or live[each.id].applied.text != each.text for each in application.desired)
        return any(changed) or (application.prunes and any(map(prunable, leavers(application, self.cluster))))

    def _go_on(self, application: Application, state: _State) -> None:
        operation = state.operation
        while operation is not None and operation.at < len(operation.groups):
            group = operation.groups[operation.at]
            if refusal := self._group(application, operation, group):
                return self._fail(application, state, refusal)
            if operation.awaiting:
                return None
            self._sync.clean(group)
            operation.at, operation.applied = operation.at + 1, False
        if operation is not None:
            state.operation, state.synced, state.failed, state.failures = None, operation.revision, "", 0
            state.hooked = any(application.parting(each) for each in ("PreDelete", "PostDelete"))
            self.log(application.name, f"has synced {operation.revision}")
        return None

    def _group(self, application: Application, operation: Operation, group: Group) -> str:
        """Apply a group, if that is not done yet, and see what it still waits for; why the sync fails, if it does."""
        if not operation.applied:
            operation.awaiting = () if application.name in self._confirmed else group.unconfirmed
            if operation.awaiting:
                return ""
            if refusal := self._sync.apply(application, group.tasks, str(group)):
                return refusal
            operation.applied = True
        waiting = tuple(one for one in group.awaited if not self._healthy(one))
        if any(one in self.cluster.broken for one in waiting if one.kind in {"Job", "Pod"}):
            return f"{waiting[0]} failed"
        operation.awaiting = waiting
        return ""

    def _healthy(self, one: ObjectId) -> bool:
        """Whether an object is healthy; an Application, whether it has synced and its objects are."""
        if (one.group, one.kind) != KIND:
            return self.cluster.healthy(one)
        application = self.roster.present.get(one.name)
        if application is None or not self._states[one.name].synced:
            return False
        return all(self._healthy(each.id) for each in application.desired if each.kind in self._known)

    def _fail(self, application: Application, state: _State, why: str) -> None:
        operation = state.operation
        assert operation is not None  # noqa: S101 - only what is under way fails
        if state.failed != operation.revision:
            self.log(application.name, f"fails to sync {operation.revision}: {why}")
            if operation.began:
                self._sync.apply(application, failing(application), "SyncFail")
        state.failures, state.failed, state.operation = state.failures + 1, operation.revision, None

    def waits(self, revision: Revision) -> Mapping[str, tuple[Waiter, ...]]:
        """Each Application whose sync stands still, be it of an older revision, and the objects that it waits for."""
        under_way = ((one.name, self._states[one.name].operation) for one in self.roster.at(revision))
        return {name: tuple(map(Waiter, operation.awaiting)) for name, operation in under_way if operation is not None}

    def _standing(self, name: str) -> tuple[str, int, int]:
        state = self._states[name]
        return state.synced, state.operation.at if state.operation else -1, min(state.failures, 1)
