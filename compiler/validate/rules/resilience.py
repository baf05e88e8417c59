"""Rules about surviving a bad day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compiler.model.chart import Component, Role
from compiler.model.instance import Instance
from compiler.model.node import ListNode, MapNode, Node, ScalarNode
from compiler.validate.rule import SITE_RULES, Finding, View, rule

_LEAST: Final = {Role.QUORUM: 3, Role.API: 2, Role.WORKER: 2}


@rule(SITE_RULES, "OS018", "API servers and workers have a second replica")
def second_replica(view: View) -> Iterator[Finding]:
    """Check that components of the roles `api` and `worker` have at least two replicas, outside development.

    Why it matters: one replica is gone for as long as its host is.

    Example: `replicas: {api: 1}` for keystone in a production site.

    Use instead: three for an API; a component that may only run once is a `singleton` and says why that is harmless.
    """
    for instance, component, count, node in _counted(view):
        least = _LEAST.get(component.role)
        if component.role is not Role.QUORUM and least and count < least:
            yield Finding(
                f"`{instance.name}/{component.name}` must have at least {least} replicas, but has {count}",
                node.origin,
                "3",
            )


@rule(SITE_RULES, "OS019", "a quorum is odd, at least three, and fits its hosts")
def quorum_counts(view: View) -> Iterator[Finding]:
    """Check that a component of the role `quorum` has an odd number of members, at least three, on as many hosts.

    Why it matters: an even member adds a failure and no tolerance; two members on one host are lost together.

    Example: `replicas: 4`, or five members on three hosts.

    Use instead: 3, 5 or 7 members, and no more than the topology has hosts.
    """
    hosts = _hosts(view.site.document.entries.get("topology"))
    for instance, component, count, node in _counted(view):
        if component.role is not Role.QUORUM:
            continue
        name = f"`{instance.name}/{component.name}`"
        if count % 2 == 0 or count < _LEAST[Role.QUORUM]:
            hint = "3" if count < _LEAST[Role.QUORUM] else f"{count - 1} or {count + 1}"
            yield Finding(f"{name} must have an odd number of members, at least 3, but has {count}", node.origin, hint)
        elif hosts is not None and count > hosts:
            yield Finding(
                f"{name} has {count} members, but the site's topology has {hosts} hosts to put them on",
                node.origin,
                f"{hosts if hosts % 2 else hosts - 1}, or more hosts in `topology`",
            )


def _counted(view: View) -> Iterator[tuple[Instance, Component, int, Node]]:
    """Every component whose replicas are counted in the values, with the count and the node that says it."""
    if view.site.development:
        return
    for instance in view.instances:
        contract = instance.chart.contract
        for component in contract.components if contract else ():
            path = component.replicas
            node = instance.values.get(*path) if isinstance(path, tuple) else None
            if isinstance(node, ScalarNode) and isinstance(node.value, int):
                yield instance, component, node.value, node


def _hosts(topology: Node | None) -> int | None:
    """How many hosts the topology counts; None where it says nothing."""
    hosts = topology.entries.get("hosts") if isinstance(topology, MapNode) else None
    if not isinstance(hosts, ListNode):
        return None
    counts = [group.get("count") for group in hosts.items if isinstance(group, MapNode)]
    return sum(node.value for node in counts if isinstance(node, ScalarNode) and isinstance(node.value, int))
