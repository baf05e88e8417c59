"""What a site runs on: its hosts, in groups of equals, and how far its volumes reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from compiler.model.node import Origin

HOSTNAME: Final = "kubernetes.io/hostname"
ZONE: Final = "topology.kubernetes.io/zone"
PODS: Final = 110
"""Pods that a kubelet takes unless it is told otherwise (Kubernetes: "Considerations for large clusters")."""


class Reach(StrEnum):
    """Where a volume can be used once it is there: on its host, on every host of its zone, on every host."""

    HOST = "host"
    ZONE = "zone"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class Taint:
    """What keeps pods off a host that do not tolerate it."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one host offers to pods: thousandths of processors, bytes, pods. None is unknown."""

    cpu: int | None = None
    memory: int | None = None
    pods: int = PODS


@dataclass(frozen=True, slots=True)
class Hosts:
    """Equal hosts. ``names`` are theirs, or empty where nobody needs to know them."""

    count: int
    origin: Origin
    zone: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    capacity: Capacity = Capacity()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StorageClass:
    """How far the volumes of a class reach; ``zones`` are the only ones it makes them in, where it names any."""

    name: str
    reach: Reach
    zones: tuple[str, ...] = ()
    default: bool = False


@dataclass(frozen=True, slots=True)
class Topology:
    """The hosts of a site and its storage classes. Promises at least one host, and names that occur once."""

    hosts: tuple[Hosts, ...]
    origin: Origin
    storage: tuple[StorageClass, ...] = ()

    @property
    def count(self) -> int:
        """How many hosts there are."""
        return sum(group.count for group in self.hosts)

    def storage_class(self, name: str) -> StorageClass | None:
        """The class ``name``; without a name the default one. None where the site says nothing of it."""
        return next((each for each in self.storage if (each.name == name if name else each.default)), None)
