"""``component.yaml`` becomes a contract."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.documents import schema
from compiler.documents.schema import FORGETFUL, Memory
from compiler.errors import Collector, InputError
from compiler.model.chart import (
    Component,
    ConfigurationFile,
    Contract,
    Phase,
    Provision,
    Requirement,
    Role,
    SecretKey,
    SecretSpec,
)
from compiler.model.names import ComponentName, InterfaceName, ProvisionName, RequirementName
from compiler.model.node import ListNode, MapNode, Node, Origin, ScalarNode, flag, text
from compiler.model.report import Exemption

_EMPTY = MapNode({}, Origin(""))


def structure(document: Node, memory: Memory = FORGETFUL) -> Contract:
    """The contract that ``document`` states; it is checked against its schema (see ``Memory``) and against itself.

    Raises ``InputError`` with every mistake: an unknown key, a wrong type, a name that no component, secret or
    requirement bears, components that wait for one another.
    """
    mistakes = Collector()
    mistakes.extend(schema.check(document, schema.published("component.v1"), "the contract", memory))
    mistakes.stop()
    assert isinstance(document, MapNode)  # noqa: S101 - the schema says so
    contract = Contract(
        origin=document.origin,
        provides=tuple(_provision(name, node) for name, node in _entries(document, "provides")),
        requires=tuple(_requirement(name, node) for name, node in _entries(document, "requires")),
        components=tuple(_component(name, node) for name, node in _entries(document, "components")),
        secrets=tuple(_secret(name, node) for name, node in _entries(document, "secrets")),
        exemptions=tuple(_exemption(node) for node in _items(document, "exemptions")),
        configuration=tuple(_file(name, node) for name, node in _entries(document, "configuration")),
    )
    mistakes.extend(error for error in _dangling(contract).diagnostics)
    mistakes.stop()
    return contract


def _entries(document: MapNode, key: str) -> Iterator[tuple[str, MapNode]]:
    below = document.entries.get(key)
    for name, node in (below.entries if isinstance(below, MapNode) else {}).items():
        yield name, node if isinstance(node, MapNode) else _EMPTY


def _items(document: MapNode, key: str) -> tuple[Node, ...]:
    below = document.entries.get(key)
    return below.items if isinstance(below, ListNode) else ()


def _number(node: MapNode, key: str, default: int = 0) -> int:
    below = node.entries.get(key)
    return int(below.value) if isinstance(below, ScalarNode) and isinstance(below.value, int) else default


def _names(node: MapNode, key: str) -> tuple[ComponentName, ...]:
    return tuple(ComponentName(str(item.data())) for item in _items(node, key))


def _provision(name: str, node: MapNode) -> Provision:
    prepare, tls = text(node, "prepare"), text(node, "tls")
    return Provision(
        name=ProvisionName(name),
        interface=InterfaceName(text(node, "interface", default=name)),
        component=ComponentName(text(node, "component")),
        port=_number(node, "port"),
        origin=node.origin,
        members=flag(node, "members"),
        prepare=ComponentName(prepare) if prepare else None,
        tls=ComponentName(tls) if tls else None,
        plaintext=text(node, "plaintext"),
        scheme=text(node, "scheme"),
        path=text(node, "path"),
        service=text(node, "service"),
    )


def _requirement(name: str, node: MapNode) -> Requirement:
    return Requirement(
        name=RequirementName(name),
        interface=InterfaceName(text(node, "interface")),
        origin=node.origin,
        gate=text(node, "gate") == "ready",
        optional=flag(node, "optional"),
        secret=text(node, "secret") or None,
        components=_names(node, "components") or None,
    )


def _component(name: str, node: MapNode) -> Component:
    phase = text(node, "phase")
    return Component(
        name=ComponentName(name),
        role=Role(text(node, "role")),
        origin=node.origin,
        replicas=_replicas(node.entries.get("replicas")),
        after=_names(node, "after"),
        phase=Phase(phase) if phase else None,
        reason=text(node, "reason"),
        reload=text(node, "reload"),
        leave=text(node, "leave"),
        objects=tuple(str(name) for name in _names(node, "objects")),
    )


def _replicas(node: Node | None) -> int | tuple[str, ...] | None:
    match node:
        case MapNode():
            return tuple(text(node, "value").split("."))
        case ScalarNode(value=int() as count):
            return count
        case _:
            return None


def _secret(name: str, node: MapNode) -> SecretSpec:
    keys = {key: SecretKey(text(spec, "generate"), _number(spec, "length", 32)) for key, spec in _entries(node, "keys")}
    return SecretSpec(
        name,
        keys,
        node.origin,
        rotate=flag(node, "rotate"),
        runtime=text(node, "owner") == "runtime",
        components=_names(node, "components") or None,
    )


def _exemption(node: Node) -> Exemption:
    return Exemption(
        rule=text(node, "rule"),
        component=text(node, "component"),
        reason=text(node, "reason"),
        origin=node.origin,
        container=text(node, "container"),
    )


def _file(name: str, node: MapNode) -> ConfigurationFile:
    return ConfigurationFile(name, text(node, "service"), node.origin)


def _dangling(contract: Contract) -> InputError:
    """Names that nothing bears, as one error (perhaps with nothing in it)."""
    mistakes = Collector()
    known = {
        "component": [str(component.name) for component in contract.components],
        "secret": [secret.name for secret in contract.secrets],
    }
    for what, name, origin in _named(contract):
        if name not in known[what]:
            hint = schema.nearest(name, known[what])
            mistakes.add(f"the contract names the {what} `{name}`, but has none", origin, hint)
    return InputError(mistakes.diagnostics)


def _named(contract: Contract) -> Iterator[tuple[str, str, Origin]]:
    """What a contract says of its own components and secrets: of which, by what name, and where."""
    for provision in contract.provides:
        for name in filter(None, (provision.component, provision.prepare, provision.tls)):
            yield "component", name, provision.origin
    for requirement in contract.requires:
        if requirement.secret is not None:
            yield "secret", requirement.secret, requirement.origin
    listed = [(each.components, each.origin) for each in contract.requires]
    listed += [(each.components, each.origin) for each in contract.secrets]
    listed += [(each.after, each.origin) for each in contract.components]
    for names, origin in listed:
        yield from (("component", name, origin) for name in names or ())
    for exemption in contract.exemptions:
        yield "component", exemption.component, exemption.origin
