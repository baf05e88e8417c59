"""A Kustomization of Flux: what it holds, in which stages it applies that, and what it waits for.

A model of kustomize-controller 186fb3b (1.9.4) and fluxcd/pkg e2cfd1a2: ``ssa/manager_apply.go``
(``ApplyAllStaged``). The tests have a case for each sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from compiler.engines import health
from compiler.engines.objects import Applied
from compiler.engines.revision import Revision
from compiler.model.manifest import ObjectId
from compiler.relations.untyped import Map, items, mapping

_STAGED: Final = frozenset({"CustomResourceDefinition", "ClusterRole", "Namespace"})
PREFIX: Final = "kustomize.toolkit.fluxcd.io"
KIND: Final = (PREFIX, "Kustomization")


@dataclass(frozen=True)
class Kustomization:
    """A Kustomization and what its path builds at one revision."""

    name: str
    spec: Map
    objects: tuple[Applied, ...]
    text: str = ""

    @classmethod
    def of(cls, applied: Applied, revision: Revision) -> Kustomization:
        """What ``applied``, a Kustomization, comes to at ``revision``."""
        return cls(
            applied.id.name, applied.spec, tuple(revision.built(str(applied.spec.get("path", ".")))), applied.text
        )

    @cached_property
    def depends_on(self) -> tuple[str, ...]:
        """The Kustomizations that it waits for."""
        return tuple(str(each.get("name")) for each in items(self.spec, "dependsOn"))

    @cached_property
    def told(self) -> frozenset[str]:
        """Those of them that a ``readyExpr`` of this one judges, in place of what the controller looks at itself."""
        return frozenset(str(each.get("name")) for each in items(self.spec, "dependsOn") if each.get("readyExpr"))

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
        closed = applied.annotations.get(f"{PREFIX}/substitute") == "disabled"
        return "postBuild" in self.spec and applied.variables and not closed

    def awaits(self, applied: Applied) -> bool:
        """Whether it is ready only once this object is healthy, as far as the object's health can be told."""
        told = {str(each.get("kind")) for each in items(self.spec, "healthCheckExprs")}
        named = {(str(each.get("kind")), str(each.get("name"))) for each in items(self.spec, "healthChecks")}
        known = applied.kind in health.FLUX_BUILT_IN or applied.id.kind in told
        return known and (self.spec.get("wait") is True or (applied.id.kind, applied.id.name) in named)


def stages(objects: Sequence[Applied]) -> Iterator[tuple[str, tuple[Applied, ...]]]:
    """How one Kustomization applies: definitions first, then classes, then everything else at once."""
    for name in ("definitions", "classes", "everything else"):
        if stage := tuple(each for each in objects if _stage(each.id.kind) == name):
            yield name, stage


def _stage(kind: str) -> str:
    if kind in _STAGED:
        return "definitions"
    return "classes" if kind.endswith("Class") else "everything else"
