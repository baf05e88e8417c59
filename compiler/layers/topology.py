"""What the site says of its hosts, and whether it says it without contradicting itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compiler.errors import Collector
from compiler.model.data import Data
from compiler.model.diagnostic import Diagnostic, Related
from compiler.model.node import ListNode, MapNode, Node, Origin, ScalarNode, flag, is_null, text
from compiler.model.quantity import has_unit, millis, whole
from compiler.model.topology import HOSTNAME, PODS, ZONE, Capacity, Hosts, Reach, StorageClass, Taint, Topology

_SAID_ELSEWHERE: Final = {HOSTNAME: "names", ZONE: "zone"}
"""Labels that Kubernetes and the topology both name: the topology says them once."""


def topology(document: MapNode, mistakes: Collector) -> Topology | None:
    """The topology of the site; None where it declares none. Notes everything in which it contradicts itself."""
    node = document.get("topology")
    if not isinstance(node, MapNode):
        return None
    groups = [item for item in _items(node.get("hosts")) if isinstance(item, MapNode)]
    if not groups:
        message = "`topology` must have at least one group of hosts, but has none"
        mistakes.add(message, node.origin, "`hosts: [{count: 3}]`, or no `topology` at all")
        return None
    mistakes.extend((*_names(groups), *_zones(node, groups), *_defaults(node)))
    return Topology(
        hosts=tuple(_hosts(group, mistakes) for group in groups),
        origin=node.origin,
        storage=tuple(_storage(name, each) for name, each in _classes(node)),
    )


def _hosts(group: MapNode, mistakes: Collector) -> Hosts:
    mistakes.extend(_labels(group))
    names = tuple(str(item.data()) for item in _items(group.get("names")))
    count = _integer(group.get("count"), len(names))
    if names and len(names) != count:
        message = f"`names` must name every host of its group, but names {len(names)} of {count}"
        mistakes.add(message, _origin(group, "names"), f"`count: {len(names)}`, or {count} names")
    return Hosts(
        count=count,
        origin=group.origin,
        zone=text(group, "zone"),
        labels={key: str(node.data()) for key, node in _entries(group.get("labels"))},
        taints=tuple(
            Taint(text(item, "key"), text(item, "value"), text(item, "effect")) for item in _items(group.get("taints"))
        ),
        capacity=_capacity(group, mistakes),
        names=names,
    )


def _labels(group: MapNode) -> Iterator[Diagnostic]:
    """A label that the group says in words of its own too must say the same; better, it is said once."""
    for key, node in _entries(group.get("labels")):
        told = _SAID_ELSEWHERE.get(key)
        if told is not None and (told == "names" or text(group, told) != str(node.data())):
            message = f"the label `{key}` is what `{told}` says of a host, but here it says `{node.data()}` by itself"
            yield Diagnostic(message, node.origin, f"`{told}`, without the label")


def _capacity(group: MapNode, mistakes: Collector) -> Capacity:
    cpu, memory = group.get("capacity", "cpu"), group.get("capacity", "memory")
    return Capacity(
        cpu=_amount(cpu, "cpu", mistakes),
        memory=_amount(memory, "memory", mistakes),
        pods=_integer(group.get("capacity", "pods"), PODS),
    )


def _amount(node: Node | None, what: str, mistakes: Collector) -> int | None:
    if node is None or is_null(node):
        return None
    written = node.data()
    hint = _fault(written, what)
    if hint:
        message = f"`capacity.{what}` must be {_WANTED[what]}, but is `{written}`"
        mistakes.add(message, node.origin, hint)
        return None
    return millis(written) if what == "cpu" else whole(written)


_WANTED: Final = {"cpu": "a number of processors", "memory": "an amount of memory with its unit"}


def _fault(written: Data, what: str) -> str:
    """What to write instead of ``written``; nothing where it is right."""
    amount = millis(written) if what == "cpu" else whole(written)
    if amount is None or amount <= 0:
        return '"32"' if what == "cpu" else "128Gi"
    if what == "cpu":
        return '"32"' if has_unit(written) and not str(written).endswith("m") else ""
    return "" if has_unit(written) and not str(written).endswith("m") else f"{written}Gi, if gibibytes are meant"


def _names(groups: list[MapNode]) -> Iterator[Diagnostic]:
    """A host is one host: no name stands twice."""
    seen: dict[str, Origin] = {}
    for group in groups:
        for item in _items(group.get("names")):
            name = str(item.data())
            if name in seen:
                message = f"two hosts of the topology cannot have one name, but `{name}` stands twice"
                yield Diagnostic(message, item.origin, "another name", (Related("the first one", seen[name]),))
            seen.setdefault(name, item.origin)


def _zones(node: MapNode, groups: list[MapNode]) -> Iterator[Diagnostic]:
    """Zones that are named must have hosts, and where they are listed, hosts must be in one of them."""
    populated = {text(group, "zone") for group in groups} - {""}
    listed = _items(node.get("zones"))
    named = [(item, "is listed") for item in listed]
    for name, each in _classes(node):
        named += [(item, f"is where the storage class `{name}` makes volumes") for item in _items(each.get("zones"))]
    for item, why in named:
        if item.data() not in populated:
            yield Diagnostic(f"the zone `{item.data()}` {why}, but no host is in it", item.origin, _nearest(populated))
    known = {str(item.data()) for item in listed}
    for group in groups if listed else ():
        if text(group, "zone") not in known:
            zone = text(group, "zone")
            said = f"are in `{zone}`, which is not listed" if zone else "name none"
            message = f"`topology.zones` lists every zone there is, but these hosts {said}"
            yield Diagnostic(message, _origin(group, "zone"), f"one of {', '.join(sorted(known))}")


def _nearest(populated: set[str]) -> str:
    return (
        f"hosts with this `zone`, or one of {', '.join(sorted(populated))}" if populated else "hosts with this `zone`"
    )


def _defaults(node: MapNode) -> Iterator[Diagnostic]:
    marked = [(name, each) for name, each in _classes(node) if flag(each, "default")]
    for name, each in marked[1:]:
        message = f"one storage class is the default one, but `{marked[0][0]}` and `{name}` both are"
        yield Diagnostic(message, _origin(each, "default"), "`default: true` once")
    for name, each in _classes(node):
        if text(each, "reach") == Reach.SITE and _items(each.get("zones")):
            message = f"volumes of the class `{name}` reach the whole site, but are made in some zones only"
            yield Diagnostic(message, _origin(each, "zones"), "`reach: zone`, or no `zones`")


def _storage(name: str, node: MapNode) -> StorageClass:
    zones = tuple(str(item.data()) for item in _items(node.get("zones")))
    return StorageClass(name, Reach(text(node, "reach")), zones, flag(node, "default"))


def _classes(node: MapNode) -> list[tuple[str, MapNode]]:
    return [(name, each) for name, each in _entries(node.get("storageClasses")) if isinstance(each, MapNode)]


def _entries(node: Node | None) -> list[tuple[str, Node]]:
    if not isinstance(node, MapNode):
        return []
    return [(key, below) for key, below in node.entries.items() if not is_null(below)]


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, ListNode) else ()


def _integer(node: Node | None, default: int) -> int:
    return node.value if isinstance(node, ScalarNode) and isinstance(node.value, int) else default


def _origin(group: MapNode, key: str) -> Origin:
    node = group.get(key)
    return node.origin if node is not None else group.origin
