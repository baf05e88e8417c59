"""Rules about what a site has only once: ports, volumes, databases, and the engine that applies an object.

Two objects of one name are rule OS009, two workloads with one selector OS012.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from compiler import engines
from compiler.model.manifest import Manifest, ObjectId
from compiler.model.node import ListNode, MapNode, Node, Origin, ScalarNode
from compiler.relations.untyped import items, mapping
from compiler.validate.rule import SITE_RULES, Finding, Subject, View, rule
from compiler.validate.verdicts import remembered

_POD: Final[Mapping[str, tuple[str, ...]]] = {
    "Pod": (),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    **dict.fromkeys(("DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet"), ("spec", "template")),
}
_ALL: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - what manifests say, not what we bind


@dataclass(frozen=True, slots=True)
class _Port:
    """A port of the host that the pods of a workload take."""

    subject: Subject
    manifest: Manifest
    protocol: str
    number: int
    address: str
    selector: tuple[tuple[str, str], ...]
    path: tuple[str | int, ...]


@rule(SITE_RULES, "OS051", "a port of a host is taken once")
def host_ports(view: View) -> Iterator[Finding]:
    """Check that no two workloads whose pods may stand on one host take the same port of it.

    A port of the host is `hostPort`, or any port of a pod with `hostNetwork`. Node selectors are apart where no host of
    the site's `topology` has the labels of both; without a topology, where they contradict each other.

    Why it matters: the second pod stays Pending on that host, and the scheduler says so only in an event.

    Example: libvirt of two clouds on the same compute hosts, both on port 16509.

    Use instead: another port, or node selectors that keep them apart.
    """
    taken: defaultdict[tuple[str, int], list[_Port]] = defaultdict(list)
    for port in _host_ports(view):
        taken[port.protocol, port.number].append(port)
    hosts = tuple(_hosts(view.site.document.entries.get("topology")))
    for (protocol, number), ports in sorted(taken.items()):
        for at, other in enumerate(ports):
            one = next((each for each in ports[:at] if _collide(each, other, hosts)), None)
            if one is not None:
                yield Finding(
                    f"{one.manifest.id} and {other.manifest.id} both take port {number}/{protocol} of their hosts",
                    other.subject.origin(other.manifest),
                    "another port for one of them, or node selectors that keep them apart",
                    other.subject.field(other.manifest, *other.path),
                )


def _host_ports(view: View) -> Iterator[_Port]:
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            asks = '"hostPort"' in manifest.content or '"hostNetwork"' in manifest.content
            if manifest.workload is not None and asks:
                yield from _ports_of(subject, manifest)


def _ports_of(subject: Subject, manifest: Manifest) -> Iterator[_Port]:
    where = (*_POD.get(manifest.id.kind, ("spec", "template")), "spec")
    pod = mapping(manifest.data(), *where)
    selector = tuple(sorted((key, str(value)) for key, value in mapping(pod, "nodeSelector").items()))
    for group in ("containers", "initContainers"):
        for index, container in enumerate(items(pod, group)):
            for at, port in enumerate(items(container, "ports")):
                number = port.get("hostPort") or (port.get("containerPort") if pod.get("hostNetwork") is True else None)
                if isinstance(number, int):
                    kind, address = str(port.get("protocol", "TCP")), str(port.get("hostIP", ""))
                    path = (*where, group, index, "ports", at)
                    yield _Port(subject, manifest, kind, number, address, selector, path)


def _collide(one: _Port, other: _Port, hosts: tuple[frozenset[tuple[str, str]], ...]) -> bool:
    meet = one.address == other.address or bool({one.address, other.address} & _ALL)
    return meet and one.manifest.id != other.manifest.id and _share_a_host(one, other, hosts)


def _share_a_host(one: _Port, other: _Port, hosts: tuple[frozenset[tuple[str, str]], ...]) -> bool:
    """Whether some host has the labels that both ask for; where no host is known, whether one could."""
    wanted = {*one.selector, *other.selector}
    if hosts:
        return any(wanted <= labels for labels in hosts)
    return len({key for key, _ in wanted}) == len(wanted)


def _hosts(topology: Node | None) -> Iterator[frozenset[tuple[str, str]]]:
    """The labels of every group of hosts, as far as the site says them."""
    groups = topology.entries.get("hosts") if isinstance(topology, MapNode) else None
    for group in groups.items if isinstance(groups, ListNode) else ():
        data = group.data()
        labels = mapping(data, "labels") if isinstance(data, dict) else {}
        yield frozenset((key, str(value)) for key, value in labels.items())


@rule(SITE_RULES, "OS052", "a node port is taken once")
def node_ports(view: View) -> Iterator[Finding]:
    """Check that no two Services ask for the same port of every node.

    Why it matters: the API server refuses the second Service, and the sync of its instance fails each time.

    Example: `nodePort: 30080` in the values of two instances of horizon.

    Use instead: another port, or none: the cluster chooses one.
    """
    taken: dict[tuple[str, int], Manifest] = {}
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            if manifest.id.kind != "Service" or '"nodePort"' not in manifest.content:
                continue
            for at, port in enumerate(items(manifest.data(), "spec", "ports")):
                number, protocol = port.get("nodePort"), str(port.get("protocol", "TCP"))
                if not isinstance(number, int):
                    continue
                first = taken.setdefault((protocol, number), manifest)
                if first.id != manifest.id:
                    yield Finding(
                        f"{first.id} and {manifest.id} both ask for the node port {number}/{protocol}",
                        subject.origin(manifest),
                        "another port for one of them, or no `nodePort` at all",
                        subject.field(manifest, "spec", "ports", at, "nodePort"),
                    )


@rule(SITE_RULES, "OS053", "a volume belongs to one workload")
def volumes(view: View) -> Iterator[Finding]:
    """Check that no claim is used by two instances, made twice, or made for the volume of another claim.

    The claims of a StatefulSet are called `<template>-<set>-<number>`, and adopt what they find under that name.

    Why it matters: the second database starts on the first one's files. On a volume for one node it does not start.

    Example: a claim called `data-mariadb-server-0` beside a StatefulSet `mariadb-server` with the template `data`.

    Use instead: names that begin with the instance's name; one claim for each.
    """
    yield from _claims_made_twice(view)
    yield from _claims_shared(view)
    yield from _volumes_claimed_twice(view)


def _claims_made_twice(view: View) -> Iterator[Finding]:
    """A claim that a StatefulSet of another name would take for its own."""
    claims = {
        (manifest.id.namespace, manifest.id.name): (subject, manifest)
        for subject in view.subjects
        for manifest in subject.bundle.manifests
        if manifest.id.kind == "PersistentVolumeClaim"
    }
    made: dict[tuple[str, str], Manifest] = {}
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            for name in _templates(manifest):
                first = made.setdefault((manifest.id.namespace, name), manifest)
                if first.id != manifest.id:
                    message = f"the claims of {first.id} and of {manifest.id} are both called `{name}-<number>`"
                    yield Finding(message, subject.origin(manifest), "another name for one", subject.field(manifest))
    for (namespace, name), (subject, claim) in sorted(claims.items()):
        stem, _, number = name.rpartition("-")
        owner = made.get((namespace, stem))
        if owner is not None and number.isdecimal():
            message = f"{claim.id} is called like a claim of {owner.id}, which would take it for its own"
            yield Finding(message, subject.origin(claim), "another name for the claim", subject.field(claim))


def _templates(manifest: Manifest) -> Iterator[str]:
    if manifest.id.kind == "StatefulSet":
        for template in items(manifest.data(), "spec", "volumeClaimTemplates"):
            yield f"{mapping(template, 'metadata').get('name')}-{manifest.id.name}"


def _claims_shared(view: View) -> Iterator[Finding]:
    users: defaultdict[tuple[str, str], dict[str, tuple[Subject, Manifest]]] = defaultdict(dict)
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            for need in manifest.references if manifest.workload is not None else ():
                if need.kind == "PersistentVolumeClaim":
                    users[need.namespace, need.name].setdefault(subject.owner.name, (subject, manifest))
    for (namespace, name), found in sorted(users.items()):
        if len(found) > 1:
            (_, first), (subject, other) = list(found.values())[:2]
            message = f"{first.id} and {other.id} of another instance both mount the claim `{namespace}/{name}`"
            yield Finding(message, subject.origin(other), "a claim for each instance", subject.field(other))


def _volumes_claimed_twice(view: View) -> Iterator[Finding]:
    taken: dict[str, Manifest] = {}
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            volume = _volume(manifest)
            first = taken.setdefault(volume, manifest) if volume else manifest
            if first.id != manifest.id:
                message = f"{first.id} and {manifest.id} both claim the PersistentVolume `{volume}`"
                field = subject.field(manifest, "spec", "volumeName")
                yield Finding(message, subject.origin(manifest), "a volume for each claim", field)


def _volume(manifest: Manifest) -> str:
    if manifest.id.kind != "PersistentVolumeClaim":
        return ""
    return str(mapping(manifest.data(), "spec").get("volumeName") or "")


_SHARED: Final[Mapping[str, str]] = {
    "database": "database",
    "vhost": "virtual host",
    "prefix": "prefix of keys",
    "username": "user",
}


@rule(SITE_RULES, "OS054", "a database, a virtual host and a user have one owner")
def accounts(view: View) -> Iterator[Finding]:
    """Check that no two consumers of one provider are given the same database, virtual host, prefix or user.

    Why it matters: two services in one schema destroy each other's data at the first migration; two in one virtual host
    take each other's messages.

    Example: `bindings.database.database: nova` in the values of two instances that are bound to one mariadb.

    Use instead: what the compiler makes of the names of instance and requirement, which is never twice the same.
    """
    taken: dict[tuple[str, str, str], str] = {}
    for instance in view.instances:
        for binding in instance.bindings:
            for key, word in _SHARED.items():
                node = instance.values.get("bindings", binding.requirement.name, key)
                if not isinstance(node, ScalarNode) or not isinstance(node.value, str) or not node.value:
                    continue
                me = f"`{instance.name}` ({binding.requirement.name})"
                first = taken.setdefault((binding.provider, key, node.value), me)
                if first != me:
                    message = f"{first} and {me} are given the same {word} `{node.value}` of `{binding.provider}`"
                    yield Finding(message, node.origin, "leave it to the compiler, which makes it of their names")


@rule(SITE_RULES, "OS055", "a service stands in the catalogue once")
def catalogue(view: View) -> Iterator[Finding]:
    """Check that no two instances write the same service into one region of one catalogue.

    Looks at the environment of Jobs that write into it (`OS_SERVICE_TYPE`, `OS_REGION_NAME`, as the charts of
    OpenStack-Helm name them), and takes one bound identity, or else one namespace, for one catalogue.

    Why it matters: each run of one Job sends every client to the other instance's address, until the other runs again.

    Example: two instances of glance whose Jobs both write `image` into the region `RegionOne`.

    Use instead: a region, or an identity, for each.
    """
    taken: dict[tuple[str, str, str], tuple[Subject, Manifest]] = {}
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            if manifest.id.kind != "Job" or "OS_SERVICE_TYPE" not in manifest.content:
                continue
            for entry in sorted(set(_entries(manifest))):
                key = (_identity(view, subject) or f"namespace {manifest.id.namespace}", *entry)
                owner, first = taken.setdefault(key, (subject, manifest))
                if owner.owner.name != subject.owner.name:
                    place = f" in the region `{entry[1]}`" if entry[1] else ""
                    yield Finding(
                        f"{first.id} and {manifest.id} both write the service `{entry[0]}`{place} into one catalogue",
                        subject.origin(manifest),
                        "another region, or another identity, for one of the instances",
                        subject.field(manifest),
                    )


def _entries(manifest: Manifest) -> Iterator[tuple[str, str]]:
    pod = mapping(manifest.data(), "spec", "template", "spec")
    for container in items(pod, "containers"):
        variables = {str(each.get("name")): str(each.get("value") or "") for each in items(container, "env")}
        if variables.get("OS_SERVICE_TYPE"):
            yield variables["OS_SERVICE_TYPE"], variables.get("OS_REGION_NAME", "")


def _identity(view: View, subject: Subject) -> str:
    """The instance whose catalogue is written, where it is bound."""
    for instance in view.instances:
        if instance.name == subject.owner.name:
            return next((each.provider for each in instance.bindings if each.requirement.interface == "identity"), "")
    return ""


@rule(SITE_RULES, "OS056", "an object is applied by one Application and one Kustomization")
def one_owner(view: View) -> Iterator[Finding]:
    """Check that no object is in the files of two Applications, or of two Kustomizations.

    Why it matters: the one that syncs last wins, and both show a difference for ever after; when one of them goes, it
    takes the object along.

    Example: a chart that renders an Application whose path is a folder of the site's own output.

    Use instead: one Application for each file; a path outside the output for what a chart brings along.
    """
    yield from remembered(view, "OS056", "", _two_owners)


def _two_owners(view: View) -> Iterator[Finding]:
    for kind, owners in engines.owners(view.emitted.revision).items():
        applied: dict[ObjectId, str] = {}
        for owner in owners:
            for one in owner.objects:
                first = applied.setdefault(one.id, owner.name)
                if first != owner.name:
                    message = f"{one.id} is applied by the {kind}s `{first}` and `{owner.name}`"
                    yield Finding(message, Origin(one.path), "one of them must not read this file")
