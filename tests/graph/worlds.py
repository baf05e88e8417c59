"""Small worlds, made by hand from the nouns: a few parts, who waits for whom, and what each of them renders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from compiler import annotate, graph
from compiler.documents import emit
from compiler.model.chart import Chart, Component, Contract, Phase, Provision, Requirement, Role
from compiler.model.data import Data, canonical, digest
from compiler.model.instance import SITE, Binding, Consumer, Instance
from compiler.model.manifest import Bundle, Manifest, ObjectId, Reference, Workload
from compiler.model.names import (
    ChartName,
    ComponentName,
    EnvironmentName,
    InstanceName,
    InterfaceName,
    NamespaceName,
    ProvisionName,
    RequirementName,
    object_name,
)
from compiler.model.node import MapNode, Origin
from compiler.model.plan import Plan, Vertex
from compiler.model.site import ArgoCD, Delivery, Flux, Kubernetes, Secrets, Site
from compiler.model.tree import Document

GROUPS: Final = {
    "Deployment": "apps",
    "StatefulSet": "apps",
    "DaemonSet": "apps",
    "Job": "batch",
    "CronJob": "batch",
    "ExternalSecret": "external-secrets.io",
    "PodDisruptionBudget": "policy",
    "RoleBinding": "rbac.authorization.k8s.io",
    "Role": "rbac.authorization.k8s.io",
    "CustomResourceDefinition": "apiextensions.k8s.io",
    "PriorityClass": "scheduling.k8s.io",
    "Prometheus": "monitoring.coreos.com",
}
WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"})
CLUSTER_SCOPED: Final = frozenset({"Namespace", "CustomResourceDefinition", "PriorityClass"})
KIND_OF_ROLE: Final = {Role.QUORUM: "StatefulSet", Role.AGENT: "DaemonSet", Role.JOB: "Job", Role.CRON: "CronJob"}


@dataclass(frozen=True)
class Part:
    """A component and its workload. ``uses`` are objects that its pods name, as ``Kind name``."""

    name: str
    role: Role = Role.API
    after: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    phase: Phase | None = None
    renders: bool = True
    kind: str = ""


@dataclass(frozen=True)
class Need:
    """A requirement and who meets it: ``provider`` is an instance, which has one provision."""

    provider: str
    gate: bool = True
    components: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Offer:
    """A provision."""

    component: str
    port: int = 3306
    prepare: str | None = None


@dataclass(frozen=True)
class Thing:
    """An instance. ``objects`` are what it renders besides its workloads, as ``Kind name component``."""

    name: str
    parts: tuple[Part, ...]
    needs: Mapping[str, Need] = field(default_factory=dict)
    offer: Offer | None = None
    objects: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    namespace: str = "openstack"


@dataclass(frozen=True)
class World:
    """A compiled site up to its bundles."""

    site: Site
    instances: tuple[Instance, ...]
    bundles: tuple[Bundle, ...]

    def plan(self) -> Plan:
        """Its order."""
        return graph.plan(self.site, self.instances, self.bundles)

    def annotated(self) -> tuple[Bundle, ...]:
        """Its objects as the engines read them."""
        return annotate.annotate(self.bundles, self.plan())

    def documents(self) -> tuple[Document, ...]:
        """What delivers it."""
        return annotate.deliver(self.site, self.instances, self.bundles, self.plan())

    def delivered(self, **how: object) -> World:
        """The same site, delivered in another way."""
        return replace(self, site=replace(self.site, delivery=replace(self.site.delivery, **how)))  # type: ignore[arg-type]

    def with_objects(self, instance: str, *manifests: Manifest) -> World:
        """The same site, with more objects in one bundle."""
        bundles = [
            replace(bundle, manifests=_in_order((*bundle.manifests, *manifests)))
            if bundle.instance == instance
            else bundle
            for bundle in self.bundles
        ]
        return replace(self, bundles=tuple(bundles))


def world(*things: Thing, site_objects: tuple[str, ...] = ()) -> World:
    """A site of ``things``, with a Namespace for each namespace in use, as the pipeline has it before ``graph``."""
    instances = _instances(things)
    namespaces = sorted({f"Namespace {thing.namespace} namespaces" for thing in things})
    own = Bundle(SITE, _in_order(tuple(thing_object("", "", each) for each in (*namespaces, *site_objects))))
    rendered = (_bundle(thing, instance) for thing, instance in zip(things, instances, strict=True))
    return World(site(), instances, (own, *rendered))


def site(name: str = "tiny") -> Site:
    file = f"environments/{name}/environment.yaml"
    nothing = MapNode({}, Origin(file))
    return Site(
        name=EnvironmentName(name),
        repository=Path("/repository"),
        file=file,
        document=nothing,
        kubernetes=Kubernetes("1.35"),
        secrets=Secrets("external-secrets", Origin(file), "vault"),
        delivery=Delivery(f"rendered/{name}", "https://git.example.org/sites.git", "main", ArgoCD(), Flux()),
        globals=nothing,
        declarations=(),
    )


def vertex(text: str) -> Vertex:
    """``keystone/api``, or ``mariadb/provision/keystone-database``."""
    instance, component, consumer = (*text.split("/"), "")[:3]
    return Vertex(InstanceName("" if instance == "site" else instance), ComponentName(component), consumer)


def levels(plan: Plan) -> dict[str, int]:
    """The wave of every vertex, as text."""
    return {str(at): int(wave) for at, wave in plan.levels.items()}


def waves(plan: Plan) -> dict[str, int]:
    """The wave of every object, as text."""
    return {str(object_id): int(wave) for object_id, wave in plan.waves.items()}


def pairs(plan: Plan) -> set[tuple[str, str]]:
    """Every edge, without its reason."""
    return {(str(edge.before), str(edge.after)) for edge in plan.edges}


def thing_object(instance: str, namespace: str, text: str) -> Manifest:
    """An object from ``Kind name component``; an ExternalSecret provides the Secret of its name.

    A Service leads to the workload that is called as it is.
    """
    kind, name, component = (*text.split(), "")[:3]
    at = "" if kind in CLUSTER_SCOPED else namespace
    return manifest(
        ObjectId(at, kind, GROUPS.get(kind, ""), name),
        instance,
        component,
        provides=(Reference("Secret", at, name),) if kind == "ExternalSecret" else (),
        body=emit({"spec": {"selector": {"app": name}}}) if kind == "Service" else "",
    )


def manifest(  # noqa: PLR0913 - a manifest is what these say
    object_id: ObjectId,
    instance: str,
    component: str,
    *,
    references: tuple[Reference, ...] = (),
    provides: tuple[Reference, ...] = (),
    consumer: str = "",
    body: str = "",
    annotations: Mapping[str, Data] | None = None,
) -> Manifest:
    labels: dict[str, Data] = {"app.kubernetes.io/instance": instance, "app.kubernetes.io/component": component}
    if consumer:
        labels["oscompile.io/consumer"] = consumer
    metadata: dict[str, Data] = {"name": object_id.name, "labels": labels}
    if object_id.namespace:
        metadata["namespace"] = object_id.namespace
    if annotations:
        metadata["annotations"] = dict(annotations)
    return Manifest(
        id=object_id,
        api_version=f"{object_id.group}/v1" if object_id.group else "v1",
        template=f"{instance}/templates/{component or 'all'}.yaml",
        metadata=canonical(metadata),
        body=body,
        component=ComponentName(component) if component else None,
        references=references,
        workload=Workload() if object_id.kind in WORKLOADS else None,
        provides=provides,
    )


def _instances(things: tuple[Thing, ...]) -> tuple[Instance, ...]:
    bare = {thing.name: _instance(line, thing) for line, thing in enumerate(things, 1)}
    bound = {thing.name: replace(bare[thing.name], bindings=_bindings(thing, bare)) for thing in things}
    return tuple(replace(instance, consumers=_consumers(instance, bound)) for instance in bound.values())


def _instance(line: int, thing: Thing) -> Instance:
    file = f"environments/tiny/{thing.name}.yaml"
    contract = f"charts/{thing.name}/component.yaml"
    components = tuple(
        Component(
            ComponentName(part.name),
            part.role,
            Origin(contract, row, 3),
            after=tuple(ComponentName(name) for name in part.after),
            phase=part.phase,
        )
        for row, part in enumerate(thing.parts, 10)
    )
    requires = tuple(
        Requirement(
            RequirementName(name),
            InterfaceName("any"),
            Origin(contract, row, 3),
            gate=need.gate,
            components=tuple(ComponentName(each) for each in need.components) if need.components else None,
        )
        for row, (name, need) in enumerate(thing.needs.items(), 5)
    )
    provides = (_provision(thing.offer, contract),) if thing.offer else ()
    chart = Chart(
        ChartName(thing.name),
        "1.0.0",
        "2026.1",
        f"charts/{thing.name}",
        digest(thing.name),
        Contract(Origin(contract), provides, requires, components),
    )
    origin = Origin(file, line, 1)
    return Instance(InstanceName(thing.name), NamespaceName(thing.namespace), chart, MapNode({}, origin), origin)


def _provision(offer: Offer, contract: str) -> Provision:
    return Provision(
        ProvisionName("any"),
        InterfaceName("any"),
        ComponentName(offer.component),
        offer.port,
        Origin(contract, 3, 3),
        prepare=ComponentName(offer.prepare) if offer.prepare else None,
    )


def _bindings(thing: Thing, bare: Mapping[str, Instance]) -> tuple[Binding, ...]:
    own = bare[thing.name].chart.contract
    assert own
    found = []
    for row, requirement in enumerate(own.requires, 20):
        provider = bare[thing.needs[requirement.name].provider]
        assert provider.chart.contract
        provision = provider.chart.contract.provides[0]
        published: dict[str, Data] = {"host": address(provider), "port": provision.port}
        place = Origin(f"environments/tiny/{thing.name}.yaml", row, 5)
        found.append(Binding(requirement, provider.name, provision, published, place, "bound explicitly"))
    return tuple(found)


def address(provider: Instance) -> str:
    """The name of the Service of what ``provider`` offers."""
    assert provider.chart.contract
    provision = provider.chart.contract.provides[0]
    return f"{object_name(provider.name, provision.component)}.{provider.namespace}.svc"


def _consumers(provider: Instance, bound: Mapping[str, Instance]) -> tuple[Consumer, ...]:
    return tuple(
        Consumer(
            f"{consumer.name}-{binding.requirement.name}",
            consumer.name,
            consumer.namespace,
            consumer.chart.name,
            binding.requirement,
            binding.provision,
            binding.published,
        )
        for consumer in bound.values()
        for binding in consumer.bindings
        if binding.provider == provider.name
    )


def _bundle(thing: Thing, instance: Instance) -> Bundle:
    prepare = thing.offer.prepare if thing.offer else None
    workloads = [
        _workload(thing, part, instance, consumer)
        for part in thing.parts
        if part.renders
        for consumer in ([each.key for each in instance.consumers] if part.name == prepare else [""])
    ]
    secrets = [f"ExternalSecret {object_name(thing.name, name)} secrets" for name in thing.secrets]
    objects = [thing_object(thing.name, thing.namespace, text) for text in (*thing.objects, *secrets)]
    return Bundle(instance.name, _in_order((*workloads, *objects)))


def _workload(thing: Thing, part: Part, instance: Instance, consumer: str) -> Manifest:
    kind = part.kind or KIND_OF_ROLE.get(part.role, "Deployment")
    name = object_name(thing.name, *(word for word in (part.name, consumer) if word))
    references = [
        Reference(words[0], "" if words[0] in CLUSTER_SCOPED else thing.namespace, words[1])
        for words in (text.split() for text in part.uses)
    ]
    waits = [
        f"{binding.published['host']}:{binding.published['port']}"
        for binding in instance.bindings
        if part.name in (binding.requirement.components or (part.name,)) and binding.requirement.gate
    ]
    return manifest(
        ObjectId(thing.namespace, kind, GROUPS[kind], name),
        thing.name,
        part.name,
        references=tuple(references),
        consumer=object_name(consumer) if consumer else "",
        body=emit({"spec": {"template": {"metadata": {"labels": {"app": name}}, "spec": _pod(waits, part)}}}),
    )


def _pod(waits: list[str], part: Part) -> dict[str, Data]:
    pod: dict[str, Data] = {"containers": [{"name": "main", "image": "registry.example.org/main:1"}]}
    for kind, name in (text.split() for text in part.uses):
        if kind == "PriorityClass":
            pod["priorityClassName"] = name
    if waits:
        pod["initContainers"] = [{"name": "wait", "image": "registry.example.org/main:1", "command": ["wait", *waits]}]
    return pod


def _in_order(manifests: tuple[Manifest, ...]) -> tuple[Manifest, ...]:
    return tuple(sorted(manifests, key=lambda one: one.id))


MARIADB: Final = Thing(
    "mariadb",
    (
        Part("server", Role.QUORUM, uses=("Secret mariadb-root", "ConfigMap mariadb-server", "PriorityClass quorum")),
        Part("provision", Role.JOB, after=("server",), uses=("Secret mariadb-root", "ConfigMap mariadb-provision")),
    ),
    offer=Offer("server", 3306, "provision"),
    objects=(
        "ConfigMap mariadb-server server",
        "ConfigMap mariadb-provision provision",
        "Service mariadb-server server",
        "PodDisruptionBudget mariadb-server server",
    ),
    secrets=("root",),
)

KEYSTONE: Final = Thing(
    "keystone",
    (
        Part("db-sync", Role.JOB, uses=("ConfigMap keystone-etc", "Secret keystone-database")),
        Part(
            "api",
            Role.API,
            ("db-sync",),
            ("ConfigMap keystone-etc", "Secret keystone-database", "Secret keystone-fernet"),
        ),
        Part("bootstrap", Role.JOB, after=("api",), uses=("ConfigMap keystone-etc",)),
        Part("rotate", Role.CRON, after=("api",), uses=("Secret keystone-fernet", "ServiceAccount keystone-rotate")),
    ),
    needs={"database": Need("mariadb"), "cache": Need("memcached", gate=False)},
    offer=Offer("api", 5000, "bootstrap"),
    objects=(
        "ConfigMap keystone-etc api",
        "Service keystone-api api",
        "ServiceAccount keystone-rotate rotate",
    ),
    secrets=("database", "fernet"),
)

MEMCACHED: Final = Thing(
    "memcached", (Part("server"),), offer=Offer("server", 11211), objects=("Service memcached-server server",)
)

NOVA: Final = Thing(
    "nova",
    (
        Part("db-sync", Role.JOB),
        Part("api", after=("db-sync",)),
        Part("compute", Role.AGENT, after=("api",)),
        Part("migrate", Role.JOB, after=("api",), phase=Phase.ONLINE),
    ),
    needs={
        "database": Need("mariadb", components=("db-sync", "api")),
        "identity": Need("keystone", components=("api",)),
        "network": Need("neutron", components=("compute",)),
    },
    offer=Offer("api", 8774),
    objects=("Service nova-api api",),
)

NEUTRON: Final = Thing(
    "neutron",
    (Part("server"), Part("metadata", Role.WORKER)),
    needs={
        "database": Need("mariadb", components=("server",)),
        "identity": Need("keystone", components=("server",)),
        "compute": Need("nova", components=("metadata",)),
    },
    offer=Offer("server", 9696),
    objects=("Service neutron-server server",),
)

SITE_OBJECTS: Final = ("PriorityClass quorum priorities",)


def control_plane() -> World:
    """Five instances in one namespace, of which nova and neutron wait for one another through different components."""
    return world(MARIADB, MEMCACHED, KEYSTONE, NOVA, NEUTRON, site_objects=SITE_OBJECTS)
