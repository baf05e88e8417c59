"""Rendered objects."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final, cast

from compiler.model.data import Data
from compiler.model.diagnostic import Diagnostic
from compiler.model.names import ComponentName, InstanceName


@dataclass(frozen=True, slots=True, order=True)
class ObjectId:
    """What a cluster knows an object by. No version: an object keeps its identity when its API version changes.

    ``namespace`` is empty for cluster-scoped kinds, ``group`` for the core group.
    """

    namespace: str
    kind: str
    group: str
    name: str

    def __str__(self) -> str:
        """As messages write it: ``openstack/Deployment keystone-api``."""
        return f"{self.namespace}/{self.kind} {self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def file_name(self) -> str:
        """The object's file, from its identity alone."""
        parts = (self.kind.lower(), self.group, self.name.replace(":", "_"), "yaml")
        return ".".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """An object that another one needs by name: a pod and the ConfigMap it mounts."""

    kind: str
    namespace: str
    name: str
    optional: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Field:
    """A field of a rendered object; ``path`` leads to it from the object's root. An item of a list is its index."""

    instance: InstanceName
    object: ObjectId
    path: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        """As messages write it: ``openstack/Deployment keystone-api spec.replicas``."""
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return f"{self.object} {steps.removeprefix('.')}".rstrip()


@dataclass(frozen=True, slots=True)
class Workload:
    """What the ordering and the rules need to know of an object that makes pods.

    ``waits`` is what its pods wait for by themselves before their service starts: Services that answer, Jobs that are
    done.
    """

    selector: tuple[tuple[str, str], ...] = ()
    pod_labels: tuple[tuple[str, str], ...] = ()
    waits: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """One rendered object, already written as reviewers will read it, but for its metadata.

    ``metadata`` is canonical JSON, ``body`` the finished YAML of everything after it, ``content`` the same as canonical
    JSON for those who look into it: annotating an object touches its metadata only, so nothing is parsed or written
    twice. ``selects`` is the selector of an object that selects pods
    without making them (Service, PodDisruptionBudget, NetworkPolicy). ``provides`` names what appears in the cluster
    because of it (the Secret of an ExternalSecret), ``lifecycle`` names what an engine may do to it where its kind does
    not say so alone (``create-once``: a sync must not overwrite it), ``hooks`` are the Helm hooks that its template
    asked for (they are stripped from the metadata), ``helm`` is every ``helm.sh/`` annotation as the template wrote it,
    ``stripped`` what the compiler took out of the object or changed in it, by field or annotation, as it was.
    """

    id: ObjectId
    api_version: str
    template: str
    metadata: str = field(repr=False)
    body: str = field(repr=False)
    content: str = field(default="{}", repr=False)
    component: ComponentName | None = None
    references: tuple[Reference, ...] = ()
    workload: Workload | None = None
    selects: tuple[tuple[str, str], ...] | None = None
    provides: tuple[Reference, ...] = ()
    lifecycle: str = ""
    hooks: tuple[str, ...] = ()
    helm: tuple[tuple[str, str], ...] = ()
    stripped: tuple[tuple[str, str], ...] = ()

    def metadata_data(self) -> dict[str, Data]:
        """The metadata as data, fresh each time."""
        return cast("dict[str, Data]", json.loads(self.metadata))

    def data(self) -> dict[str, Data]:
        """The whole object as data, fresh each time; quick enough for every rule to ask."""
        head: dict[str, Data] = {"apiVersion": self.api_version, "kind": self.id.kind}
        return {**head, "metadata": self.metadata_data(), **cast("dict[str, Data]", json.loads(self.content))}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An object that a chart rendered and no engine is given, and why."""

    instance: InstanceName
    id: ObjectId
    template: str
    hooks: tuple[str, ...]
    why: str


TEARDOWN: Final = ComponentName("helm-teardown")
"""The component of what an instance does when it leaves."""

TESTS: Final = ComponentName("helm-tests")
"""The component of what only tests an instance."""

UNGATED: Final = frozenset({TEARDOWN, TESTS})
"""Components that the compiler makes and that nothing waits for."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Every manifest of one instance, in order of identity. No two share an identity (a cluster would keep one).

    ``diagnostics`` is what was noticed while it was rendered: it is the same whether or not it came from a cache.
    ``left_out`` is what was rendered and is not applied.
    """

    instance: InstanceName
    manifests: tuple[Manifest, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
