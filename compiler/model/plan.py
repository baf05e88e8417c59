"""The ordering of a site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compiler.model.manifest import ObjectId
from compiler.model.names import ComponentName, InstanceName, Wave
from compiler.model.node import Origin


@dataclass(frozen=True, slots=True, order=True)
class Vertex:
    """A component of an instance. The site's own objects are vertices of the instance ``SITE``."""

    instance: InstanceName
    component: ComponentName

    def __str__(self) -> str:
        """As messages write it: ``keystone/api``."""
        return f"{self.instance or 'site'}/{self.component or 'objects'}"


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """``after`` is applied once every workload of ``before`` is healthy. ``why`` completes "because ..."."""

    before: Vertex
    after: Vertex
    why: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Plan:
    """Every object's wave, and why.

    ``levels`` are as few as possible (longest path over ``edges``); ``gating`` holds the vertices that something may
    wait for; what gates nothing is in the last wave.
    """

    waves: Mapping[ObjectId, Wave]
    levels: Mapping[Vertex, Wave]
    edges: tuple[Edge, ...]
    gating: frozenset[Vertex]
    critical_path: tuple[Vertex, ...]

    @property
    def last(self) -> Wave:
        """The highest wave."""
        return max(self.waves.values(), default=Wave(0))
