"""Find the provider of each requirement, and say what it publishes.

A requirement is bound to: the instance's explicit ``bindings``; else the only provider of the interface in the same
namespace; else the only provider that the site marks ``default: true``; else nothing, which is an error that lists the
candidates unless the requirement is optional and nobody offers it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compiler.documents.schema import nearest
from compiler.errors import InputError, collecting
from compiler.model.chart import Chart, Contract, Provision, Requirement
from compiler.model.data import Data
from compiler.model.diagnostic import Diagnostic, Related
from compiler.model.instance import Binding
from compiler.model.names import InstanceName, NamespaceName, object_name
from compiler.model.node import Node, Origin, ScalarNode, describe
from compiler.model.site import Declaration

_CREDENTIALS = {"mysql": "database", "amqp": "vhost", "redis": "prefix"}
"""The interfaces that know each consumer by a name and a password, and what each consumer gets of its own there."""


@dataclass(frozen=True, slots=True)
class Party:
    """A declared instance and its chart: one side of a binding."""

    declaration: Declaration
    chart: Chart

    @property
    def name(self) -> InstanceName:
        """The instance's name."""
        return self.declaration.name

    @property
    def namespace(self) -> NamespaceName:
        """The instance's namespace."""
        return self.declaration.namespace

    @property
    def contract(self) -> Contract | None:
        """The chart's contract."""
        return self.chart.contract

    def provision(self, interface: str) -> Provision | None:
        """What it offers under ``interface``."""
        provides = self.contract.provides if self.contract else ()
        return next((provision for provision in provides if provision.interface == interface), None)


@dataclass(frozen=True, slots=True)
class _Choice:
    provider: Party
    provision: Provision
    origin: Origin
    reason: str


def bind(consumer: Party, parties: Mapping[InstanceName, Party], *, development: bool) -> tuple[Binding, ...]:
    """Every binding of ``consumer``, in the order of its contract.

    Raises ``InputError`` with every requirement that nobody, or more than one, could meet, and every explicit binding
    that names what does not exist.
    """
    bindings: list[Binding] = []
    requires = consumer.contract.requires if consumer.contract else ()
    with collecting() as mistakes:
        mistakes.extend(_unknown_requirements(consumer, requires))
        for requirement in requires:
            with mistakes.attempt():
                choice = _choose(consumer, requirement, parties)
                if choice is not None:
                    published = _publish(consumer, requirement, choice, development=development)
                    bindings.append(
                        Binding(
                            requirement, choice.provider.name, choice.provision, published, choice.origin, choice.reason
                        )
                    )
    return tuple(bindings)


def _unknown_requirements(consumer: Party, requires: tuple[Requirement, ...]) -> list[Diagnostic]:
    names = [str(requirement.name) for requirement in requires]
    return [
        Diagnostic(
            f"`{consumer.name}` binds `{name}`, but its chart `{consumer.chart.name}` has no such requirement",
            node.origin,
            nearest(name, names),
        )
        for name, node in consumer.declaration.bindings.items()
        if name not in names
    ]


def _choose(consumer: Party, requirement: Requirement, parties: Mapping[InstanceName, Party]) -> _Choice | None:
    explicit = consumer.declaration.bindings.get(requirement.name)
    if explicit is not None:
        return _explicit(consumer, requirement, explicit, parties)
    candidates = [
        party for party in parties.values() if party is not consumer and party.provision(requirement.interface)
    ]
    near = [party for party in candidates if party.namespace == consumer.namespace]
    marked = [party for party in candidates if party.declaration.default]
    for group, reason in ((near, "the only one in its namespace"), (marked, "the site's default")):
        if len(group) == 1:
            return _chosen(group[0], requirement, requirement.origin, reason)
    if requirement.optional and not candidates:
        return None
    raise _unbound(consumer, requirement, candidates)


def _chosen(provider: Party, requirement: Requirement, origin: Origin, reason: str) -> _Choice:
    provision = provider.provision(requirement.interface)
    assert provision is not None  # noqa: S101 - candidates are those that provide it
    return _Choice(provider, provision, origin, reason)


def _explicit(
    consumer: Party, requirement: Requirement, explicit: Node, parties: Mapping[InstanceName, Party]
) -> _Choice | None:
    if isinstance(explicit, ScalarNode) and explicit.value is None:
        return None
    where = f"the binding `{requirement.name}` of `{consumer.name}`"
    if not (isinstance(explicit, ScalarNode) and isinstance(explicit.value, str)):
        raise _mistake(f"{where} must be the name of an instance, but is {describe(explicit)}", explicit.origin)
    if "/" in explicit.value:
        message = (
            f"{where} names `{explicit.value}`, but a binding leads to an instance of its own site, by its name alone"
        )
        away = f"`{{{requirement.name}: null}}` and the address in its values, if that is in another site"
        raise _mistake(message, explicit.origin, away)
    provider = parties.get(InstanceName(explicit.value))
    candidates = [str(party.name) for party in parties.values() if party.provision(requirement.interface)]
    if provider is None:
        message = f"{where} names the instance `{explicit.value}`, but the site has none of that name"
        raise _mistake(message, explicit.origin, nearest(explicit.value, candidates or [str(name) for name in parties]))
    if provider.provision(requirement.interface) is None:
        message = (
            f"{where} must provide `{requirement.interface}`, but `{provider.name}` ({provider.chart.name}) does not"
        )
        raise _mistake(message, explicit.origin, nearest(explicit.value, candidates))
    return _chosen(provider, requirement, explicit.origin, "bound explicitly")


