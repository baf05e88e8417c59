"""Rules about selectors, ports, and what can never be changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from compiler.documents.schema import nearest
from compiler.model.data import Data
from compiler.model.diagnostic import Severity
from compiler.model.manifest import Manifest
from compiler.relations.untyped import Map, items, mapping
from compiler.validate.pods import Pod, pod
from compiler.validate.previous import last_spec
from compiler.validate.rule import BUNDLE_RULES, SITE_RULES, Finding, Subject, View, rule

_SELECTOR: Final = frozenset(f"app.kubernetes.io/{label}" for label in ("name", "instance", "component"))
_IMMUTABLE: Final = {
    ("apps", "DaemonSet"): ("selector",),
    ("apps", "Deployment"): ("selector",),
    ("apps", "StatefulSet"): ("selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates"),
    ("batch", "Job"): ("template", "selector"),
    ("", "Service"): ("clusterIP",),
}
"""Fields of `spec` that the API server lets nobody change. Source: the validation of apps/v1, batch/v1 and core/v1."""


@rule(BUNDLE_RULES, "OS011", "selectors are name, instance and component", Severity.WARNING, promise=True)
def exact_selectors(subject: Subject) -> Iterator[Finding]:
    """Check that the selector of every workload is exactly the labels name, instance and component.

    Why it matters: a selector cannot be changed. One that holds a version, or a label that people may set, turns an
    upgrade into a deletion.

    Example: `matchLabels: {app.kubernetes.io/version: "2026.1", ...}`

    Use instead: `common.labels.selector`.
    """
    for manifest in subject.bundle.manifests:
        selector = manifest.workload.selector if manifest.workload is not None else ()
        keys = {key for key, _ in selector}
        if selector and keys != _SELECTOR:
            wrong = [f"`{key}` is missing" for key in sorted(_SELECTOR - keys)]
            wrong += [f"`{key}` is too much" for key in sorted(keys - _SELECTOR)]
            message = f"the selector of {manifest.id} must be name, instance and component: {', '.join(wrong)}"
            where = subject.field(manifest, "spec", "selector")
            yield Finding(message, subject.origin(manifest), "`common.labels.selector`", where)


@rule(BUNDLE_RULES, "OS016", "Services and probes lead to ports that containers name", Severity.WARNING)
def named_ports(subject: Subject) -> Iterator[Finding]:
    """Check that the target port of a Service, and the port of a probe, is the name of a port of the containers.

    Why it matters: a number that nobody listens on is a Service whose endpoints look healthy and answer nobody; a name
    that no container has gives no endpoints at all.

    Example: `targetPort: 5001` before a container that listens on 5000.

    Use instead: `ports: [{name: api, containerPort: 5000}]`, and `targetPort: api`.
    """
    made = [(each, _pod(subject, each)) for each in subject.bundle.manifests if each.workload is not None]
    pods = [(each, found) for each, found in made if found is not None]
    for manifest in subject.bundle.manifests:
        if manifest.id.kind == "Service" and manifest.id.group == "" and manifest.selects:
            selected = [found for each, found in pods if _is_selected(manifest, each)]
            known = {name for found in selected for name in _ports(found)}
            for number, port in enumerate(items(subject.data(manifest), "spec", "ports")):
                target = port.get("targetPort", port.get("port"))
                if selected and str(target) not in known:
                    where = subject.field(manifest, "spec", "ports", number)
                    what = f"the port {port.get('port')} of {manifest.id}"
                    yield replace(_lost(subject, manifest, what, target, known), field=where)
    for manifest, found in pods:
        for container in found.containers:
            own = set(_ports(found, container.name))
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                for action in ("httpGet", "tcpSocket"):
                    target = mapping(container.spec, probe, action).get("port")
                    if target is not None and str(target) not in own:
                        where = subject.field(manifest, *container.path, probe, action, "port")
                        what = f"the {probe} of `{container.name}` in {manifest.id}"
                        yield replace(_lost(subject, manifest, what, target, own), field=where)


@rule(SITE_RULES, "OS017", "what cannot be changed stays as it is in the output")
def immutable_fields(view: View) -> Iterator[Finding]:
    """Check that no field that a cluster lets nobody change differs from what the output directory holds.

    Selectors, the volume claims, Service and pod management of a StatefulSet, the address of a Service, the template of
    a Job. The output directory holds what was compiled last, and so what the cluster runs.

    Why it matters: the API server refuses the change, in the middle of a sync; the object must be deleted first, and
    with it goes what it owns.

    Example: a larger `storage` in `volumeClaimTemplates`.

    Use instead: the old value; or delete the object as its own step, and say so in a waiver whose reason is the note
    for whoever does it. That waiver is no mistake once the change is in the output; it simply ends.
    """
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            fields = _IMMUTABLE.get((manifest.id.group, manifest.id.kind))
            before = last_spec(view, subject, manifest) if fields else None
            if fields and before:
                yield from _changed(subject, manifest, before, fields)


def _changed(subject: Subject, manifest: Manifest, before: Map, fields: tuple[str, ...]) -> Iterator[Finding]:
    now = mapping(subject.data(manifest), "spec")
    for field in fields:
        if field in before and before.get(field) != now.get(field):
            message = (
                f"`spec.{field}` of {manifest.id} differs from the last output, but a cluster lets nobody change it"
            )
            where = subject.field(manifest, "spec", field)
            yield Finding(
                message, subject.origin(manifest), "the old value; `oscompile rule OS017` says how else", where
            )


def _pod(subject: Subject, manifest: Manifest) -> Pod | None:
    return pod(manifest.id.group, manifest.id.kind, subject.data(manifest))


def _is_selected(service: Manifest, other: Manifest) -> bool:
    return other.workload is not None and set(service.selects or ()) <= set(other.workload.pod_labels)


def _ports(made: Pod, container: str = "") -> Iterator[str]:
    for each in made.containers:
        if container in {"", each.name}:
            yield from (str(port["name"]) for port in items(each.spec, "ports") if port.get("name"))


def _lost(subject: Subject, manifest: Manifest, what: str, target: Data, known: set[str]) -> Finding:
    message = f"{what} must lead to a port that a container names, but leads to `{target}`"
    hint = nearest(str(target), list(known)) if known else "a port with a `name` in the container that listens there"
    return Finding(message, subject.origin(manifest), hint)
