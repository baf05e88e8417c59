"""The ordering of a site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from compiler.model.manifest import ObjectId
from compiler.model.names import ComponentName, InstanceName, Wave
from compiler.model.node import Origin


@dataclass(frozen=True, slots=True, order=True)
class Vertex:
    """A component of an instance. The site's own objects are vertices of the instance ``SITE``.

    ``consumer`` is set for what a provider prepares for one consumer (a key of ``Instance.consumers``): whoever needs
    it waits for that very Job, and not for those of the provider's other consumers.
    """

    instance: InstanceName
    component: ComponentName
    consumer: str = ""

    def __str__(self) -> str:
        """As messages write it: ``keystone/api``, ``mariadb/provision (keystone-database)``."""
        return f"{self.instance or 'site'}/{self.short}"

    @property
    def short(self) -> str:
        """Its name inside its instance."""
        consumer = f" ({self.consumer})" if self.consumer else ""
        return f"{self.component or 'objects'}{consumer}"


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
    wait for; what gates nothing is in the last wave. ``homes`` says which vertex each object is applied with.
    ``dropped`` are edges that were asked for and cannot be: they begin at a vertex that gates nothing; ``yielded`` are
    those of Helm's order of hooks that the rest of the order speaks against. ``ranks`` are levels of whole instances,
    where those that wait for one another (through different components) share one.
    """

    waves: Mapping[ObjectId, Wave]
    levels: Mapping[Vertex, Wave]
    edges: tuple[Edge, ...]
    gating: frozenset[Vertex]
    critical_path: tuple[Vertex, ...]
    homes: Mapping[ObjectId, Vertex] = field(default_factory=dict)
    dropped: tuple[Edge, ...] = ()
    yielded: tuple[Edge, ...] = ()
    ranks: Mapping[InstanceName, Wave] = field(default_factory=dict)

    @property
    def last(self) -> Wave:
        """The highest wave."""
        return max(self.waves.values(), default=Wave(0))
