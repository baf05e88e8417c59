"""A delivered repository on disk, read as an engine reads it: from its files alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compiler import write
from compiler.documents import parse_stream
from compiler.model.instance import Instance
from compiler.model.manifest import Bundle, ObjectId
from compiler.model.plan import Plan, Vertex
from compiler.model.site import Site
from compiler.model.tree import Document
from tests.graph.worlds import World

INSTANT = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "CronJob",
        "CustomResourceDefinition",
        "Namespace",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "PriorityClass",
        "Role",
        "RoleBinding",
        "Secret",
        "ServiceAccount",
    }
)
"""Kinds that have done all they can do once they are applied."""


@dataclass(frozen=True)
class Found:
    """One object of a file."""

    path: Path
    content: dict[str, Any]

    @property
    def id(self) -> ObjectId:
        """What a cluster knows it by."""
        metadata = self.content["metadata"]
        group = str(self.content["apiVersion"]).rpartition("/")[0]
        return ObjectId(metadata.get("namespace", ""), str(self.content["kind"]), group, metadata["name"])

    @property
    def annotations(self) -> dict[str, str]:
        """Its annotations."""
        return dict(self.content["metadata"].get("annotations", {}))


def written(site: World, root: Path) -> Path:
    """Write the whole tree of ``site`` into the repository ``root``, as the pipeline does; returns ``root``."""
    return laid(site.site, site.instances, site.annotated(), site.plan(), site.documents(), root)


def laid(  # noqa: PLR0913, PLR0917 - what the write room takes, and where
    site: Site,
    instances: tuple[Instance, ...],
    bundles: tuple[Bundle, ...],
    plan: Plan,
    documents: tuple[Document, ...],
    root: Path,
) -> Path:
    """Write a tree into the repository ``root``; returns ``root``."""
    tree = write.lay_out(site, instances, bundles, plan, documents)
    for name, content in tree.files.items():
        path = root / site.delivery.output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def objects(path: Path) -> Iterator[Found]:
    """Every object of a file."""
    for _, content in parse_stream(path.read_text(encoding="utf-8"), path.name):
        assert isinstance(content, dict)
        yield Found(path, content)


def only(path: Path) -> dict[str, Any]:
    """The one object of a file."""
    (found,) = objects(path)
    return found.content


def members(plan: Plan, vertex: Vertex) -> list[ObjectId]:
    """Every object that is applied with a vertex."""
    return [object_id for object_id, home in plan.homes.items() if home == vertex]
