"""Rules about what cannot be made again, who stands alone, and how many members clients know of."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from compiler.model.chart import Role
from compiler.model.diagnostic import Severity
from compiler.model.manifest import Manifest
from compiler.relations.untyped import Map, items, mapping
from compiler.survival import Pods
from compiler.validate.rule import SITE_RULES, Finding, View, rule

_MEMBER: Final = re.compile(r"\b(?P<set>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)-(?P<number>\d+)\.(?P<service>[a-z0-9-]+)\b")
"""The DNS name of a member of a StatefulSet: name, ordinal, and the headless Service that it is found by."""


@rule(SITE_RULES, "OS028", "nobody who serves others stands alone", Severity.WARNING)
def alone(view: View) -> Iterator[Finding]:
    """Check that what consumers are bound to is served by more than a singleton.

    Why it matters: a provider with three members behind one controller, proxy or leader without a second is as
    available as that one. It is lost with its host, and its consumers with it.

    Example: a database whose Service follows a label that a controller of one replica moves.

    Use instead: an address that the members themselves keep true, or a second replica with an election between them.
    """
    if view.site.development:
        return
    charts = {instance.name: instance.chart for instance in view.instances}
    for instance in view.instances:
        for binding in instance.bindings:
            contract = charts[binding.provider].contract if binding.provider in charts else None
            component = contract.component(binding.provision.component) if contract else None
            if component is not None and component.role is Role.SINGLETON:
                yield Finding(
                    f"`{instance.name}` depends on `{binding.provider}/{component.name}`, which runs once",
                    component.origin,
                    "two replicas with an election, or an address that the members keep true",
                )


@rule(SITE_RULES, "OS030", "members of a quorum keep their data", Severity.WARNING)
def kept(view: View) -> Iterator[Finding]:
    """Check that a quorum has a volume for each member, which outlives the StatefulSet and its scaling.

    It is a StatefulSet, since the pods of nothing else keep a volume and a name each. The volume's storage class is one
    that it names, or the default of the site's `topology` where that lists classes.

    Why it matters: a member that comes back empty is a new one, and a quorum whose members all come back empty is a new
    service with no data, which nothing announces.

    Example: `emptyDir` for the data; `persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}`.

    Use instead: `common.statefulset`, which keeps volumes (`Retain`).
    """
    if view.site.development:
        return
    for pods in view.survey.pods:
        if pods.plays is not Role.QUORUM:
            continue
        if pods.kind != "StatefulSet":
            message = f"`{pods.name}` must be a StatefulSet, whose members keep a volume each, but is a {pods.kind}"
            yield _finding(view, pods, message, "`common.statefulset`")
            continue
        spec = mapping(pods.manifest.data(), "spec")
        yield from _unclassed(view, pods, spec)
        policy = mapping(spec, "persistentVolumeClaimRetentionPolicy")
        if not any(items(spec, "volumeClaimTemplates")):
            message = f"`{pods.name}` must have a volume for each member (`volumeClaimTemplates`), but has none"
            yield _finding(view, pods, message, "`volumeClaimTemplates`", "spec")
        elif {policy.get("whenDeleted"), policy.get("whenScaled")} != {"Retain"}:
            message = (
                f"the volumes of `{pods.name}` must outlive it and its scaling, but "
                "`persistentVolumeClaimRetentionPolicy` does not say so"
            )
            yield _finding(
                view,
                pods,
                message,
                "`{whenDeleted: Retain, whenScaled: Retain}`",
                "spec",
                "persistentVolumeClaimRetentionPolicy",
            )


def _unclassed(view: View, pods: Pods, spec: Map) -> Iterator[Finding]:
    """The volumes that ask for a default class where the site has none."""
    topology = view.site.topology
    if topology is None or not topology.storage or topology.storage_class("") is not None:
        return
    for number, claim in enumerate(items(spec, "volumeClaimTemplates")):
        if not mapping(claim, "spec").get("storageClassName"):
            message = f"the volumes of `{pods.name}` name no storage class, and the site's topology has no default"
            hint = "the class by name; or `default: true` for one of `topology.storageClasses`"
            yield _finding(view, pods, message, hint, "spec", "volumeClaimTemplates", number, "spec")


@dataclass(frozen=True, slots=True)
class _Members:
    """The members of a StatefulSet by number, as some object of a client names them."""

    pods: Pods
    numbers: frozenset[int]


@rule(SITE_RULES, "OS031", "clients know every member, and no other", Severity.WARNING)
def members(view: View) -> Iterator[Finding]:
    """Check that whoever names members of a StatefulSet of another instance names all of them, and none too many.

    The count is written once, by the provider; the compiler hands clients the names. One that wrote them itself
    keeps the old list when the provider grows.

    Why it matters: a client that knows three of five members is lost with those three, and one that knows a fourth of
    three waits for it.

    Example: `transport_url` with three brokers written into the values of a chart, beside `replicas: 5` of the broker.

    Use instead: `.Values.bindings.<requirement>.members`.
    """
    known = {
        (pods.manifest.id.namespace, pods.manifest.id.name): pods
        for pods in view.survey.pods
        if pods.kind == "StatefulSet"
    }
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            for found in _named(manifest, subject.owner.name, subject.owner.namespace, known):
                fault = _fault(found)
                if fault:
                    yield Finding(
                        f"{manifest.id} {fault}",
                        subject.origin(manifest),
                        "`.Values.bindings.<requirement>.members`",
                        subject.field(manifest),
                    )


def _named(
    manifest: Manifest, instance: str, namespace: str, known: Mapping[tuple[str, str], Pods]
) -> Iterator[_Members]:
    """The members of other instances that ``manifest`` names, by StatefulSet."""
    numbers: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for match in _MEMBER.finditer(manifest.content):
        elsewhere = re.match(r"\.([a-z0-9-]+)\.svc", manifest.content[match.end() : match.end() + 80])
        key = (elsewhere[1] if elsewhere else namespace, match["set"])
        pods = known.get(key)
        if pods is not None and pods.instance != instance and _service(pods) == match["service"]:
            numbers[key].add(int(match["number"]))
    for key, found in sorted(numbers.items()):
        yield _Members(known[key], frozenset(found))


def _service(pods: Pods) -> str:
    return str(mapping(pods.manifest.data(), "spec").get("serviceName") or "")


def _fault(found: _Members) -> str:
    count = found.pods.count
    beyond = sorted(number for number in found.numbers if number >= count)
    if beyond:
        return f"names member {beyond[0]} of `{found.pods.name}`, which has {count} (the last is {count - 1})"
    missing = count - len(found.numbers)
    return f"names {len(found.numbers)} of the {count} members of `{found.pods.name}`" if missing else ""


def _finding(view: View, pods: Pods, message: str, hint: str, *path: str | int) -> Finding:
    subject = view.owner(pods.instance)
    field = subject.field(pods.manifest, *path) if subject else None
    return Finding(message, subject.origin(pods.manifest) if subject else None, hint, field)
