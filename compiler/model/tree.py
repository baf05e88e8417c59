"""The output: what a directory must hold, and what it takes to get there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from compiler.model.data import Data
from compiler.model.manifest import ObjectId
from compiler.model.names import EnvironmentName, InstanceName

CLUSTER = "_cluster"
"""Where cluster-scoped objects lie: no namespace can have this name."""


def object_path(instance: InstanceName, object_id: ObjectId) -> str:
    """Where an object lies below the output directory, from its identity alone.

    >>> object_path(InstanceName("keystone"), ObjectId("openstack", "Deployment", "apps", "keystone-api"))
    'openstack/keystone/deployment.apps.keystone-api.yaml'

    A cluster-scoped object stands beside the namespaces, and so does one that belongs to the site (no instance).

    >>> object_path(InstanceName(""), ObjectId("", "Namespace", "", "openstack"))
    '_cluster/namespace.openstack.yaml'
    """
    return "/".join(part for part in (object_id.namespace or CLUSTER, instance, object_id.file_name) if part)


@dataclass(frozen=True, slots=True)
class Document:
    """A file that is not an object of the site: a delivery object, a level's ``kustomization.yaml``."""

    path: str
    content: Data


_NAMELESS: Final = EnvironmentName("")


@dataclass(frozen=True, slots=True)
class Tree:
    """Every output path, relative to the output directory, with its bytes; the index is one of them.

    ``site`` and ``repository`` decide where a tree may go: not into another site's directory, not among the inputs.
    """

    files: Mapping[str, bytes]
    site: EnvironmentName = _NAMELESS
    repository: Path | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Changes:
    """What separates a directory from a tree: paths, each tuple in order.

    ``edited`` are those of the changed and the removed that somebody had edited by hand: they did not hold what the
    directory's own index says that they held.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    edited: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.added or self.changed or self.removed)

    def __len__(self) -> int:
        """How many files differ."""
        return len(self.added) + len(self.changed) + len(self.removed)
