"""What people write: environments, and the site that they come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from compiler.model.manifest import Reference
from compiler.model.names import EnvironmentName, InstanceName, LayerName, NamespaceName
from compiler.model.node import MapNode, Node, Origin
from compiler.model.report import Waiver
from compiler.model.topology import Topology


@dataclass(frozen=True, slots=True)
class Source:
    """One document of an environment: an environment file of the ``extends`` chain, or a site-wide overlay."""

    layer: LayerName
    file: str
    document: MapNode


@dataclass(frozen=True, slots=True)
class Environment:
    """What a site is made of: its documents, lowest layer first (the chain, the site itself, then its overlays)."""

    name: EnvironmentName
    repository: Path
    file: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """An environment as a list of them shows it: nothing of it is merged."""

    name: EnvironmentName
    file: str
    abstract: bool = False
    extends: tuple[EnvironmentName, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """One ``--set instance.path=value`` of the command line. A step of ``path`` that reads ``[0]`` is a list index."""

    instance: InstanceName
    path: tuple[str, ...]
    value: Node


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """The cluster that templates see. Never asked of a cluster."""

    version: str
    api_versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Secrets:
    """Who materialises the Secrets that charts declare.

    ``chart_defaults`` names the third-party charts whose own default credentials the site accepts (``*``: all of them),
    which only a development site may.
    """

    backend: str
    origin: Origin
    store: str = ""
    store_kind: str = "ClusterSecretStore"
    chart_defaults: tuple[str, ...] = ()

    def accepts(self, chart: str) -> bool:
        """Whether the default credentials of the third-party chart ``chart`` are accepted."""
        return not {chart, "*"}.isdisjoint(self.chart_defaults)


@dataclass(frozen=True, slots=True)
class ArgoCD:
    """How the site is delivered by Argo CD."""

    granularity: str = "instance"
    namespace: str = "argocd"
    project: str = ""
    server: str = "https://kubernetes.default.svc"
    automated: bool = True


@dataclass(frozen=True, slots=True)
class Flux:
    """How the site is delivered by Flux."""

    namespace: str = "flux-system"
    interval: str = "10m"
    timeout: str = "15m"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where the tree goes: a directory of the repository, and the engines that apply it from Git.

    ``tests`` is whether the tests of charts (the hook ``test`` of Helm) are part of it.
    """

    output: str
    url: str = ""
    revision: str = "main"
    argocd: ArgoCD | None = None
    flux: Flux | None = None
    tests: bool = False


@dataclass(frozen=True, slots=True)
class Declaration:
    """One instance as the layers declare it; ``values`` are the chart's own with every layer laid over them.

    ``idle`` are deletions of what nobody had set, each with its path: they left no trace in the values.
    """

    name: InstanceName
    namespace: NamespaceName
    chart: str
    chart_path: str
    values: MapNode
    origin: Origin
    default: bool = False
    bindings: Mapping[str, Node] = field(default_factory=dict)
    overlays: tuple[LayerName, ...] = ()
    idle: tuple[tuple[tuple[str, ...], Node], ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """A concrete environment, every layer laid over the others.

    ``existing`` is what the cluster has without being given it by this site.
    """

    name: EnvironmentName
    repository: Path
    file: str
    document: MapNode
    kubernetes: Kubernetes
    secrets: Secrets
    delivery: Delivery
    globals: MapNode
    declarations: tuple[Declaration, ...]
    development: bool = False
    layers: tuple[LayerName, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    topology: Topology | None = None
    registries: tuple[str, ...] = ()
    existing: tuple[Reference, ...] = ()
