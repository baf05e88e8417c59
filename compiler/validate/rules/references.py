"""Rules about what objects say of one another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from compiler.documents.schema import nearest
from compiler.model.data import Data
from compiler.model.instance import Instance
from compiler.model.manifest import Manifest, Reference
from compiler.model.names import NamespaceName
from compiler.relations.untyped import items, mapping
from compiler.validate.rule import SITE_RULES, Finding, Owner, Subject, View, rule

_LENIENT: Final = frozenset({"StorageClass", "ClusterRole", "ClusterSecretStore", "ClusterIssuer", "RuntimeClass"})
"""Kinds that clusters bring along: as long as a site names none of a kind, a reference to one says nothing of it."""

_GIVEN: Final = frozenset({("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")})
"""What every namespace has."""

_OTHERWISE: Final = {"PersistentVolumeClaim": "claimName", "Service": "serviceName"}
"""Keys that name an object of a kind in another way than `<kind>Name`."""

_Pairs = tuple[tuple[str, str], ...]
_Identity = tuple[str, str, str]
"""Kind, namespace and name."""


@rule(SITE_RULES, "OS012", "a workload's selector matches its own pods and nobody else's")
def selector_matches_own_pods(view: View) -> Iterator[Finding]:
    """Check that a workload's selector matches its own template, and no other workload of the namespace.

    Why it matters: two workloads with one selector adopt and delete each other's pods.

    Example: two DaemonSets that both select `app.kubernetes.io/name: gnocchi`.

    Use instead: `common.labels.selector`: exactly name, instance and component.
    """
    workloads = _workloads(view)
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            if manifest.workload is None or not manifest.workload.selector:
                continue
            matched = [
                other.id
                for _, other in workloads[NamespaceName(manifest.id.namespace)]
                if other.workload and _matches(manifest.workload.selector, other.workload.pod_labels)
            ]
            if manifest.id not in matched:
                yield Finding(
                    f"the selector of {manifest.id} does not match its own pods",
                    subject.origin(manifest),
                    "`common.labels.selector` in both",
                    subject.field(manifest, "spec", "selector"),
                )
            for other_id in matched:
                if other_id != manifest.id and other_id.kind not in {"Job", "CronJob"}:
                    yield Finding(
                        f"the selector of {manifest.id} also matches the pods of {other_id}",
                        subject.origin(manifest),
                        "`common.labels.selector`",
                        subject.field(manifest, "spec", "selector"),
                    )


@rule(SITE_RULES, "OS013", "what selects pods selects some, of its own instance only")
def selects_own_instance(view: View) -> Iterator[Finding]:
    """Check that every Service, budget, network policy and monitor selects something, of its own instance only.

    A ServiceMonitor selects Services, everything else pods. An empty selector selects all pods of the namespace;
    nothing is said of a Service without one, whose addresses somebody else writes.

    Why it matters: a disruption budget that selects nothing protects nothing, and looks exactly like one that does.

    Example: `matchLabels: {app.kubernetes.io/name: openstack}` where the pods carry the instance's name.

    Use instead: `common.labels.selector`.
    """
    workloads = _workloads(view)
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            if manifest.selects or (manifest.selects is not None and _selects_all(subject, manifest)):
                yield from _astray(subject, manifest, workloads[NamespaceName(manifest.id.namespace)])


def _astray(subject: Subject, manifest: Manifest, workloads: list[tuple[str, Manifest]]) -> Iterator[Finding]:
    """Where the selector of ``manifest`` leads to nobody, or to another instance."""
    origin, where = subject.origin(manifest), subject.field(manifest, "spec")
    matched = [
        (owner, other)
        for owner, other in workloads
        if other.workload and _matches(manifest.selects or (), other.workload.pod_labels)
    ]
    if not matched:
        message = f"the selector of {manifest.id} matches no workload"
        yield Finding(message, origin, "`common.labels.selector`", where)
    for owner, other in matched:
        if owner != subject.owner.name:
            message = f"the selector of {manifest.id} matches {other.id} of the instance `{owner}`"
            yield Finding(message, origin, "`app.kubernetes.io/instance` in the selector", where)


def _selects_all(subject: Subject, manifest: Manifest) -> bool:
    """Whether a budget or a policy has a selector with nothing in it; one of expressions is not looked at."""
    key = "podSelector" if manifest.id.kind == "NetworkPolicy" else "selector"
    spec = mapping(subject.data(manifest), "spec")
    return manifest.id.kind != "Service" and not mapping(spec, key)


@rule(SITE_RULES, "OS014", "every reference resolves")
def references_resolve(view: View) -> Iterator[Finding]:
    """Check that whatever an object names (ConfigMap, Secret, PriorityClass, ...) is rendered, or said to exist.

    What the cluster has without being given it by this site stands under `kubernetes.existing` of the environment; a
    StorageClass may stand under `topology.storageClasses` as well. Of StorageClass, ClusterRole, ClusterIssuer,
    ClusterSecretStore and RuntimeClass nothing is asked as long as the site names none.

    Why it matters: a pod that mounts a ConfigMap nobody renders stays in `ContainerCreating` for ever, one of a
    PriorityClass that does not exist is never made, and a volume of such a StorageClass neither.

    Example: a Deployment that mounts `keystone-etc` while the chart renders `keystone-api`.

    Use instead: the name helper in both places; a Secret must be declared in `component.yaml`; and
    `kubernetes: {existing: {PriorityClass: [infrastructure]}}` for what the cluster brings along.
    """
    known = _known(view)
    asked = {kind for kind, _, _ in known} | {"PriorityClass"}
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            for reference in manifest.references:
                if not (_is_given(reference, known) or (reference.kind in _LENIENT and reference.kind not in asked)):
                    yield _unresolved(subject, manifest, reference, known)


def _known(view: View) -> frozenset[_Identity]:
    """Every object that there will be: rendered, made because of what is rendered, or there already."""
    bundles = (view.site_bundle, *(subject.bundle for subject in view.subjects))
    manifests = [manifest for bundle in bundles for manifest in bundle.manifests]
    known = {(m.id.kind, m.id.namespace, m.id.name) for m in manifests}
    known |= {(r.kind, r.namespace, r.name) for m in manifests for r in m.provides}
    known |= {(r.kind, r.namespace, r.name) for r in view.site.existing}
    topology = view.site.topology
    return frozenset(known | {("StorageClass", "", each.name) for each in (topology.storage if topology else ())})


def _is_given(reference: Reference, known: frozenset[_Identity]) -> bool:
    wanted = (reference.kind, reference.namespace, reference.name)
    return wanted in known or reference.optional or (reference.kind, reference.name) in _GIVEN


def _unresolved(subject: Subject, manifest: Manifest, reference: Reference, known: frozenset[_Identity]) -> Finding:
    names = [name for kind, space, name in known if (kind, space) == (reference.kind, reference.namespace)]
    missing = f"the {reference.kind} `{reference.name}`, which nothing in the site provides"
    where = subject.field(manifest, *_place(subject.data(manifest), reference, ()))
    return Finding(
        f"{manifest.id} needs {missing}", subject.origin(manifest), _suggestion(subject.owner, reference, names), where
    )


def _place(data: Data | Mapping[str, Data], reference: Reference, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Where the object writes the name of ``reference``, under a key for names of its kind; empty where it does not."""
    steps = data.items() if isinstance(data, Mapping) else enumerate(data) if isinstance(data, list) else ()
    key = reference.kind[:1].lower() + reference.kind[1:]
    for step, below in steps:
        named = step in {f"{key}Name", _OTHERWISE.get(reference.kind)} or (step == "name" and _is_about(path, key))
        if named and below == reference.name:
            return (*path, step)
        found = _place(below, reference, (*path, step))
        if found:
            return found
    return ()


