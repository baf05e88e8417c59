"""The pods that an object makes, and their containers, each with its place in the object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from compiler.model.data import Data
from compiler.relations.references import POD_SPECS
from compiler.relations.untyped import Map, mapping

_LISTS: Final = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod; ``path`` leads to it from the root of its object."""

    name: str
    spec: Map
    path: tuple[str | int, ...]

    @property
    def security(self) -> Map:
        """Its own security context."""
        return mapping(self.spec, "securityContext")


@dataclass(frozen=True, slots=True)
class Pod:
    """The pod template of one object; ``path`` leads to its ``spec`` from the root of the object."""

    labels: Map
    annotations: Map
    spec: Map
    path: tuple[str | int, ...]

    @property
    def containers(self) -> tuple[Container, ...]:
        """All of them, those of its start first."""
        return tuple(self._containers())

    def _containers(self) -> Iterator[Container]:
        for key in _LISTS:
            listed = self.spec.get(key)
            for number, spec in enumerate(listed if isinstance(listed, list) else ()):
                if isinstance(spec, Mapping):
                    yield Container(str(spec.get("name", number)), spec, (*self.path, key, number))


def pod(group: str, kind: str, document: Mapping[str, Data]) -> Pod | None:
    """The pods that an object of ``kind`` makes; None where it makes none."""
    path = POD_SPECS.get((group, kind))
    if path is None:
        return None
    template = mapping(dict(document), *path)
    metadata = mapping(template, "metadata")
    return Pod(
        mapping(metadata, "labels"), mapping(metadata, "annotations"), mapping(template, "spec"), (*path, "spec")
    )
