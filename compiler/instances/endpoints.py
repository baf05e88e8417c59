"""What a bound provider is reached at, written where a chart of OpenStack-Helm's conventions reads it.

Only what the chart's own file says is replaced: whatever a layer of the site writes lies above it. What is written
originates at the binding, and remembers what it replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from compiler.instances.infer import ENDPOINTS
from compiler.model.data import Data
from compiler.model.instance import Binding
from compiler.model.names import InstanceName, NamespaceName, object_name
from compiler.model.node import MapNode, Node, Origin, ScalarNode, leaves, literal
from compiler.model.site import Declaration
from compiler.relations.credentials import as_seen_by_others

_COPIED: Final = ("host_fqdn_override", "port", "scheme")
"""What the provider's own endpoint says of the provider, beside its hosts."""

_ADMIN: Final = ("auth", "admin")
"""The provider's administrator, whom consumers use to make accounts of their own."""

_COUNTED: Final = ("pod", "replicas", "server")
_INSIDE: Final = ("internal", "default")


def filled(
    values: MapNode, consumer: Declaration, bindings: tuple[Binding, ...], providers: dict[str, Declaration]
) -> MapNode:
    """``values`` of ``consumer`` with the address of each bound provider; ``providers`` are the site's instances."""
    for binding in bindings:
        provider = providers[binding.provider]
        kind = str(binding.requirement.name)
        for path, data in _said(values, kind, binding, provider, consumer.namespace):
            values = _over(values, (ENDPOINTS, kind, *path), data, binding.origin, consumer.chart_path)
    return values


def _said(
    values: MapNode, kind: str, binding: Binding, provider: Declaration, namespace: NamespaceName
) -> Iterator[tuple[tuple[str, ...], Data]]:
    """Paths below the consumer's endpoint, and what is to stand there."""
    if provider.namespace != namespace:
        yield ("namespace",), provider.namespace
    theirs = provider.values.get(ENDPOINTS, str(binding.provision.name))
    ours = values.get(ENDPOINTS, kind)
    if isinstance(theirs, MapNode) and isinstance(ours, MapNode):
        yield from _copied(ours, theirs, provider.name)
        yield from _members(ours, provider)
    elif isinstance(ours, MapNode):
        yield from _published(ours, binding)


def _copied(ours: MapNode, theirs: MapNode, provider: InstanceName) -> Iterator[tuple[tuple[str, ...], Data]]:
    yield from _hosts(ours, theirs)
    for group in (*((key,) for key in _COPIED), _ADMIN):
        for path, said in _plain(theirs.get(*group)) if ours.get(*group) is not None else ():
            yield (*group, *path), as_seen_by_others(said, provider) if isinstance(said, str) else said


def _hosts(ours: MapNode, theirs: MapNode) -> Iterator[tuple[tuple[str, ...], Data]]:
    """A host that is one of the provider's by default is called as the site calls that one; others go by their key.

    So a client of a database's replicas stays one, whatever ``default`` is to the others.
    """
    hosts = theirs.get("hosts")
    named = hosts.entries if isinstance(hosts, MapNode) else {}
    renamed = {str(one.data()): node.data() for node in named.values() for one in (node, *node.overrode)}
    for key, node in named.items():
        mine = ours.get("hosts", key)
        said = renamed.get(str(mine.data()), node.data()) if mine is not None else node.data()
        if said is not None:
            yield ("hosts", key), said


def _plain(node: Node | None) -> Iterator[tuple[tuple[str, ...], Data]]:
    """Every scalar below ``node`` that says something."""
    for path, leaf in leaves(node) if node is not None else ():
        if isinstance(leaf, ScalarNode) and leaf.value is not None:
            yield path, leaf.data()


def _members(ours: MapNode, provider: Declaration) -> Iterator[tuple[tuple[str, ...], Data]]:
    """Where clients list the members of a cluster: its StatefulSet begins with the provider's release name."""
    if not isinstance(ours.get("statefulset"), MapNode):
        return
    yield ("statefulset", "name"), f"{provider.name}-{provider.chart}"
    count = provider.values.get(*_COUNTED)
    if isinstance(count, ScalarNode) and isinstance(count.value, int):
        yield ("statefulset", "replicas"), count.value


def _published(ours: MapNode, binding: Binding) -> Iterator[tuple[tuple[str, ...], Data]]:
    """What a contract publishes: one host, one port, and members where there are any."""
    provision = binding.provision
    for key in _INSIDE:
        if ours.get("hosts", key) is not None:
            yield ("hosts", key), provision.service_name(binding.provider)
    ports = ours.get("port")
    first = next(iter(ports.entries), "") if isinstance(ports, MapNode) else ""
    for key in _INSIDE:
        if ours.get("port", first, key) is not None:
            yield ("port", first, key), provision.port
    members = binding.published.get("members")
    if isinstance(ours.get("statefulset"), MapNode) and isinstance(members, list) and members:
        yield ("statefulset", "name"), object_name(binding.provider, provision.component)
        yield ("statefulset", "replicas"), len(members)


def _over(values: MapNode, path: tuple[str, ...], data: Data, origin: Origin, chart: str) -> MapNode:
    """``values`` with ``data`` at ``path``, unless a layer above the chart's own values speaks there."""
    standing = values.get(*path)
    if standing is not None and (not standing.origin.file.startswith(f"{chart}/") or standing.data() == data):
        return values
    return _laid(values, path, _replacing(standing, data, origin))


def _replacing(standing: Node | None, data: Data, origin: Origin) -> Node:
    fresh = literal(data, origin)
    return replace(fresh, overrode=(standing, *standing.overrode)) if standing is not None else fresh


def _laid(node: MapNode, path: tuple[str, ...], leaf: Node) -> MapNode:
    key = path[0]
    below = node.entries.get(key)
    inner = below if isinstance(below, MapNode) else MapNode({}, leaf.origin)
    entry = leaf if len(path) == 1 else _laid(inner, path[1:], leaf)
    return replace(
        node,
        entries={**node.entries, key: entry},
        keys={**node.keys, key: node.keys.get(key, leaf.origin)},
    )
