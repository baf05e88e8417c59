"""Add to the rendered bundles what the site supplies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from compiler.documents import emit
from compiler.errors import collecting
from compiler.materialise.references import References
from compiler.materialise.secrets import Need, needs, object_of, refuse_derived_secrets
from compiler.model.chart import Role
from compiler.model.data import Data, canonical
from compiler.model.instance import SITE, Instance
from compiler.model.manifest import Bundle, Manifest, ObjectId, Reference
from compiler.model.names import ComponentName, InstanceName, NamespaceName
from compiler.model.site import Site

SECRETS = ComponentName("secrets")
"""The component of every Secret that the site supplies."""

WRITER = "oscompile:"
"""How the "template" of an object begins that no chart renders."""

_NOT_OURS = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})


def materialise(site: Site, instances: tuple[Instance, ...], rendered: tuple[Bundle, ...]) -> tuple[Bundle, ...]:
    """``rendered`` with the Secrets that each instance needs, and a bundle of the site's own objects before them.

    Promises one Namespace for every namespace in use (but for those that every cluster has). Raises ``InputError`` for
    a backend that the site must not use.
    """
    refuse_derived_secrets(site)
    secrets = _secrets(site, instances)
    own = Bundle(SITE, tuple(_namespaces(instances)))
    references = References(site, {instance.name: instance for instance in instances})
    with collecting() as mistakes:
        filled = tuple(references.filled(bundle, mistakes) for bundle in rendered)
    return (own, *(_joined(bundle, secrets.get(bundle.instance, ())) for bundle in filled))


def _joined(bundle: Bundle, more: tuple[Manifest, ...]) -> Bundle:
    manifests = sorted((*bundle.manifests, *more), key=lambda manifest: manifest.id)
    return replace(bundle, manifests=tuple(manifests))


def _secrets(site: Site, instances: tuple[Instance, ...]) -> Mapping[InstanceName, tuple[Manifest, ...]]:
    charts = {instance.name: instance for instance in instances}
    found: dict[InstanceName, list[Manifest]] = defaultdict(list)
    for need in needs(site, instances):
        found[need.instance].append(_secret(site, need, charts[need.instance]))
    return {name: tuple(manifests) for name, manifests in found.items()}


def _secret(site: Site, need: Need, instance: Instance) -> Manifest:
    api_version, kind, body = object_of(need, site)
    labels: dict[str, Data] = {
        "app.kubernetes.io/name": instance.chart.name,
        "app.kubernetes.io/instance": instance.name,
        "app.kubernetes.io/component": SECRETS,
        "app.kubernetes.io/part-of": "openstack",
        "app.kubernetes.io/managed-by": "oscompile",
    }
    metadata: dict[str, Data] = {"name": need.name, "namespace": need.namespace, "labels": labels}
    return Manifest(
        id=ObjectId(need.namespace, kind, api_version.rpartition("/")[0], need.name),
        api_version=api_version,
        template=f"{WRITER} secrets",
        metadata=canonical(metadata),
        body=emit(body),
        content=canonical(body),
        component=SECRETS,
        provides=(Reference("Secret", need.namespace, need.name),),
        lifecycle="create-once" if need.spec.runtime else "",
    )


def _namespaces(instances: tuple[Instance, ...]) -> Iterator[Manifest]:
    privileged = {instance.namespace for instance in instances if _may_need_privileges(instance)}
    for name in sorted({instance.namespace for instance in instances} - _NOT_OURS):
        yield _namespace(name, "privileged" if name in privileged else "restricted")


def _may_need_privileges(instance: Instance) -> bool:
    """Whether it has node agents, or ships no contract that would say so."""
    contract = instance.chart.contract
    if contract is None or not contract.shipped:
        return True
    components = contract.components
    return any(component.role is Role.AGENT for component in components)


def _namespace(name: NamespaceName, pod_security: str) -> Manifest:
    labels: dict[str, Data] = {
        "app.kubernetes.io/managed-by": "oscompile",
        "app.kubernetes.io/part-of": "openstack",
        "pod-security.kubernetes.io/enforce": pod_security,
    }
    metadata: dict[str, Data] = {"name": name, "labels": labels}
    return Manifest(
        id=ObjectId("", "Namespace", "", name),
        api_version="v1",
        template=f"{WRITER} namespaces",
        metadata=canonical(metadata),
        body="",
        component=ComponentName("namespaces"),
    )
