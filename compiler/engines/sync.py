"""What one sync of Argo CD does to the cluster, and why it does not even begin.

A model of argo-cd 37ee0097cf (3.6.0), ``gitops-engine/pkg/sync/sync_context.go``. The tests have a case for each
sentence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from compiler.engines import tasks
from compiler.engines.application import OPTIONS, Application, delete_policies
from compiler.engines.cluster import Answer, Cluster
from compiler.engines.log import Log
from compiler.engines.objects import Applied
from compiler.engines.tasks import Group, Task
from compiler.model.manifest import ObjectId

_UPDATED: Final = frozenset({"Namespace", "CustomResourceDefinition"})
"""Kinds that ``Replace=true`` does not delete."""


@dataclass(frozen=True, slots=True)
class Sync:
    """Syncs on a cluster."""

    cluster: Cluster
    log: Log

    def tasks(self, application: Application, only: Collection[ObjectId] = ()) -> Iterator[Task]:
        """What a sync does: with ``only`` nothing but these objects, and no hooks.

        With ``ApplyOutOfSyncOnly`` what is as Git wants it is left out, but for hooks.
        """
        less = application.option("ApplyOutOfSyncOnly")
        for task in tasks.tasks(application, self.cluster, prune=application.prunes):
            live = self.cluster.objects.get(task.applied.id)
            same = live is not None and live.applied.text == task.applied.text
            left_out = less and same and not task.hook and not task.prune
            if not left_out and (not only or (task.applied.id in only and not task.hook)):
                yield task

    def dry_run(self, application: Application) -> str:
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

    def shared(self, application: Application) -> str:
        """Why nothing is applied: ``FailOnSharedResource``, and an object belongs to another Application."""
        if not application.option("FailOnSharedResource"):
            return ""
        for each in application.desired:
            live = self.cluster.objects.get(each.id)
            if live is not None and live.owner not in {application.name, ""}:
                return f"{each.id} belongs to {live.owner}"
        return ""

    def apply(self, application: Application, found: Iterable[Task], where: str) -> str:
        """Do what ``found`` says, one after another; why that ends early, if it does."""
        for task in found:
            if refusal := self._prune(application, task, where) if task.prune else self._one(application, task, where):
                return refusal
        return ""

    def _prune(self, application: Application, task: Task, where: str) -> str:
        if not self.cluster.delete(task.applied.id):
            return f"{task.applied.id} cannot be deleted"
        self.log(application.name, f"deletes {task.applied.id} ({where})")
        return ""

    def _one(self, application: Application, task: Task, where: str) -> str:
        name = task.applied.id
        if task.hook and name in self.cluster.objects and "BeforeHookCreation" in delete_policies(task.applied):
            self.cluster.delete(name)
            self.log(application.name, f"deletes {name}, a hook, to make it anew ({where})")
        answer = self._answer(application, task)
        if not answer.refused and answer.verb != "unchanged":
            self.log(application.name, f"applies {name} ({where})")
        return answer.why

    def _answer(self, application: Application, task: Task) -> Answer:
        applied = task.applied
        if applied.unnamed and not task.hook:
            return Answer("refused", f"{applied.id} has no name of its own, and cannot be applied")
        if applied.large and not self._fits(application, applied):
            return Answer("refused", f"{applied.id} is too large for an annotation of itself")
        return self.cluster.apply(applied, "" if task.hook else application.name, replace=self._replaces(applied))

    def _fits(self, application: Application, applied: Applied) -> bool:
        """Whether nothing is kept in an annotation: it is applied by the server, or replaced."""
        how = ("ServerSideApply", "Replace")
        return any(application.option(each) or f"{each}=true" in applied.listed(OPTIONS) for each in how)

    def _replaces(self, applied: Applied) -> bool:
        """Whether an object that cannot be changed is deleted and made anew; ``Force`` may stand in the cluster's."""
        live = self.cluster.objects.get(applied.id)
        forced = (*applied.listed(OPTIONS), *(live.applied.listed(OPTIONS) if live is not None else ()))
        replaced = "Replace=true" in applied.listed(OPTIONS) and applied.id.kind not in _UPDATED
        return replaced and "Force=true" in forced

    def clean(self, group: Group) -> None:
        """Take the hooks of a group away that go when they are done."""
        for task in group.tasks:
            if task.hook and "HookSucceeded" in delete_policies(task.applied):
                self.cluster.delete(task.applied.id)
