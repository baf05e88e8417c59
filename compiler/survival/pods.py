"""The pods of one workload, as the scheduler's hard constraints see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from compiler.model.chart import Role
from compiler.model.data import Data, canonical
from compiler.model.instance import Instance
from compiler.model.manifest import Bundle, Field, Manifest
from compiler.model.names import InstanceName
from compiler.model.quantity import millis, whole
from compiler.model.topology import HOSTNAME
from compiler.relations.untyped import Map, items, mapping
from compiler.survival.selectors import Labels, selects

TEMPLATES: Final = {
    "Deployment": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
"""Where the pod template stands in each kind that makes pods."""

STAYING: Final = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "Pod"})
"""Kinds whose pods are meant to be there always, and on some hosts only."""


_USUAL: Final = {"DaemonSet": Role.AGENT, "Job": Role.JOB, "CronJob": Role.CRON}
_MAJORITY: Final = 3
"""Members from which a StatefulSet that no contract describes is taken for a quorum."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A topology spread constraint that binds.

    ``domains`` is the least number of domains below which it counts an empty one; ``apart`` is whether the pods of each
    revision are counted by themselves; ``taints`` and ``affinity`` whether nodes that do not admit the pods for these
    reasons are left out of the count.
    """

    key: str
    skew: int
    domains: int
    apart: bool
    taints: bool
    affinity: bool


@dataclass(frozen=True, slots=True)
class Request:
    """What one pod asks of its host: thousandths of processors, and bytes."""

    cpu: int = 0
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Pods:
    """The equal pods of one workload.

    ``apart`` are the topology keys of which no two of them may share a domain; ``classes`` the storage classes of the
    volumes that each of them has for itself or shares; ``contracted`` whether a contract gave the role.
    """

    instance: str
    component: str
    manifest: Manifest
    role: Role | None
    count: int
    labels: Labels
    spec: Map
    path: tuple[str, ...]
    apart: frozenset[str] = frozenset()
    spreads: tuple[Spread, ...] = ()
    request: Request = Request()
    unsized: bool = False
    ports: frozenset[str] = frozenset()
    classes: tuple[str, ...] = ()
    surge: int = 0

    @property
    def name(self) -> str:
        """As tables and messages write it: ``mariadb/server``."""
        return f"{self.instance}/{self.component}"

    @property
    def kind(self) -> str:
        """The kind of the workload."""
        return self.manifest.id.kind

    def at(self, *path: str | int) -> Field:
        """The field of the workload at ``path`` below its pod's spec."""
        return Field(InstanceName(self.instance), self.manifest.id, (*self.path, "spec", *path))

    @property
    def stance(self) -> str:
        """What it asks of a node's labels and taints, as text: equal for workloads that ask for the same."""
        affinity = mapping(self.spec, "affinity").get("nodeAffinity")
        return canonical([self.spec.get("nodeSelector"), affinity, self.spec.get("tolerations")])

    @property
    def plays(self) -> Role:
        """Its role; that of its kind where no contract gives one."""
        if self.role is not None:
            return self.role
        if self.kind == "StatefulSet" and self.count >= _MAJORITY:
            return Role.QUORUM
        return _USUAL.get(self.kind, Role.WORKER)

    @property
    def field_of_count(self) -> Field:
        """The field that says how many there are."""
        return Field(InstanceName(self.instance), self.manifest.id, ("spec", "replicas"))


def read(instances: Iterable[Instance], bundles: Iterable[Bundle]) -> tuple[Pods, ...]:
    """The pods of every workload of the site, in order of instance and identity."""
    known = {instance.name: instance for instance in instances}
    bundles = tuple(bundles)
    world = _World(_claims(bundles))
    found = [
        (bundle.instance, manifest, manifest.data())
        for bundle in bundles
        for manifest in bundle.manifests
        if manifest.id.kind in TEMPLATES
    ]
    for _, manifest, data in found:
        world.note(manifest.id.namespace, _labels(manifest, data))
    return tuple(_pods(known.get(owner), owner, manifest, data, world) for owner, manifest, data in found)


