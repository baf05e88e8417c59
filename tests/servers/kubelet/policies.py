"""NetworkPolicies as the network enforces them: who may open connections to whom.

As https://kubernetes.io/docs/concepts/services-networking/network-policies/ has it: a pod that no policy of a direction
selects is open in it; else a connection needs one rule of one policy that allows it. Answers always pass, and so does what
comes from the node itself (here: the tests' clients, and the pod's own address). Names are resolved beside the network here,
so a rule for DNS changes nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Object = Mapping[str, Any]


class Peer(Protocol):
    """A pod, as far as policies see it."""

    ip: str

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""

    @property
    def namespace(self) -> str:
        """Its namespace."""

    def port_number(self, name: str) -> int | None:
        """The number of a named port."""


@dataclass(frozen=True)
class Chains:
    """What one pod's network lets in and out, as lines for nftables; None where no policy selects the pod."""

    ingress: tuple[str, ...] | None
    egress: tuple[str, ...] | None

    def text(self, always: Sequence[str]) -> str:
        """A table for nftables; ``always`` are addresses that are let in and out in any case."""
        chains = [
            _chain("in", "input", "saddr", self.ingress, always),
            _chain("out", "output", "daddr", self.egress, always),
        ]
        return "table ip policies\ndelete table ip policies\ntable ip policies {\n" + "".join(chains) + "}\n"


def _chain(name: str, hook: str, side: str, rules: tuple[str, ...] | None, always: Sequence[str]) -> str:
    if rules is None:
        return ""
    lines = [
        f"type filter hook {hook} priority 10; policy drop;",
        f"{'iif' if hook == 'input' else 'oif'} lo accept",
        "ct state established,related accept",
        f"ip {side} {{ {', '.join(always)} }} accept",
        *rules,
    ]
    return f"chain {name} {{\n" + "".join(f"{line}\n" for line in lines) + "}\n"


def chains(pod: Peer, peers: Sequence[Peer], policies: Sequence[Object]) -> Chains:
    """What ``policies`` let in and out of ``pod``."""
    mine = [
        policy
        for policy in policies
        if policy["metadata"]["namespace"] == pod.namespace and selects(policy["spec"].get("podSelector"), pod.labels)
    ]
    ingress = [policy for policy in mine if "Ingress" in policy["spec"].get("policyTypes", ["Ingress"])]
    egress = [policy for policy in mine if "Egress" in policy["spec"].get("policyTypes", [])]
    return Chains(
        tuple(_rules(ingress, "ingress", "from", pod, peers)) if ingress else None,
        tuple(_rules(egress, "egress", "to", pod, peers)) if egress else None,
    )


def _rules(policies: Sequence[Object], key: str, who: str, pod: Peer, peers: Sequence[Peer]) -> Iterator[str]:
    side = "saddr" if key == "ingress" else "daddr"
    for policy in policies:
        for rule in policy["spec"].get(key) or []:
            named = rule.get(who)
            if not named:
                yield from (f"{port} accept".strip() for port in _ports(rule, [pod] if key == "ingress" else peers))
                continue
            for peer in named:
                for address, found in _addresses(peer, policy["metadata"]["namespace"], peers):
                    ports = _ports(rule, [pod] if key == "ingress" else ([found] if found else []))
                    yield from (f"ip {side} {address} {port} accept" for port in ports)


def _addresses(peer: Object, namespace: str, peers: Sequence[Peer]) -> Iterator[tuple[str, Peer | None]]:
    if block := peer.get("ipBlock"):
        assert not block.get("except"), "the tests' network does not know exceptions of an ipBlock"
        yield str(ipaddress.ip_network(block["cidr"])), None
        return
    for pod in peers:
        spaces = peer.get("namespaceSelector")
        near = pod.namespace == namespace if spaces is None else selects(spaces, _namespace_labels(pod.namespace))
        if pod.ip and near and selects(peer.get("podSelector"), pod.labels):
            yield pod.ip, pod


def _namespace_labels(namespace: str) -> Mapping[str, str]:
    return {"kubernetes.io/metadata.name": namespace}


def _ports(rule: Object, destinations: Sequence[Peer]) -> Iterator[str]:
    """The ports of a rule as nftables matches them; one empty match for a rule without ports."""
    if not rule.get("ports"):
        yield ""
    for port in rule.get("ports") or []:
        protocol = port.get("protocol", "TCP").lower()
        number = port.get("port")
        if number is None:
            yield f"meta l4proto {protocol}"
        elif isinstance(number, str):
            numbers = {each.port_number(number) for each in destinations} - {None}
            yield from (f"{protocol} dport {each}" for each in sorted(n for n in numbers if n is not None))
        else:
            yield f"{protocol} dport {number}-{port['endPort']}" if "endPort" in port else f"{protocol} dport {number}"


def selects(selector: Object | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches. An empty one, and none at all, match everything."""
    selector = selector or {}
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression(each, labels) for each in selector.get("matchExpressions") or [])


def _expression(expression: Object, labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values", [])
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels
