"""Instances, and what binds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from compiler.model.chart import Chart, Provision, Requirement
from compiler.model.data import Data
from compiler.model.names import ChartName, InstanceName, NamespaceName
from compiler.model.node import MapNode, Origin

SITE = InstanceName("")
"""Stands where an instance would, for what belongs to the site itself."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A requirement of one instance, met by a provision of another.

    ``published`` is what the consumer's chart reads in ``.Values.bindings.<requirement>``; ``origin`` is the place that
    decided it (the explicit binding, or else the consumer's requirement), ``reason`` says how.
    """

    requirement: Requirement
    provider: InstanceName
    provision: Provision
    published: Mapping[str, Data]
    origin: Origin
    reason: str


@dataclass(frozen=True, slots=True)
class Consumer:
    """The other side of a binding: what the provider's chart reads in ``.Values.consumers.<key>``."""

    key: str
    instance: InstanceName
    namespace: NamespaceName
    chart: ChartName
    requirement: Requirement
    provision: Provision
    published: Mapping[str, Data]


@dataclass(frozen=True, slots=True)
class Instance:
    """One use of a chart in a site. ``values`` is the finished document that Helm is handed.

    ``default_credentials`` is whether the site accepts those that a third-party chart has by default.
    """

    name: InstanceName
    namespace: NamespaceName
    chart: Chart
    values: MapNode = field(repr=False)
    origin: Origin
    bindings: tuple[Binding, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    default_credentials: bool = False