def _is_about(path: tuple[str | int, ...], key: str) -> bool:
    """Whether what stands at ``path`` is of the kind ``key``: `configMap`, `secretKeyRef`, `imagePullSecrets`."""
    word = next((step for step in reversed(path) if isinstance(step, str)), "").lower()
    return key.lower() in word


@rule(SITE_RULES, "OS015", "every binding leads to a Service that is rendered")
def bindings_lead_somewhere(view: View) -> Iterator[Finding]:
    """Check that the address each consumer is given is a Service of its provider, with the port that it is told.

    Why it matters: the address is made from the contract; a chart whose Service has another name or port would send
    its consumers to nowhere.

    Example: `provides: {mysql: {component: server, port: 3306}}` in a chart whose Service is called `mariadb`.

    Use instead: a Service called `common.names.name` of instance and component, with the contract's port.
    """
    subjects = {subject.owner.name: subject for subject in view.subjects}
    for instance in view.instances:
        for binding in instance.bindings if not _is_inferred(instance) else ():
            provider = subjects[binding.provider]
            name = binding.provision.service_name(provider.owner.name)
            service = next((m for m in provider.bundle.manifests if m.id.kind == "Service" and m.id.name == name), None)
            if service is None:
                yield Finding(
                    f"`{instance.name}` is bound to the Service `{name}`, but `{binding.provider}` renders none",
                    binding.provision.origin,
                    f"a Service called `{name}`, or another `component:` in the contract",
                )
            elif binding.provision.port not in _ports(service):
                yield Finding(
                    f"`{instance.name}` is bound to port {binding.provision.port} of the Service `{name}`, "
                    f"which has the ports {', '.join(map(str, _ports(service))) or 'none'}",
                    provider.origin(service),
                    "the same port in the Service and in the contract",
                )


def _is_inferred(instance: Instance) -> bool:
    """Whether its bindings were inferred: they are addresses, and what its pods wait for is looked at by itself."""
    return instance.chart.contract is not None and instance.chart.contract.inferred


def _workloads(view: View) -> Mapping[NamespaceName, list[tuple[str, Manifest]]]:
    found: dict[NamespaceName, list[tuple[str, Manifest]]] = defaultdict(list)
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            if manifest.workload is not None:
                found[NamespaceName(manifest.id.namespace)].append((subject.owner.name, manifest))
    return found


def _matches(selector: _Pairs, labels: _Pairs) -> bool:
    return set(selector) <= set(labels)


def _ports(service: Manifest) -> tuple[int, ...]:
    found = [port.get("port") for port in items(service.data(), "spec", "ports")]
    return tuple(port for port in found if isinstance(port, int))


def _suggestion(owner: Owner, reference: Reference, names: list[str]) -> str:
    kind, name = reference.kind, reference.name
    written = f"{reference.namespace}/{name}" if reference.namespace else name
    exists = f"`kubernetes: {{existing: {{{kind}: [{written}]}}}}`, where the cluster has it already"
    if not reference.namespace:
        near = nearest(name, names) if names else ""
        return f"{near}, or {exists}" if near and not near.startswith("one of ") else exists
    if not owner.contracted:
        return f"the value of `{owner.name}` that renders it, or that switches off what needs it; {exists}"
    if kind == "Secret":
        return "declare it under `secrets:` in component.yaml; " + nearest(name, names) if names else "declare it"
    return nearest(name, names)
