"""Declarations become instances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from compiler.documents.schema import FORGETFUL, Memory
from compiler.errors import collecting
from compiler.instances.bind import Party, bind
from compiler.instances.charts import load
from compiler.instances.endpoints import filled
from compiler.instances.infer import infer
from compiler.model.chart import Chart
from compiler.model.data import Data
from compiler.model.instance import Binding, Consumer, Instance
from compiler.model.names import Digest, InstanceName, object_name
from compiler.model.node import MapNode, Node, Origin, ScalarNode, leaves, literal
from compiler.model.site import Declaration, Site


def resolve(site: Site, digest: Callable[[Path], Digest], memory: Memory = FORGETFUL) -> tuple[Instance, ...]:
    """Every instance of ``site``, in order of name, with its bindings laid into its values.

    ``digest`` gives the digest of the chart in a directory; ``memory`` knows which contracts are valid.

    Promises that each requirement that is not optional is bound, or explicitly declined (``bindings: {x: null}``), and
    that every binding is seen from both sides. Raises ``InputError`` with every chart that cannot be read and every
    requirement that has no provider, or more than one.
    """
    parties = _parties(site, digest, memory)
    bound: dict[InstanceName, tuple[Binding, ...]] = {}
    with collecting() as mistakes:
        for party in parties.values():
            with mistakes.attempt():
                bound[party.name] = bind(party, parties, development=site.development)
    consumers = _consumers(parties, bound)
    with collecting() as mistakes:
        instances = []
        for name in sorted(parties):
            with mistakes.attempt():
                found = _instance(parties[name], bound[name], consumers.get(name, ()), parties)
                instances.append(replace(found, default_credentials=_accepted(site, found.chart)))
    return tuple(instances)


def _accepted(site: Site, chart: Chart) -> bool:
    ships = chart.contract is not None and chart.contract.shipped
    return not ships and site.secrets.accepts(chart.name)


def _parties(site: Site, digest: Callable[[Path], Digest], memory: Memory) -> dict[InstanceName, Party]:
    charts: dict[str, Chart] = {}
    parties: dict[InstanceName, Party] = {}
    with collecting() as mistakes:
        for declaration in site.declarations:
            path = declaration.chart_path
            if path not in charts:
                with mistakes.attempt():
                    charts[path] = load(site.repository, path, digest, memory)
            if path in charts:
                parties[declaration.name] = Party(declaration, _with_contract(charts[path], declaration))
    return parties


def _with_contract(chart: Chart, declaration: Declaration) -> Chart:
    """``chart``, with what its values say where it has no contract."""
    return chart if chart.contract is not None else replace(chart, contract=infer(declaration.values, chart.name))


def _consumers(
    parties: Mapping[InstanceName, Party], bound: Mapping[InstanceName, tuple[Binding, ...]]
) -> Mapping[InstanceName, tuple[Consumer, ...]]:
    found: dict[InstanceName, list[Consumer]] = defaultdict(list)
    for name in sorted(bound):
        contract = parties[name].contract
        for binding in bound[name] if contract is not None and not contract.inferred else ():
            found[binding.provider].append(_consumer(parties[name], binding))
    return {provider: tuple(consumers) for provider, consumers in found.items()}


def _consumer(party: Party, binding: Binding) -> Consumer:
    return Consumer(
        key=f"{party.name}-{binding.requirement.name}",
        instance=party.name,
        namespace=party.namespace,
        chart=party.chart.name,
        requirement=binding.requirement,
        provision=binding.provision,
        published=binding.published,
    )


def _instance(
    party: Party,
    bindings: tuple[Binding, ...],
    consumers: tuple[Consumer, ...],
    parties: Mapping[InstanceName, Party],
) -> Instance:
    declaration = party.declaration
    values = _with_bindings(party, bindings, parties)
    for consumer in consumers:
        node = literal(_read_by_provider(consumer, declaration), consumer.requirement.origin)
        values = _lay(values, "consumers", consumer.key, node)
    return Instance(
        name=declaration.name,
        namespace=declaration.namespace,
        chart=party.chart,
        values=values,
        origin=declaration.origin,
        bindings=bindings,
        consumers=consumers,
    )


def _with_bindings(party: Party, bindings: tuple[Binding, ...], parties: Mapping[InstanceName, Party]) -> MapNode:
    """The instance's values, with its providers where its chart reads them."""
    values = party.declaration.values
    if party.contract is not None and party.contract.inferred:
        providers = {str(name): other.declaration for name, other in parties.items()}
        return filled(values, party.declaration, bindings, providers)
    for name, node in _bound_values(party, bindings).items():
        values = _lay(values, "bindings", name, node)
    return values


def _bound_values(party: Party, bindings: tuple[Binding, ...]) -> dict[str, Node]:
    """What the chart reads below ``.Values.bindings``, for each requirement that it states."""
    declaration, chart = party.declaration, party.chart
    published = {binding.requirement.name: binding for binding in bindings}
    out: dict[str, Node] = {}
    with collecting() as mistakes:
        for requirement in chart.contract.requires if chart.contract else ():
            own = _own_address(declaration, requirement.name)
            binding = published.get(requirement.name)
            if binding is not None:
                out[requirement.name] = literal(dict(binding.published), binding.origin)
            elif own is None:
                out[requirement.name] = ScalarNode(None, requirement.origin)
            if binding is not None and own is not None:
                mistakes.add(
                    f"`{declaration.name}` sets `values.bindings.{requirement.name}`, but that requirement is bound to "
                    f"`{binding.provider}` and the compiler writes it",
                    own,
                    f"remove the values, or decline the binding with `bindings: {{{requirement.name}: null}}`",
                )
    return out


def _own_address(declaration: Declaration, requirement: str) -> Origin | None:
    """Where a layer above the chart's defaults writes an address for ``requirement`` by hand."""
    node = declaration.values.get("bindings", requirement)
    if node is None:
        return None
    own = [leaf.origin for _, leaf in leaves(node) if not leaf.origin.file.startswith(f"{declaration.chart_path}/")]
    return min(own, default=None)


def _read_by_provider(consumer: Consumer, provider: Declaration) -> dict[str, Data]:
    """What the provider's chart reads of one consumer. The Secret is the copy in the provider's own namespace."""
    fields = {
        key: consumer.published[key] for key in ("username", "database", "vhost", "prefix") if key in consumer.published
    }
    secret = {"secretName": object_name(provider.name, consumer.key)} if "secretName" in consumer.published else {}
    return {
        "instance": consumer.instance,
        "namespace": consumer.namespace,
        "chart": consumer.chart,
        "requirement": consumer.requirement.name,
        "interface": consumer.requirement.interface,
        **fields,
        **secret,
    }


def _lay(values: MapNode, group: str, key: str, node: Node) -> MapNode:
    """``values`` with ``node`` at ``<group>.<key>``, knowing what it overrode."""
    below = values.entries.get(group)
    inner = below if isinstance(below, MapNode) else MapNode({}, node.origin)
    lost = inner.entries.get(key)
    laid = replace(node, overrode=(lost, *lost.overrode)) if lost is not None else node
    entries = {**inner.entries, key: laid}
    keys = {**inner.keys, key: inner.keys.get(key, node.origin)}
    outer = replace(inner, entries=entries, keys=keys)
    return replace(
        values,
        entries={**values.entries, group: outer},
        keys={**values.keys, group: values.keys.get(group, node.origin)},
    )