@dataclass(frozen=True, slots=True)
class _World:
    """What one workload must know of the others: the classes of claims, and the labels of all pods."""

    claims: Mapping[tuple[str, str], str]
    labelled: dict[tuple[str, str, str], list[Labels]] = field(default_factory=dict)

    def note(self, namespace: str, labels: Labels) -> None:
        """Note the pods of one workload."""
        for key, value in labels.items():
            self.labelled.setdefault((namespace, key, value), []).append(labels)

    def alone(self, namespace: str, selector: Data) -> bool:
        """Whether ``selector`` selects the pods of one workload only. It must name a label to be known to."""
        wanted = mapping(selector, "matchLabels").items()
        candidates = [self.labelled.get((namespace, key, str(value)), []) for key, value in wanted]
        return bool(candidates) and sum(selects(selector, each) for each in min(candidates, key=len)) == 1


def _labels(manifest: Manifest, data: Map) -> Labels:
    return {key: str(value) for key, value in mapping(data, *TEMPLATES[manifest.id.kind], "metadata", "labels").items()}


def _pods(instance: Instance | None, owner: InstanceName, manifest: Manifest, data: Map, world: _World) -> Pods:
    path = TEMPLATES[manifest.id.kind]
    spec = mapping(data, *path, "spec")
    labels = _labels(manifest, data)
    contract = instance.chart.contract if instance is not None else None
    component = contract.component(manifest.component) if contract and manifest.component else None
    request, unsized = _request(spec)
    return Pods(
        instance=owner or "site",
        component=manifest.component or manifest.id.name,
        manifest=manifest,
        role=component.role if component else None,
        count=_count(data, manifest.id.kind),
        labels=labels,
        spec=spec,
        path=path,
        apart=frozenset(_apart(spec, labels, manifest.id.namespace)),
        spreads=tuple(_spreads(spec, labels, manifest, world)),
        request=request,
        unsized=unsized,
        ports=frozenset(_host_ports(spec)),
        classes=tuple(_classes(data, spec, manifest.id.namespace, world.claims)),
        surge=_surge(data, manifest.id.kind),
    )


def _count(data: Map, kind: str) -> int:
    key = "parallelism" if kind == "Job" else "replicas"
    written = mapping(data, "spec").get(key)
    return written if isinstance(written, int) and kind in {"Deployment", "ReplicaSet", "StatefulSet", "Job"} else 1


def _surge(data: Map, kind: str) -> int:
    """How many pods a rollout adds; a quarter, rounded up, unless the Deployment says otherwise."""
    if kind != "Deployment":
        return 0
    strategy = mapping(data, "spec", "strategy")
    if strategy.get("type") == "Recreate":
        return 0
    return share(mapping(strategy, "rollingUpdate").get("maxSurge", "25%"), _count(data, kind))


