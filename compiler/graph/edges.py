"""Who waits for whom, and why: from contracts, from bindings, from what pods wait for, from references and kinds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from compiler.graph.homes import SUPPLIED, Homes
from compiler.graph.places import Places
from compiler.model.chart import Component, Provision
from compiler.model.instance import Binding, Instance
from compiler.model.manifest import Bundle, Manifest, Reference
from compiler.model.names import ComponentName, InstanceName, object_name
from compiler.model.plan import Edge, Vertex
from compiler.relations.awaited import Awaited

_CRD: Final = "CustomResourceDefinition"


class Components:
    """The vertices of every component. One that renders nothing stands in the graph too, until it is passed over."""

    def __init__(self, vertices: Iterable[Vertex]) -> None:
        found: defaultdict[tuple[InstanceName, ComponentName], list[Vertex]] = defaultdict(list)
        of_instance: defaultdict[InstanceName, list[Vertex]] = defaultdict(list)
        for vertex in sorted(vertices):
            found[vertex.instance, vertex.component].append(vertex)
            of_instance[vertex.instance].append(vertex)
        self._found, self._of_instance = found, of_instance

    def vertices(self, instance: InstanceName, component: ComponentName, consumer: str = "") -> tuple[Vertex, ...]:
        """The vertices of a component: that of ``consumer`` alone, where it has one."""
        whole = tuple(self._found.get((instance, component), ())) or (Vertex(instance, component),)
        own = tuple(vertex for vertex in whole if consumer and vertex.consumer == consumer)
        return own or whole

    def has(self, instance: InstanceName, component: ComponentName) -> bool:
        """Whether a component of that name has an object."""
        return (instance, component) in self._found

    def workloads(self, instance: InstanceName) -> tuple[ComponentName, ...]:
        """The components of an instance that bindings are about."""
        vertices = self._of_instance.get(instance, ())
        return tuple(dict.fromkeys(vertex.component for vertex in vertices if vertex.component not in SUPPLIED))


def declared(instances: tuple[Instance, ...], bundles: tuple[Bundle, ...], homes: Homes) -> Iterator[Edge]:
    """What people wrote: the ``after`` of contracts, and bindings that gate."""
    components = Components(homes.vertices)
    everything = Awaited(manifest for bundle in bundles for manifest in bundle.manifests)
    by_name = {instance.name: instance for instance in instances}
    for instance in instances:
        for component in instance.chart.contract.components if instance.chart.contract else ():
            yield from _after(instance, component, components)
        for binding in instance.bindings:
            if binding.requirement.gate:
                yield from _bound(instance, binding, by_name[binding.provider], components, _Served(everything, homes))


def _after(instance: Instance, component: Component, components: Components) -> Iterator[Edge]:
    for name in component.after:
        why = f"its contract puts it after `{name}`"
        for before in components.vertices(instance.name, name):
            for after in components.vertices(instance.name, component.name):
                yield Edge(before, after, why, component.origin)


@dataclass(frozen=True, slots=True)
class _Served:
    """What stands behind a Service: what an instance offers whose chart has no component of that name."""

    everything: Awaited
    homes: Homes

    def vertices(self, provider: Instance, provision: Provision) -> tuple[Vertex, ...]:
        service = Reference("Service", provider.namespace, provision.service_name(provider.name))
        return tuple(dict.fromkeys(self.homes.of[one.id] for one in self.everything.behind(service)))


def _bound(
    consumer: Instance, binding: Binding, provider: Instance, components: Components, served: _Served
) -> Iterator[Edge]:
    requirement, provision = binding.requirement, binding.provision
    concerned = requirement.components or components.workloads(consumer.name)
    why = f"its requirement `{requirement.name}` is bound to `{provider.name}` ({binding.reason})"
    offers = provision.prepare or provision.component
    offered = components.vertices(provider.name, offers, _key(consumer, binding, provider))
    if not components.has(provider.name, offers):
        offered = served.vertices(provider, provision) or offered
    for before in offered:
        for name in concerned:
            for after in components.vertices(consumer.name, name):
                yield Edge(before, after, why, binding.origin)


def _key(consumer: Instance, binding: Binding, provider: Instance) -> str:
    """The label of what ``provider`` prepares for this very binding."""
    for known in provider.consumers:
        if known.instance == consumer.name and known.requirement.name == binding.requirement.name:
            return object_name(known.key)
    return ""


def implied(bundles: tuple[Bundle, ...], homes: Homes, places: Places) -> tuple[Edge, ...]:
    """What the objects themselves say: what workloads name, Namespaces, and definitions of kinds.

    One edge of each sort for every two vertices: the first, in order of identity.
    """
    sorts = (_references(homes, places), _namespaces(bundles, homes, places), _definitions(bundles, homes, places))
    return tuple(edge for sort in sorts for edge in _first(sort))


def awaited(
    instances: tuple[Instance, ...], bundles: tuple[Bundle, ...], homes: Homes, places: Places
) -> tuple[Edge, ...]:
    """What pods of charts that ship no contract wait for by themselves; a contract speaks for its own chart.

    One edge for every two vertices: the first, in order of identity. What nobody provides is no edge, but a finding of
    the rule OS015.
    """
    silent = {
        instance.name for instance in instances if not (contract := instance.chart.contract) or not contract.shipped
    }
    everything = Awaited(manifest for bundle in bundles for manifest in bundle.manifests)
    edges = (
        edge
        for bundle in bundles
        if bundle.instance in silent
        for manifest in bundle.manifests
        for edge in _waits(manifest, bundle.instance, everything, homes, places)
    )
    return tuple(_first(edges))


def _waits(
    manifest: Manifest, instance: InstanceName, everything: Awaited, homes: Homes, places: Places
) -> Iterator[Edge]:
    if manifest.workload is None:
        return
    after = homes.of[manifest.id]
    for wait in manifest.workload.waits:
        for found in everything.behind(wait):
            if homes.of[found.id] != after:
                why = f"the pods of {manifest.id} wait for {wait.kind} `{wait.name}` in `{wait.namespace}`"
                yield Edge(homes.of[found.id], after, why, places.template(manifest, instance))


def _first(edges: Iterable[Edge]) -> Iterable[Edge]:
    found: dict[tuple[Vertex, Vertex], Edge] = {}
    for edge in edges:
        found.setdefault((edge.before, edge.after), edge)
    return found.values()


def _references(homes: Homes, places: Places) -> Iterator[Edge]:
    for use in homes.uses:
        before = homes.of[use.target.id]
        if before != use.vertex:
            origin = places.template(use.workload, use.vertex.instance)
            yield Edge(before, use.vertex, f"{use.workload.id} needs {use.target.id}", origin)


def _namespaces(bundles: tuple[Bundle, ...], homes: Homes, places: Places) -> Iterator[Edge]:
    before = {manifest.id.name: homes.of[manifest.id] for manifest in _of_kind(bundles, "Namespace", "")}
    inside = {(home, object_id.namespace) for object_id, home in homes.of.items() if object_id.namespace in before}
    for home, namespace in sorted(inside):
        if before[namespace] != home:
            origin = places.declaration(home.instance)
            yield Edge(before[namespace], home, f"it lies in Namespace `{namespace}`", origin)


def _definitions(bundles: tuple[Bundle, ...], homes: Homes, places: Places) -> Iterator[Edge]:
    """Every definition of a group stands before every object of the group: its name says no more than the group."""
    definitions = {m.id.name.partition(".")[2]: m.id for m in _of_kind(bundles, _CRD, "apiextensions.k8s.io")}
    for bundle in bundles:
        for manifest in bundle.manifests:
            definition = definitions.get(manifest.id.group)
            if definition is not None and homes.of[definition] != homes.of[manifest.id]:
                why = f"{manifest.id} is of a kind that {definition} defines"
                origin = places.template(manifest, bundle.instance)
                yield Edge(homes.of[definition], homes.of[manifest.id], why, origin)


def _of_kind(bundles: tuple[Bundle, ...], kind: str, group: str) -> Iterator[Manifest]:
    for bundle in bundles:
        yield from (manifest for manifest in bundle.manifests if (manifest.id.kind, manifest.id.group) == (kind, group))
