"""Charts, and the contracts they are shipped with (``component.yaml``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from compiler.model.names import (
    ChartName,
    ComponentName,
    Digest,
    InterfaceName,
    ProvisionName,
    RequirementName,
    object_name,
)
from compiler.model.node import MapNode, Origin
from compiler.model.report import Exemption

INSTANCE: Final = "{instance}"
"""Stands for the name of the instance in what a contract says of names."""


class Role(StrEnum):
    """What a component is to the site; decides what resilience is asked of it and whether it gates anything."""

    API = "api"
    WORKER = "worker"
    SINGLETON = "singleton"
    QUORUM = "quorum"
    AGENT = "agent"
    JOB = "job"
    CRON = "cron"


class Phase(StrEnum):
    """When a job of an upgrade runs. Jobs that come after the rollout gate nothing."""

    BOOTSTRAP = "bootstrap"
    EXPAND = "expand"
    ONLINE = "online"
    CONTRACT = "contract"


@dataclass(frozen=True, slots=True)
class Component:
    """One workload of a chart.

    ``replicas`` is a fixed count, or the path in the values where the count is written. ``reload`` says how it takes a
    renewed certificate into use while it runs, ``leave`` how members that are too many leave its quorum before they are
    stopped. ``objects`` says which objects are its own
    (``Deployment/keystone-api``; ``*`` for any, ``{instance}`` for the instance's name), for a chart whose objects do
    not say it by themselves.
    """

    name: ComponentName
    role: Role
    origin: Origin
    replicas: int | tuple[str, ...] | None = None
    after: tuple[ComponentName, ...] = ()
    phase: Phase | None = None
    reason: str = ""
    reload: str = ""
    leave: str = ""
    objects: tuple[str, ...] = ()

    @property
    def gates(self) -> bool:
        """Whether anything may wait for it: node agents, cron jobs and post-deploy jobs gate nothing."""
        return self.role not in {Role.AGENT, Role.CRON} and self.phase not in {Phase.ONLINE, Phase.CONTRACT}


@dataclass(frozen=True, slots=True)
class Provision:
    """What a chart offers: an interface, served by a component on a port.

    ``members`` publishes the addresses of the single members too; ``prepare`` names the component whose Job prepares
    what one consumer needs (a database, a user) and which that consumer then waits for. ``tls`` names the component
    whose certificate clients see, where the provider's value ``tls.enabled`` is true; ``plaintext`` says why there is
    none. ``service`` is what its Service is called, where the chart does not name it as ours do.
    """

    name: ProvisionName
    interface: InterfaceName
    component: ComponentName
    port: int
    origin: Origin
    members: bool = False
    prepare: ComponentName | None = None
    tls: ComponentName | None = None
    plaintext: str = ""
    scheme: str = ""
    path: str = ""
    service: str = ""

    def service_name(self, instance: str) -> str:
        """The Service through which ``instance`` offers it: called as in our charts, or as stated."""
        return self.service.replace(INSTANCE, instance) if self.service else object_name(instance, self.component)


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a chart needs. ``gate`` orders; without it the binding is an address only."""

    name: RequirementName
    interface: InterfaceName
    origin: Origin
    gate: bool = True
    optional: bool = False
    secret: str | None = None
    components: tuple[ComponentName, ...] | None = None


@dataclass(frozen=True, slots=True)
class SecretKey:
    """One key of a declared Secret, and how a value for it is made."""

    generate: str
    length: int = 32


@dataclass(frozen=True, slots=True)
class SecretSpec:
    """A Secret that a chart needs. ``runtime`` ones are changed in the cluster; a sync must never overwrite them.

    ``components`` are the only ones that may read it, where it says so.
    """

    name: str
    keys: Mapping[str, SecretKey]
    origin: Origin
    rotate: bool = False
    runtime: bool = False
    components: tuple[ComponentName, ...] | None = None


@dataclass(frozen=True, slots=True)
class ConfigurationFile:
    """A file of oslo.config that a chart renders as a key of ConfigMaps or Secrets, and the service that reads it."""

    name: str
    service: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Contract:
    """What a chart says of itself to the compiler.

    ``shipped`` is whether the chart itself brings it, and so has promised to keep the rules for such charts: what
    somebody else wrote beside the environments, or what was ``inferred`` from the chart's values, promises nothing of
    how objects are named.
    """

    origin: Origin
    provides: tuple[Provision, ...] = ()
    requires: tuple[Requirement, ...] = ()
    components: tuple[Component, ...] = ()
    secrets: tuple[SecretSpec, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    shipped: bool = True
    inferred: bool = False
    configuration: tuple[ConfigurationFile, ...] = ()

    def component(self, name: str) -> Component | None:
        """The component of that name."""
        return next((component for component in self.components if component.name == name), None)


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as it lies in the repository.

    ``path`` is relative to the repository; ``digest`` covers every file that Helm reads from it (its library charts
    too). ``schema`` is the text of ``values.schema.json``; ``contract`` is None for a chart that has none.
    """

    name: ChartName
    version: str
    app_version: str
    path: str
    digest: Digest
    contract: Contract | None = None
    schema: str | None = field(default=None, repr=False)
    values: MapNode | None = field(default=None, repr=False)
