"""Flux's reading of its delivery objects: which objects a Kustomization applies, and what it waits for first.

From kustomize-controller 186fb3b (1.9.4) and fluxcd/pkg e2cfd1a2: ``checkDependencies``, ``ApplyAllStaged`` in
``ssa/manager_apply.go``, ``SecureBuild`` in ``kustomize/kustomize_generator.go``.
"""

from __future__ import annotations

from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from compiler.model.manifest import ObjectId
from tests.delivery.files import INSTANT, Found, objects, only

STAGED = frozenset({"CustomResourceDefinition", "ClusterRole", "Namespace"})
"""Applied, and awaited, before anything else of the same Kustomization. Kinds that end in ``Class`` come next."""

KNOWN = {
    ("", "Service"),
    ("", "PersistentVolumeClaim"),
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("batch", "Job"),
}
"""Kinds whose readiness is known (kstatus, and kustomize-controller's own reader of Jobs)."""


class Flux:
    """What Flux makes of a repository once the root directory has been applied."""

    def __init__(self, repository: Path, root: Path) -> None:
        self.repository = repository
        applied = self._build(root)
        self.kustomizations = {
            one.id.name: one.content for one in applied if one.content["apiVersion"].startswith("kustomize.toolkit")
        }
        (self.source,) = (one.content for one in applied if one.id.kind == "GitRepository")
        self.objects = {name: self._build(self.path(name)) for name in self.kustomizations if self.path(name) != root}

    def path(self, name: str) -> Path:
        """The directory that a Kustomization builds, inside the artifact."""
        return (self.repository / str(self.spec(name)["path"])).resolve()

    def _build(self, directory: Path) -> tuple[Found, ...]:
        """As ``kustomize build`` without load restrictions: the files that ``kustomization.yaml`` lists."""
        listing = only(directory / "kustomization.yaml")
        assert set(listing) == {"apiVersion", "kind", "resources"}
        files = [(directory / name).resolve() for name in listing["resources"]]
        assert all(path.is_relative_to(self.repository.resolve()) for path in files), "outside the artifact's root"
        return tuple(one for path in files for one in objects(path))

    @cached_property
    def of(self) -> dict[ObjectId, str]:
        """The Kustomization that applies each object. No object is in two."""
        found: dict[ObjectId, str] = {}
        for name, applied in self.objects.items():
            for one in applied:
                assert one.id not in found, f"{one.id} is in two Kustomizations"
                found[one.id] = name
        return found

    def spec(self, name: str) -> dict[str, Any]:
        """The spec of a Kustomization."""
        return dict(self.kustomizations[name]["spec"])

    def depends_on(self, name: str) -> set[str]:
        """What a Kustomization waits for."""
        return {one["name"] for one in self.spec(name).get("dependsOn", [])}

    def order(self) -> list[str]:
        """The Kustomizations as they get ready: every one of them does, since a circle would raise."""
        return list(TopologicalSorter({name: self.depends_on(name) for name in self.objects}).static_order())

    def held(self, before: ObjectId, after: ObjectId) -> str:
        """Which construct makes ``after`` wait until ``before`` is there and healthy; empty where none does."""
        one, other = self.of[before], self.of[after]
        if one == other:
            return "stage" if before.kind in STAGED and after.kind not in STAGED else ""
        if one not in self.depends_on(other):
            return ""
        return "dependsOn" if before.kind in INSTANT or self._awaits(one, before) else ""

    def _awaits(self, name: str, one: ObjectId) -> bool:
        spec = self.spec(name)
        told = {check["kind"] for check in spec.get("healthCheckExprs", [])}
        return bool(spec["wait"]) and ((one.group, one.kind) in KNOWN or one.kind in told)
