"""The contract of a chart that has none, from values that follow OpenStack-Helm's conventions.

Such a chart lists every peer below ``endpoints``, by the type that the service catalogue gives it, with the hosts,
ports and namespace it is reached at, and what each workload waits for below ``dependencies.static``. (OpenStack-Helm's
developer documentation, "Endpoints" and "Pod dependencies".) The endpoint that bears the chart's own name is what it
offers; the others are what it needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from compiler.model.chart import Contract, Provision, Requirement
from compiler.model.names import ChartName, ComponentName, InterfaceName, ProvisionName, RequirementName
from compiler.model.node import MapNode, Node, ScalarNode, leaves, text

ENDPOINTS: Final = "endpoints"
_INTERFACES: Final[Mapping[str, str]] = {"oslo_db": "mysql", "oslo_messaging": "amqp", "oslo_cache": "memcached"}
"""Endpoint types by what our charts call the interface; the others differ in ``_`` and ``-`` alone."""

_OWN: Final = ("internal", "default")
_PORTS: Final = ("internal", "service", "default")


def infer(values: MapNode, chart: ChartName) -> Contract | None:
    """What ``values`` say of ``chart``; None where they do not follow the conventions.

    The requirements are addresses (``gate: none``): what waits for what is read from the rendered pods, workload by
    workload. A requirement that nobody in the site provides stays unbound, and the chart's own default stands.
    """
    endpoints = values.get(ENDPOINTS)
    if not isinstance(endpoints, MapNode) or not isinstance(values.get("dependencies", "static"), MapNode):
        return None
    listed = {
        kind: node for kind, node in endpoints.entries.items() if isinstance(node, MapNode) and "hosts" in node.entries
    }
    own = {kind for kind, node in listed.items() if _is_own(node, chart)}
    return Contract(
        origin=endpoints.origin,
        provides=tuple(_provision(kind, listed[kind]) for kind in listed if kind in own),
        requires=tuple(_requirement(kind, listed[kind]) for kind in listed if kind not in own),
        shipped=False,
        inferred=True,
    )


def service(endpoint: MapNode) -> str:
    """The Service at which other pods reach ``endpoint``."""
    return next(filter(None, (text(endpoint, "hosts", key) for key in _OWN)), "")


def _is_own(endpoint: MapNode, chart: ChartName) -> bool:
    """Whether it bears the chart's name, in the chart's own file: the site may have given its Service another one."""
    node = endpoint.get("name") or endpoint.get("hosts", "default")
    named = [str(one.data()) for one in (node, *node.overrode)] if node is not None else []
    return any(name == chart or name.startswith(f"{chart}-") for name in named)


def _provision(kind: str, endpoint: MapNode) -> Provision:
    name = service(endpoint)
    return Provision(
        name=ProvisionName(kind),
        interface=_interface(kind),
        component=ComponentName(name),
        port=next(_ports(endpoint.entries.get("port")), 0),
        origin=endpoint.origin,
        service=name,
    )


def _requirement(kind: str, endpoint: MapNode) -> Requirement:
    return Requirement(
        RequirementName(kind), _interface(kind), endpoint.origin, gate=False, optional=True, components=()
    )


def _interface(kind: str) -> InterfaceName:
    return InterfaceName(_INTERFACES.get(kind, kind.replace("_", "-")))


def _ports(ports: Node | None) -> Iterator[int]:
    found = {path: node.value for path, node in leaves(ports) if isinstance(node, ScalarNode)} if ports else {}
    for wanted in _PORTS:
        yield from (value for path, value in found.items() if path[-1:] == (wanted,) and isinstance(value, int))
