"""Who supplied a value: the layer that won, every one that lost, the chart's own default, a binding, the site."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compiler.model.instance import Instance
from compiler.model.node import MapNode, Node, Origin, at
from compiler.model.site import Site
from compiler.model.trace import Cause, Given, Supply, ValuePath

_BOUND: Final = frozenset({"bindings", "consumers"})


def supply(site: Site, instance: Instance, cause: Cause) -> Supply:
    """Where ``cause``, a value of ``instance`` or what else its templates read, comes from."""
    if isinstance(cause, Given):
        return _given(site, instance, cause)
    node = at(instance.values, cause)
    assert node is not None  # noqa: S101 - causes are values of the instance
    before = tuple(lost(instance.values, cause))
    defaults = [other for other in before if of_chart(instance, other)]
    origin, by = _by(site, instance, cause, node)
    overrode = tuple(other for other in before if other not in defaults)
    return Supply(cause, node.data(), origin, by, overrode, defaults[-1] if defaults else None)


def lost(values: MapNode, path: ValuePath) -> Iterator[Node]:
    """What stood at ``path`` before, latest first: also as a part of something that was replaced as a whole."""
    for depth in range(len(path), -1, -1):
        above = at(values, path[:depth])
        for other in above.overrode if above is not None else ():
            below = at(other, path[depth:])
            if below is not None:
                yield below


def of_chart(instance: Instance, node: Node) -> bool:
    """Whether the chart's own files say it."""
    return node.origin.file.startswith(f"{instance.chart.path}/")


def _by(site: Site, instance: Instance, path: ValuePath, node: Node) -> tuple[Origin, str]:
    bound = _binding(instance, path)
    if bound is not None:
        return bound
    if path[0] == "global" and at(site.globals, path[1:]) is node:
        return node.origin, "the site, for every chart"
    if of_chart(instance, node):
        return node.origin, "the chart's default"
    return node.origin, f"the layer `{node.origin.layer}`" if node.origin.layer else ""


def _binding(instance: Instance, path: ValuePath) -> tuple[Origin, str] | None:
    """Who wrote a value that comes of a binding, seen from either side."""
    if len(path) < 2 or path[0] not in _BOUND:  # noqa: PLR2004 - bindings.<requirement>, consumers.<key>
        return None
    for binding in instance.bindings:
        if path[:2] == ("bindings", binding.requirement.name):
            by = f"the binding of `{binding.requirement.name}` to `{binding.provider}` ({binding.reason})"
            return binding.origin, by
    for consumer in instance.consumers:
        if path[:2] == ("consumers", consumer.key):
            by = f"`{consumer.instance}`, whose `{consumer.requirement.name}` is bound to `{instance.name}`"
            return consumer.requirement.origin, by
    return None


def _given(site: Site, instance: Instance, given: Given) -> Supply:
    match given:
        case Given.NAME:
            return Supply(given, instance.name, instance.origin, "the instance's name")
        case Given.NAMESPACE:
            own = site.document.get("instances", instance.name, "namespace") or site.document.get("namespace")
            return Supply(given, instance.namespace, own.origin if own else instance.origin, "its namespace")
        case Given.KUBERNETES:
            node = site.document.get("kubernetes", "version")
            origin = node.origin if node else Origin(site.file)
            return Supply(given, site.kubernetes.version, origin, "the site's Kubernetes")
