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
    return SecretSpec(name, keys, node.origin, rotate=flag(node, "rotate"), runtime=text(node, "owner") == "runtime")


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
    components = [component.name for component in contract.components]
    secrets = [secret.name for secret in contract.secrets]

    def known(name: str | None, names: list[str], what: str, origin: Origin) -> None:
        if name is not None and name not in names:
            mistakes.add(f"the contract names the {what} `{name}`, but has none", origin, schema.nearest(name, names))

    for provision in contract.provides:
        known(provision.component, list(components), "component", provision.origin)
        known(provision.prepare, list(components), "component", provision.origin)
        known(provision.tls, list(components), "component", provision.origin)
    for requirement in contract.requires:
        known(requirement.secret, secrets, "secret", requirement.origin)
        for name in requirement.components or ():
            known(name, list(components), "component", requirement.origin)
    for component in contract.components:
        for name in component.after:
            known(name, list(components), "component", component.origin)
    for exemption in contract.exemptions:
        known(exemption.component, list(components), "component", exemption.origin)
    return InputError(mistakes.diagnostics)
