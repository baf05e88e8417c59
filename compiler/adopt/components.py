"""Which component each object of a chart belongs to that does not say so itself.

- What the contract beside the environments lists under a component's ``objects`` is that component's; where several
  patterns fit, the first in the contract's order decides.
- Else each workload is a component of its own, called as the object is: dependencies are between workloads, and what a
  chart calls a component elsewhere (a label, a key in its values) is shared by its Jobs often enough.
- What selects the pods of one workload (Service, disruption budget), or names one (an autoscaler), goes with it.
- The rest belongs to the whole instance: ``shared``. The graph takes what one workload alone needs along with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

from compiler.model.chart import INSTANCE, Component, Contract
from compiler.model.diagnostic import Diagnostic, Severity
from compiler.model.instance import Instance
from compiler.model.manifest import Bundle, Manifest, ObjectId
from compiler.model.names import ComponentName

SHARED: Final = ComponentName("shared")
"""The component of what belongs to a whole instance; the graph calls it the same."""

_FIRST: Final = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Pod", "CronJob")
"""Of workloads that are called the same, the one of the first of these kinds keeps the bare name."""


def adopt(instances: tuple[Instance, ...], bundles: tuple[Bundle, ...]) -> tuple[Bundle, ...]:
    """``bundles`` with a component for every object of every chart that ships no contract; the others as they are.

    Equal input gives equal output. A pattern of a contract that fits no object becomes a warning of the bundle.
    """
    of = {instance.name: instance for instance in instances}
    return tuple(_adopted(bundle, of[bundle.instance]) for bundle in bundles)


def _adopted(bundle: Bundle, instance: Instance) -> Bundle:
    contract = instance.chart.contract
    if contract is not None and contract.shipped:
        return bundle
    components = dict(_components(bundle, instance.name, contract))
    manifests = tuple(replace(manifest, component=components[manifest.id]) for manifest in bundle.manifests)
    said = tuple(_unfitting(contract, bundle, instance)) if contract is not None else ()
    return replace(bundle, manifests=manifests, diagnostics=(*bundle.diagnostics, *said))


def _components(bundle: Bundle, name: str, contract: Contract | None) -> Iterator[tuple[ObjectId, ComponentName]]:
    listed = {
        manifest.id: component
        for manifest in bundle.manifests
        if (component := _listed(manifest.id, name, contract)) is not None
    }
    known = {**_workloads(bundle), **listed}
    pods = _Pods(bundle, known)
    for manifest in bundle.manifests:
        own = known.get(manifest.id)
        yield manifest.id, own if own is not None else pods.beside(manifest)


def _listed(identity: ObjectId, instance: str, contract: Contract | None) -> ComponentName | None:
    for component in contract.components if contract is not None else ():
        if any(fits(pattern, identity, instance) for pattern in component.objects):
            return component.name
    return None


def fits(pattern: str, identity: ObjectId, instance: str) -> bool:
    """Whether the contract's ``pattern`` means the object ``identity`` of ``instance``.

    >>> fits("*/{instance}-api", ObjectId("openstack", "Deployment", "apps", "keystone-api"), "keystone")
    True
    """
    return fnmatchcase(f"{identity.kind}/{identity.name}", pattern.replace(INSTANCE, instance))


def _workloads(bundle: Bundle) -> Mapping[ObjectId, ComponentName]:
    """Each workload under its own name; the second one of a name has its kind behind it."""
    named: defaultdict[str, list[ObjectId]] = defaultdict(list)
    for manifest in bundle.manifests:
        if manifest.workload is not None:
            named[manifest.id.name].append(manifest.id)
    return {
        identity: ComponentName(name if number == 0 else f"{name}-{identity.kind.lower()}")
        for name, identities in named.items()
        for number, identity in enumerate(sorted(identities, key=_rank))
    }


def _rank(identity: ObjectId) -> tuple[int, ObjectId]:
    return (_FIRST.index(identity.kind) if identity.kind in _FIRST else len(_FIRST), identity)


class _Pods:
    """The workloads of a bundle, found by what selects or names them."""

    def __init__(self, bundle: Bundle, component: Mapping[ObjectId, ComponentName]) -> None:
        self._component = component
        self._named: dict[tuple[str, str, str], Manifest] = {}
        self._labelled: defaultdict[tuple[str, tuple[str, str]], list[Manifest]] = defaultdict(list)
        for manifest in bundle.manifests:
            if manifest.workload is not None:
                self._named[manifest.id.kind, manifest.id.namespace, manifest.id.name] = manifest
                for pair in manifest.workload.pod_labels:
                    self._labelled[manifest.id.namespace, pair].append(manifest)

    def beside(self, manifest: Manifest) -> ComponentName:
        """The component of the one workload that ``manifest`` is about."""
        about = {self._component[found.id] for found in (*self._selected(manifest), *self._mentioned(manifest))}
        return next(iter(about)) if len(about) == 1 else SHARED

    def _selected(self, manifest: Manifest) -> Iterator[Manifest]:
        wanted = manifest.selects or ()
        candidates = min((self._labelled[manifest.id.namespace, pair] for pair in wanted), key=len, default=())
        for found in candidates:
            if found.workload is not None and set(wanted) <= set(found.workload.pod_labels):
                yield found

    def _mentioned(self, manifest: Manifest) -> Iterator[Manifest]:
        for one in manifest.references:
            found = self._named.get((one.kind, one.namespace, one.name))
            if found is not None:
                yield found


def _unfitting(contract: Contract, bundle: Bundle, instance: Instance) -> Iterator[Diagnostic]:
    for component in contract.components:
        for pattern in component.objects:
            if not any(fits(pattern, manifest.id, instance.name) for manifest in bundle.manifests):
                yield _warning(component, pattern, bundle, instance)


def _warning(component: Component, pattern: str, bundle: Bundle, instance: Instance) -> Diagnostic:
    message = f"`{pattern}` of the component `{component.name}` fits no object that `{instance.name}` renders"
    rendered = [f"`{manifest.id.kind}/{manifest.id.name}`" for manifest in bundle.manifests if manifest.workload]
    hint = f"one of its workloads: {', '.join(rendered)}" if rendered else "a chart that renders workloads"
    return Diagnostic(message, component.origin, hint, severity=Severity.WARNING)
