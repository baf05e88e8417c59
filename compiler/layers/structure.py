"""The merged document as nouns: what the site says of its cluster, its secrets and its delivery.

Each document was checked on its own; here stands what only the whole can lack or contradict.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import PurePosixPath
from typing import Final

from compiler.errors import Collector
from compiler.model.manifest import Reference
from compiler.model.names import EnvironmentName
from compiler.model.node import ListNode, MapNode, Node, Origin, ScalarNode, flag, text
from compiler.model.report import Waiver
from compiler.model.site import ArgoCD, Delivery, Flux, Kubernetes, Secrets

_SEEN: Final = ("count", "zone", "labels", "taints")
"""What charts see of the hosts: enough to know how many of them their pods may run on."""


def place(document: MapNode, *path: str) -> Origin:
    """Where ``path`` stands in ``document``, or else where the nearest thing above it does."""
    node = document.get(*path)
    return node.origin if node is not None else place(document, *path[:-1])


def globals_of(document: MapNode) -> MapNode:
    """What every chart reads as ``.Values.global``: ``site``, whether it is a development one, and what it runs on."""
    site = document.get("site")
    base = site if isinstance(site, MapNode) else MapNode({}, document.origin)
    written = document.get("development")
    origin = written.origin if written is not None else document.origin
    added: dict[str, Node] = {"development": ScalarNode(flag(document, "development"), origin)}
    hosts = document.get("topology", "hosts")
    if isinstance(hosts, ListNode):
        seen = ListNode(tuple(_seen(group) for group in hosts.items), hosts.origin)
        added["topology"] = MapNode({"hosts": seen}, hosts.origin, keys={"hosts": hosts.origin})
    keys = {**base.keys, **{key: node.origin for key, node in added.items()}}
    return MapNode({**base.entries, **added}, base.origin, keys=keys)


def _seen(group: Node) -> Node:
    if not isinstance(group, MapNode):
        return group
    return replace(group, entries={key: group.entries[key] for key in _SEEN if key in group.entries})


def kubernetes(document: MapNode, mistakes: Collector) -> Kubernetes:
    """The cluster that templates see."""
    version = text(document, "kubernetes", "version")
    if not version:
        message = "the site must say which Kubernetes it is compiled for, but has no `kubernetes.version`"
        mistakes.add(message, place(document, "kubernetes"), '`kubernetes: {version: "1.35"}`')
    api_versions = document.get("kubernetes", "apiVersions")
    items = api_versions.items if isinstance(api_versions, ListNode) else ()
    return Kubernetes(version, tuple(str(item.data()) for item in items))


def existing(document: MapNode) -> tuple[Reference, ...]:
    """What the cluster has without being given it by this site, in the order in which it is written."""
    listed = document.get("kubernetes", "existing")
    return tuple(
        Reference(kind, *_placed(str(name.data())))
        for kind, names in (listed.entries.items() if isinstance(listed, MapNode) else ())
        for name in (names.items if isinstance(names, ListNode) else ())
    )


def _placed(name: str) -> tuple[str, str]:
    """Namespace and name; no namespace for what is cluster-scoped."""
    namespace, _, rest = name.rpartition("/")
    return namespace, rest


def secrets(document: MapNode, mistakes: Collector) -> Secrets:
    """Who materialises Secrets: nobody by default, but that a development site derives them."""
    default = "development" if flag(document, "development") else ""
    backend, store = text(document, "secrets", "backend", default=default), text(document, "secrets", "store")
    origin = place(document, "secrets", "backend")
    if not backend:
        message = "the site must say who materialises the Secrets of its charts, but has no `secrets.backend`"
        mistakes.add(message, origin, "`secrets: {backend: external-secrets, store: ...}`")
    if backend == "external-secrets" and not store:
        message = "`secrets.store` must name the store that External Secrets reads, but there is none"
        mistakes.add(message, origin, "`store: ...` beside the backend")
    kind = text(document, "secrets", "storeKind", default="ClusterSecretStore")
    return Secrets(backend, origin, store, kind, _chart_defaults(document, mistakes))


def _chart_defaults(document: MapNode, mistakes: Collector) -> tuple[str, ...]:
    """The charts whose default credentials are accepted: what everybody can read protects nothing."""
    listed = document.get("secrets", "chartDefaults")
    charts = tuple(str(item.data()) for item in listed.items) if isinstance(listed, ListNode) else ()
    if charts and not flag(document, "development"):
        message = "`secrets.chartDefaults` accepts passwords that everybody knows, which only a development site may"
        hint = "`development: true`, or credentials by reference (docs/third-party.md)"
        mistakes.add(message, place(document, "secrets", "chartDefaults"), hint)
    return charts


def delivery(document: MapNode, name: EnvironmentName, mistakes: Collector) -> Delivery:
    """Where the tree goes: ``rendered/<name>`` unless the site says otherwise."""
    output = text(document, "delivery", "output", default=f"rendered/{name}")
    path = PurePosixPath(output)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        message = f"`delivery.output` must be a directory below the root of the repository, but is `{output}`"
        mistakes.add(message, place(document, "delivery", "output"), f"`rendered/{name}`")
    return Delivery(
        output=path.as_posix(),
        url=text(document, "delivery", "repository", "url"),
        revision=text(document, "delivery", "repository", "revision", default="main"),
        argocd=_argocd(document.get("delivery", "argocd")),
        flux=_flux(document.get("delivery", "flux")),
        tests=flag(document, "delivery", "helmTests"),
    )


def waivers(document: MapNode, mistakes: Collector) -> tuple[Waiver, ...]:
    """What the site answers for although a rule refuses it, in the order in which it is written."""
    return tuple(_waivers(document.get("waivers"), mistakes))


def registries(document: MapNode) -> tuple[str, ...]:
    """Where images may come from; none where the site does not say."""
    listed = document.get("registries")
    return tuple(str(item.data()) for item in listed.items) if isinstance(listed, ListNode) else ()


def _waivers(listed: Node | None, mistakes: Collector) -> Iterator[Waiver]:
    for node in listed.items if isinstance(listed, ListNode) else ():
        expires = text(node, "expires")
        try:
            date.fromisoformat(expires)
        except ValueError:
            message = f"`expires` must be a day of the calendar, but is `{expires}`"
            mistakes.add(message, place(node, "expires") if isinstance(node, MapNode) else node.origin, "`2027-03-31`")
        yield Waiver(
            rule=text(node, "rule"),
            object=text(node, "object"),
            reason=text(node, "reason"),
            expires=expires,
            origin=node.origin,
            container=text(node, "container"),
            value=text(node, "value"),
        )


def _argocd(node: Node | None) -> ArgoCD | None:
    if not isinstance(node, MapNode):
        return None
    default = ArgoCD()
    return ArgoCD(
        granularity=text(node, "granularity", default=default.granularity),
        namespace=text(node, "namespace", default=default.namespace),
        project=text(node, "project", default=default.project),
        server=text(node, "server", default=default.server),
        automated=flag(node, "automated", default=default.automated),
    )


def _flux(node: Node | None) -> Flux | None:
    if not isinstance(node, MapNode):
        return None
    default = Flux()
    return Flux(
        namespace=text(node, "namespace", default=default.namespace),
        interval=text(node, "interval", default=default.interval),
        timeout=text(node, "timeout", default=default.timeout),
    )