def _mistake(message: str, origin: Origin, hint: str = "") -> InputError:
    return InputError([Diagnostic(message, origin, hint)])


def _unbound(consumer: Party, requirement: Requirement, candidates: list[Party]) -> InputError:
    name, interface = requirement.name, requirement.interface
    what = f"the requirement `{name}` of `{consumer.name}` (interface `{interface}`)"
    needed = Related(f"`{consumer.chart.name}` requires it here", requirement.origin)
    if not candidates:
        message = f"{what} has no provider: no other instance of the site provides `{interface}`"
        hint = f"add an instance that does, or `bindings: {{{name}: null}}` and the address in its values"
        return InputError([Diagnostic(message, consumer.declaration.origin, hint, (needed,))])
    candidates = sorted(candidates, key=lambda party: party.name)
    related = tuple(
        Related(f"candidate `{party.name}`, in namespace `{party.namespace}`", party.declaration.origin)
        for party in candidates
    )
    message = f"{what} has {len(candidates)} possible providers, and nothing decides between them"
    hint = f"`bindings: {{{name}: {candidates[0].name}}}` for `{consumer.name}`, or `default: true` for one of them"
    if len(candidates) == 1:
        message = (
            f"{what} has no provider in namespace `{consumer.namespace}`, and no provider of the site is its default"
        )
    return InputError([Diagnostic(message, consumer.declaration.origin, hint, (needed, *related))])


def _publish(consumer: Party, requirement: Requirement, choice: _Choice, *, development: bool) -> Mapping[str, Data]:
    provider, provision = choice.provider, choice.provision
    service = provision.service_name(provider.name)
    host = f"{service}.{provider.namespace}.svc"
    return {
        "interface": provision.interface,
        "instance": provider.name,
        "namespace": provider.namespace,
        "chart": provider.chart.name,
        "component": provision.component,
        "host": host,
        "port": provision.port,
        "members": list(_members(provider, provision, development=development)),
        **_http(provision, host),
        **_tls(provider, provision),
        **(_credentials(consumer, requirement) if not _is_inferred(consumer) else {}),
    }


def _is_inferred(consumer: Party) -> bool:
    """Whether its chart brings accounts of its own, which nobody prepares for it."""
    return consumer.contract is not None and consumer.contract.inferred


def _members(provider: Party, provision: Provision, *, development: bool) -> tuple[str, ...]:
    """The members' own names, from the one place where their number is written: the provider's values."""
    if not provision.members:
        return ()
    workload = object_name(provider.name, provision.component)
    headless = object_name(provider.name, provision.component, "members")
    count = _count(provider, provision, development=development)
    return tuple(f"{workload}-{ordinal}.{headless}.{provider.namespace}.svc" for ordinal in range(count))


def _count(provider: Party, provision: Provision, *, development: bool) -> int:
    component = provider.contract.component(provision.component) if provider.contract else None
    replicas = component.replicas if component else None
    if isinstance(replicas, int):
        return replicas
    if replicas is None:
        message = f"the component `{provision.component}` publishes members, but does not say where they are counted"
        raise _mistake(message, provision.origin, "`replicas: {value: replicas}` in the contract")
    node = provider.declaration.values.get(*replicas)
    if not (isinstance(node, ScalarNode) and isinstance(node.value, int) and node.value > 0):
        found = describe(node) if node is not None else "missing"
        message = f"`{'.'.join(replicas)}` of `{provider.name}` must be a number of members, but is {found}"
        raise _mistake(message, node.origin if node is not None else provider.declaration.origin, "3")
    return 1 if development else node.value


def _http(provision: Provision, host: str) -> Mapping[str, Data]:
    if not provision.scheme:
        return {}
    url = f"{provision.scheme}://{host}:{provision.port}{provision.path}"
    return {"scheme": provision.scheme, "path": provision.path, "url": url}


def _tls(provider: Party, provision: Provision) -> Mapping[str, Data]:
    """Where the authority of an encrypted provider is: a Secret of its namespace and a key. Nothing for a plain one."""
    values = provider.declaration.values
    if provision.tls is None or not _told(values.get("tls", "enabled")):
        return {}
    own = object_name(provider.name, provision.tls, "tls")
    return {"tls": {"secretName": str(_told(values.get("tls", "secretName")) or own), "key": "ca.crt"}}


def _told(node: Node | None) -> object:
    return node.value if isinstance(node, ScalarNode) else None


def _credentials(consumer: Party, requirement: Requirement) -> Mapping[str, Data]:
    own = _CREDENTIALS.get(requirement.interface)
    if own is None:
        return {}
    if requirement.secret is None:
        message = f"the requirement `{requirement.name}` must name the Secret that holds its password, but does not"
        raise _mistake(message, requirement.origin, "`secret: ...`, one of the contract's `secrets`")
    requires = consumer.contract.requires if consumer.contract else ()
    first = next(other for other in requires if other.interface == requirement.interface)
    name = consumer.name if first is requirement else object_name(consumer.name, requirement.name)
    name = object_name(name)
    account = name.replace("-", "_") if own == "database" else name
    return {
        own: f"{account}:" if own == "prefix" else account,
        "username": account,
        "secretName": object_name(consumer.name, requirement.secret),
    }
