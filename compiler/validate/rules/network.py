"""Rules about who may talk to whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from compiler.model.instance import Binding, Instance
from compiler.model.manifest import Manifest
from compiler.relations.untyped import Map, items, mapping
from compiler.survival import selects
from compiler.validate.pods import Pod, pod
from compiler.validate.rule import SITE_RULES, Finding, Subject, View, rule
from compiler.validate.verdicts import remembered

_NAMESPACE: Final = "kubernetes.io/metadata.name"
_DNS: Final = 53
_PEERS: Final = {"Egress": ("egress", "to"), "Ingress": ("ingress", "from")}


@dataclass(frozen=True, slots=True)
class _End:
    """One end of an edge: the pods of a component."""

    subject: Subject
    manifest: Manifest
    made: Pod

    @property
    def labels(self) -> Mapping[str, str]:
        return {key: str(value) for key, value in self.made.labels.items()}


@dataclass(frozen=True, slots=True)
class _Policies:
    """The network policies of a site, by namespace."""

    found: Mapping[str, list[Map]]

    @classmethod
    def of(cls, view: View) -> _Policies:
        found: dict[str, list[Map]] = defaultdict(list)
        for subject in view.subjects:
            for manifest in subject.bundle.manifests:
                if manifest.id.kind == "NetworkPolicy" and manifest.id.group == "networking.k8s.io":
                    found[manifest.id.namespace].append(mapping(subject.data(manifest), "spec"))
        return cls(found)

    def of_pods(self, end: _End, direction: str) -> list[Map]:
        """Those that select the pods of ``end`` and say something of ``direction``."""
        return [
            spec
            for spec in self.found.get(end.manifest.id.namespace, ())
            if selects(mapping(spec, "podSelector"), end.labels) and direction in _directions(spec)
        ]


@rule(SITE_RULES, "OS040", "the network is closed, but for what is declared", promise=True)
def network_policies(view: View) -> Iterator[Finding]:
    """Check that policies select the pods of every workload, in both directions, and let every binding through.

    For each binding the policies of the consumer must let it out to the provider's pods, on the provision's port, and
    those of the provider must let it in. Whoever is bound must be let out to the cluster's DNS (port 53), without which
    no name of a provider leads anywhere. Judged as Kubernetes does: a pod that no policy selects is open, one that some
    select is open for what any of them allows.

    Why it matters: a missing policy leaves a database open to whoever runs a pod; a missing rule in one leaves an API
    waiting for a database that is up, and both look healthy.

    Example: a NetworkPolicy for `memcached/server` that lists its consumers by hand, without the newest.

    Use instead: `common.networkpolicy`, which makes both sides of the bindings.
    """
    bound = "\n".join(
        f"{each.name} {binding.requirement.components} {binding.provider} {binding.provision.component} "
        f"{binding.provision.port}"
        for each in view.instances
        for binding in each.bindings
    )
    yield from remembered(view, "OS040", bound, _closed)


def _closed(view: View) -> Iterator[Finding]:
    policies, ends = _Policies.of(view), _ends(view)
    for end in (end for listed in ends.values() for end in listed):
        for direction in _PEERS:
            if not policies.of_pods(end, direction):
                message = f"no network policy closes the pods of {end.manifest.id} for {direction.lower()}"
                where = end.subject.field(end.manifest)
                yield Finding(message, end.subject.origin(end.manifest), "`common.networkpolicy`", where)
    for instance in view.instances:
        for binding in instance.bindings:
            yield from _edge(instance, binding, policies, ends)
        yield from _deaf(instance, policies, ends)


def _deaf(instance: Instance, policies: _Policies, ends: Mapping[str, list[_End]]) -> Iterator[Finding]:
    """The pods of ``instance`` that have a provider, and cannot ask for its address."""
    for end in ends.get(instance.name, ()):
        bound = any(_consumes(end, binding) for binding in instance.bindings)
        closed = policies.of_pods(end, "Egress") if bound else []
        if closed and not any(_lets_ask(spec) for spec in closed):
            message = f"the policies of {end.manifest.id} do not let its pods ask the cluster's DNS, port {_DNS}"
            hint = f"egress on port {_DNS}, UDP and TCP; `common.networkpolicy`"
            yield Finding(message, end.subject.origin(end.manifest), hint, end.subject.field(end.manifest))


def _lets_ask(spec: Map) -> bool:
    """Whether a policy lets DNS out to somebody: where the cluster has it, the site does not say."""
    names = {str(_DNS), "dns"}
    return any(
        not each.get("ports") or any(_is_port(port, names) for port in items(each, "ports"))
        for each in items(spec, "egress")
    )


def _consumes(end: _End, binding: Binding) -> bool:
    wanted = binding.requirement.components
    return not wanted or end.manifest.component in wanted


def _ends(view: View) -> Mapping[str, list[_End]]:
    """The pods of each instance."""
    found: dict[str, list[_End]] = defaultdict(list)
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            if manifest.workload is not None:
                made = pod(manifest.id.group, manifest.id.kind, subject.data(manifest))
                if made is not None and made.spec.get("hostNetwork") is not True:
                    found[subject.owner.name].append(_End(subject, manifest, made))
    return found


def _edge(
    instance: Instance, binding: Binding, policies: _Policies, ends: Mapping[str, list[_End]]
) -> Iterator[Finding]:
    provision = binding.provision
    consumers = [end for end in ends.get(instance.name, ()) if _consumes(end, binding)]
    providers = [end for end in ends.get(binding.provider, ()) if end.manifest.component == provision.component]
    for provider in providers:
        ports = {str(provision.port), *_names(provider.made, provision.port)}
        for consumer in consumers:
            edge = f"`{instance.name}/{consumer.manifest.component}` to `{binding.provider}/{provision.component}`"
            for near, far, direction in ((consumer, provider, "Egress"), (provider, consumer, "Ingress")):
                closed = policies.of_pods(near, direction)
                if closed and not any(_lets(spec, direction, near, far, ports) for spec in closed):
                    message = f"the policies of {near.manifest.id} do not let through {edge}, port {provision.port}"
                    hint = f"{_PEERS[direction][0]} on port {provision.port}; `common.networkpolicy`"
                    where = near.subject.field(near.manifest)
                    yield Finding(message, near.subject.origin(near.manifest), hint, where)


def _names(made: Pod, port: int) -> set[str]:
    listed = (each for container in made.containers for each in items(container.spec, "ports"))
    return {str(each.get("name")) for each in listed if each.get("containerPort") == port}


def _directions(spec: Map) -> list[str]:
    written = spec.get("policyTypes")
    if isinstance(written, list):
        return [str(each) for each in written]
    return ["Ingress", "Egress"] if "egress" in spec else ["Ingress"]


def _lets(spec: Map, direction: str, near: _End, far: _End, ports: set[str]) -> bool:
    rules, peers = _PEERS[direction]
    return any(
        (not each.get("ports") or any(_is_port(port, ports) for port in items(each, "ports")))
        and (not each.get(peers) or any(_is_peer(peer, near, far) for peer in items(each, peers)))
        for each in items(spec, rules)
    )


def _is_port(written: Map, ports: set[str]) -> bool:
    port, last = written.get("port"), written.get("endPort")
    if isinstance(port, int) and isinstance(last, int):
        return any(each.isdigit() and port <= int(each) <= last for each in ports)
    return port is None or str(port) in ports


def _is_peer(peer: Map, near: _End, far: _End) -> bool:
    if "ipBlock" in peer:
        return False
    namespace = far.manifest.id.namespace
    if "namespaceSelector" in peer:
        inside = selects(mapping(peer, "namespaceSelector"), {_NAMESPACE: namespace})
    else:
        inside = namespace == near.manifest.id.namespace
    return inside and selects(mapping(peer, "podSelector"), far.labels)
