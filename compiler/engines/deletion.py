"""What happens when an Application is deleted: hooks before, all that it applied, hooks after.

A model of argo-cd 37ee0097cf (3.6.0), ``controller/appcontroller.go`` (``finalizeApplicationDeletion``) and
``controller/hook.go``. The tests have a case for each sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from compiler.engines.application import OPTIONS, Application
from compiler.engines.cluster import Cluster
from compiler.engines.log import Log
from compiler.engines.objects import Applied

_KEEP: Final = "helm.sh/resource-policy"


@dataclass(slots=True)
class Deletion:
    """The deletion of one Application; ``hooked`` says whether its last sync saw hooks for this very moment."""

    application: Application
    cluster: Cluster
    log: Log
    hooked: bool
    said: str = ""

    def go_on(self, *, confirmed: bool) -> bool:
        """Do what can be done now. Whether that was all.

        The hooks are read from Git as it is now: an Application whose files left Git before it is never deleted.
        """
        if not self.application.cascades:
            return True
        if self.hooked and self.application.lost:
            return self._stands_still("its hooks are looked for in Git, and its path is not there any more")
        if not confirmed and any("Delete=confirm" in each.listed(OPTIONS) for each in self._owned()):
            return self._stands_still("somebody must confirm it")
        before = self.application.parting("PreDelete")
        self._hooks(tuple(each for each in before if each.id not in self.cluster.objects), "PreDelete")
        if not all(self.cluster.healthy(each.id) for each in before):
            return False
        for one in [each.id for each in self._owned() if not _stays(each)]:
            self.cluster.delete(one)
            self.log(self.application.name, f"deletes {one} (deletion)")
        self._hooks(self.application.parting("PostDelete"), "PostDelete")
        return True

    def _stands_still(self, why: str) -> bool:
        if self.said != why:
            self.said = why
            self.log(self.application.name, f"is not deleted: {why}")
        return False

    def _owned(self) -> Iterator[Applied]:
        return (self.cluster.objects[one].applied for one in self.cluster.owned(self.application.name))

    def _hooks(self, hooks: tuple[Applied, ...], phase: str) -> None:
        for each in hooks:
            self.cluster.apply(each, "")
            self.log(self.application.name, f"applies {each.id} ({phase})")


def _stays(applied: Applied) -> bool:
    return "Delete=false" in applied.listed(OPTIONS) or applied.annotations.get(_KEEP) == "keep"