def share(written: Data, of: int) -> int:
    """A count, or a percentage of ``of`` rounded up (apimachinery's `GetScaledValueFromIntOrPercent`).

    >>> share("25%", 3), share(2, 3), share(None, 3)
    (1, 2, 0)
    """
    if isinstance(written, str) and written.endswith("%") and written[:-1].isdigit():
        return -(-of * int(written[:-1]) // 100)
    return written if isinstance(written, int) else 0


def _apart(spec: Map, labels: Labels, namespace: str) -> Iterator[str]:
    """Topology keys of which no two pods of the workload may share a domain; a host port is one, of hosts."""
    for term in items(spec, "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"):
        named = term.get("namespaces")
        elsewhere = isinstance(named, list) and named and namespace not in named
        if not elsewhere and selects(term.get("labelSelector"), labels):
            yield str(term.get("topologyKey"))
    if any(_host_ports(spec)):
        yield HOSTNAME


def _spreads(spec: Map, labels: Labels, manifest: Manifest, world: _World) -> Iterator[Spread]:
    """The constraints that bind and count the pods of this workload alone. Others can only narrow what is possible."""
    for each in items(spec, "topologySpreadConstraints"):
        if each.get("whenUnsatisfiable", "DoNotSchedule") != "DoNotSchedule":
            continue
        selector, keys = each.get("labelSelector"), each.get("matchLabelKeys")
        apart = manifest.id.kind != "StatefulSet" and isinstance(keys, list) and "pod-template-hash" in keys
        if not selects(selector, labels) or not (apart or world.alone(manifest.id.namespace, selector)):
            continue
        skew, domains = each.get("maxSkew"), each.get("minDomains")
        yield Spread(
            key=str(each.get("topologyKey")),
            skew=skew if isinstance(skew, int) else 1,
            domains=domains if isinstance(domains, int) else 1,
            apart=apart,
            taints=each.get("nodeTaintsPolicy") == "Honor",
            affinity=each.get("nodeAffinityPolicy", "Honor") == "Honor",
        )


def _request(spec: Map) -> tuple[Request, bool]:
    """What the scheduler counts for a pod, and whether a container says nothing.

    The containers and the sidecars (init containers that stay) together, or the largest init container with the
    sidecars before it, whichever is more; and the overhead (Kubernetes: "Init Containers", resource sharing).
    """
    containers = list(items(spec, "containers"))
    cpu, memory = sum(_cpu(each) for each in containers), sum(_memory(each) for each in containers)
    stay_cpu = stay_memory = most_cpu = most_memory = 0
    for each in items(spec, "initContainers"):
        most_cpu = max(most_cpu, stay_cpu + _cpu(each))
        most_memory = max(most_memory, stay_memory + _memory(each))
        if each.get("restartPolicy") == "Always":
            stay_cpu, stay_memory = stay_cpu + _cpu(each), stay_memory + _memory(each)
    overhead = mapping(spec, "overhead")
    request = Request(
        max(cpu + stay_cpu, most_cpu) + (millis(overhead.get("cpu")) or 0),
        max(memory + stay_memory, most_memory) + (whole(overhead.get("memory")) or 0),
    )
    unsized = any(not (_asked(each, "cpu") and _asked(each, "memory")) for each in containers)
    return request, unsized


def _asked(container: Map, resource: str) -> Data:
    """A request; a limit without one is one too (Kubernetes: "Resource Management for Pods and Containers")."""
    asked = mapping(container, "resources", "requests").get(resource)
    return asked if asked is not None else mapping(container, "resources", "limits").get(resource)


def _cpu(container: Map) -> int:
    return millis(_asked(container, "cpu")) or 0


def _memory(container: Map) -> int:
    return whole(_asked(container, "memory")) or 0


def _host_ports(spec: Map) -> Iterator[str]:
    network = spec.get("hostNetwork") is True
    for container in items(spec, "containers"):
        for port in items(container, "ports"):
            number = port.get("hostPort") or (port.get("containerPort") if network else None)
            if number:
                yield f"{port.get('hostIP') or '0.0.0.0'}:{number}/{port.get('protocol') or 'TCP'}"  # noqa: S104 - any


def _claims(bundles: tuple[Bundle, ...]) -> dict[tuple[str, str], str]:
    """The storage class of every claim that is rendered."""
    return {
        (manifest.id.namespace, manifest.id.name): str(mapping(manifest.data(), "spec").get("storageClassName") or "")
        for bundle in bundles
        for manifest in bundle.manifests
        if manifest.id.kind == "PersistentVolumeClaim"
    }


def _classes(data: Map, spec: Map, namespace: str, claims: Mapping[tuple[str, str], str]) -> Iterator[str]:
    for template in items(data, "spec", "volumeClaimTemplates"):
        yield str(mapping(template, "spec").get("storageClassName") or "")
    for volume in items(spec, "volumes"):
        claim = mapping(volume, "persistentVolumeClaim").get("claimName")
        if claim:
            yield claims.get((namespace, str(claim)), "")
        ephemeral = mapping(volume, "ephemeral", "volumeClaimTemplate", "spec")
        if ephemeral:
            yield str(ephemeral.get("storageClassName") or "")
