"""An Application of Argo CD: what it holds, and which of it are hooks.

A model of argo-cd 37ee0097cf (3.6.0): ``gitops-engine/pkg/sync/hook``, ``controller/appcontroller.go``. The tests have
a case for each sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from compiler.engines.objects import Applied, sources
from compiler.engines.revision import Revision
from compiler.model.kinds import is_namespaced
from compiler.model.manifest import ObjectId
from compiler.relations.untyped import Map, mapping

_HOOK: Final = "argocd.argoproj.io/hook"
_HELM_HOOK: Final = "helm.sh/hook"
OPTIONS: Final = "argocd.argoproj.io/sync-options"
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


@dataclass(frozen=True)
class Application:
    """An Application and what its sources hold at one revision.

    It ``cascades`` if what it applied is deleted along with it. It is ``lost``, and is neither compared nor synced, if
    a path of its is not in Git.
    """

    name: str
    spec: Map
    objects: tuple[Applied, ...]
    cascades: bool = False
    lost: bool = False

    @classmethod
    def of(cls, applied: Applied, revision: Revision) -> Application:
        """What ``applied``, an Application, comes to at ``revision``."""
        found = [each for source in sources(applied.spec) for each in revision.directory(source)]
        lost = not all(revision.holds(str(source.get("path", "."))) for source in sources(applied.spec))
        default = str(mapping(applied.spec, "destination").get("namespace", ""))
        return cls(
            applied.id.name, applied.spec, tuple(_placed(each, default) for each in found), applied.cascades, lost
        )

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

    def parting(self, kind: str) -> tuple[Applied, ...]:
        """Its hooks of the type ``PreDelete`` or ``PostDelete``."""
        return tuple(each for each in self.objects if kind in (hook_types(each) or ()))

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
