"""Which component each object is applied with.

Most objects are applied with the component that their label names. The exceptions keep two promises: an object is never
applied later than a workload that needs it, and where it is applied does not depend on how deep anything lies in the
graph (Flux deletes what leaves one Kustomization before another one has adopted it: see ``docs/ordering.md``).

- What the workloads of one other component need, and nobody else, is applied with that component.
- What several need is applied before all of them, with ``shared`` of its instance; Roles and RoleBindings go with the
  ServiceAccount that they are for. So is what belongs to a component that prepares something for each consumer and to
  none of its Jobs alone.
- Namespaces and definitions of kinds need nothing, and are applied before all else of the instance that brings them
  along, with ``definitions``: a definition and an object of its kind never share a wave.
- A PersistentVolumeClaim is applied with the first workload that mounts it: both engines wait until a claim is bound,
  and a claim of a class with ``volumeBindingMode: WaitForFirstConsumer`` is not bound before that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from compiler.model.instance import SITE, Instance
from compiler.model.manifest import Bundle, Manifest, ObjectId, Reference
from compiler.model.names import ComponentName
from compiler.model.plan import Vertex

SECRETS: Final = ComponentName("secrets")
"""The component of the Secrets that the site supplies: before everything that reads one."""

SHARED: Final = ComponentName("shared")
"""The component of what several components of an instance need."""

CONSUMER: Final = "oscompile.io/consumer"
"""The label of what a provider prepares for one consumer."""

DEFINITIONS: Final = ComponentName("definitions")
"""The component of the Namespaces and definitions of kinds that an instance brings along."""

SUPPLIED: Final = frozenset({SECRETS, SHARED, DEFINITIONS})
"""Components that no chart declares: nothing runs in them, and everything may wait for them."""

_CLAIM: Final = "PersistentVolumeClaim"
_DEFINITIONS: Final = frozenset({"Namespace", "CustomResourceDefinition"})


@dataclass(frozen=True, slots=True)
class Use:
    """A workload of ``vertex`` that needs ``target``, directly or through what it names."""

    vertex: Vertex
    workload: Manifest
    target: Manifest


@dataclass(frozen=True, slots=True)
class Homes:
    """Where every object is applied. ``claims`` are decided by level: with the first of their users."""

    of: Mapping[ObjectId, Vertex]
    uses: tuple[Use, ...]
    claims: Mapping[ObjectId, tuple[Vertex, ...]] = field(default_factory=dict)

    @property
    def vertices(self) -> frozenset[Vertex]:
        """Every vertex that has an object."""
        return frozenset(self.of.values())


def settle(instances: tuple[Instance, ...], bundles: tuple[Bundle, ...]) -> Homes:
    """The home of every object of ``bundles``."""
    labelled = dict(_labelled(instances, bundles))
    uses = tuple(_uses(bundles, labelled))
    users: defaultdict[ObjectId, set[Vertex]] = defaultdict(set)
    for use in uses:
        users[use.target.id].add(use.vertex)
    claims = {
        target: tuple(sorted(vertices))
        for target, vertices in users.items()
        if target.kind == _CLAIM and not target.group
    }
    of = {
        object_id: _home(object_id.kind, own, users.get(object_id, frozenset()))
        for object_id, own in labelled.items()
        if object_id not in claims
    }
    return Homes(of, tuple(use for use in uses if use.target.id not in claims), claims)


def _labelled(instances: tuple[Instance, ...], bundles: tuple[Bundle, ...]) -> Iterator[tuple[ObjectId, Vertex]]:
    preparing = {instance.name: _preparing(instance) for instance in instances}
    for bundle in bundles:
        prepare = preparing.get(bundle.instance, frozenset())
        for manifest in bundle.manifests:
            prepares = manifest.component in prepare
            consumer = _consumer(manifest) if prepares else ""
            common = prepares and not consumer and manifest.workload is None
            component = SHARED if common else manifest.component or ComponentName("")
            yield manifest.id, Vertex(bundle.instance, component, consumer)


def _preparing(instance: Instance) -> frozenset[ComponentName]:
    provisions = instance.chart.contract.provides if instance.chart.contract else ()
    return frozenset(provision.prepare for provision in provisions if provision.prepare)


def _consumer(manifest: Manifest) -> str:
    labels = manifest.metadata_data().get("labels")
    return str(labels.get(CONSUMER, "")) if isinstance(labels, dict) else ""


def _home(kind: str, own: Vertex, users: Collection[Vertex]) -> Vertex:
    if own.instance == SITE or own.component == SECRETS:
        return own
    if kind in _DEFINITIONS:
        return Vertex(own.instance, DEFINITIONS)
    if not users or set(users) == {own}:
        return own
    only = next(iter(users))
    if len(users) == 1 and only.instance == own.instance and not only.consumer:
        return only
    return Vertex(own.instance, SHARED)


def _uses(bundles: tuple[Bundle, ...], labelled: Mapping[ObjectId, Vertex]) -> Iterator[Use]:
    """What every workload needs, in order of identity."""
    providers = _providers(bundles)
    bindings = _role_bindings(bundles)
    for bundle in bundles:
        for workload in bundle.manifests:
            if workload.workload is not None:
                for target in _needs(workload, providers, bindings):
                    yield Use(labelled[workload.id], workload, target)


def _providers(bundles: tuple[Bundle, ...]) -> Mapping[tuple[str, str, str], Manifest]:
    """What each reference can resolve to: objects, and those that make one (an ExternalSecret its Secret)."""
    found: dict[tuple[str, str, str], Manifest] = {}
    for bundle in bundles:
        for manifest in bundle.manifests:
            for made in manifest.provides:
                found.setdefault((made.kind, made.namespace, made.name), manifest)
            found[manifest.id.kind, manifest.id.namespace, manifest.id.name] = manifest
    return found


def _role_bindings(bundles: tuple[Bundle, ...]) -> Mapping[Reference, tuple[Manifest, ...]]:
    """The RoleBindings that each ServiceAccount is named in."""
    found: defaultdict[Reference, tuple[Manifest, ...]] = defaultdict(tuple)
    for bundle in bundles:
        for manifest in bundle.manifests:
            if manifest.id.kind.endswith("RoleBinding"):
                for reference in manifest.references:
                    if reference.kind == "ServiceAccount":
                        found[Reference(reference.kind, reference.namespace, reference.name)] += (manifest,)
    return found


def _needs(
    workload: Manifest,
    providers: Mapping[tuple[str, str, str], Manifest],
    bindings: Mapping[Reference, tuple[Manifest, ...]],
) -> Iterator[Manifest]:
    """Every object without pods of its own that ``workload`` reaches through references."""
    seen = {workload.id}
    queue = [workload]
    while queue:
        found = []
        for reference in queue.pop().references:
            target = providers.get((reference.kind, reference.namespace, reference.name))
            found += [target] if target else []
            found += bindings.get(Reference(reference.kind, reference.namespace, reference.name), ())
        for target in sorted(found, key=lambda manifest: manifest.id):
            if target.id not in seen and target.workload is None:
                seen.add(target.id)
                queue.append(target)
                yield target
