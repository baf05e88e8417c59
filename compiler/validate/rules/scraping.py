"""The part of rule OS013 about what Prometheus' operator selects.

Source: the API reference of monitoring.coreos.com/v1 (ServiceMonitor, PodMonitor, NamespaceSelector).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.model.manifest import Manifest
from compiler.relations.untyped import Map, mapping
from compiler.survival import selects
from compiler.validate.rule import SITE_RULES, Finding, Subject, View, rule


@dataclass(frozen=True, slots=True)
class _Target:
    """What a monitor may select, by its labels: a Service, or the pods of a workload."""

    subject: Subject
    manifest: Manifest
    labels: dict[str, str]


@rule(SITE_RULES, "OS013", "what selects pods selects some, of its own instance only")
def monitors_select_own_instance(view: View) -> Iterator[Finding]:
    """Check the same of ServiceMonitors and PodMonitors; the page is that of the rule on Services."""
    targets = {"ServiceMonitor": list(_services(view)), "PodMonitor": list(_pods(view))}
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            if manifest.id.group == "monitoring.coreos.com" and manifest.id.kind in targets:
                yield from _misled(subject, manifest, targets[manifest.id.kind])


def _misled(subject: Subject, manifest: Manifest, targets: list[_Target]) -> Iterator[Finding]:
    spec = mapping(subject.data(manifest), "spec")
    inside = [each for each in targets if _reaches(spec, manifest.id.namespace, each.manifest.id.namespace)]
    matched = [each for each in inside if selects(mapping(spec, "selector"), each.labels)]
    where = subject.field(manifest, "spec", "selector")
    if not matched:
        what = "Service" if manifest.id.kind == "ServiceMonitor" else "workload"
        message = f"the selector of {manifest.id} matches no {what}, so nothing is measured"
        yield Finding(message, subject.origin(manifest), "`common.labels.selector`", where)
    for other in matched:
        if other.subject.owner.name != subject.owner.name:
            owner = other.subject.owner.name
            message = f"the selector of {manifest.id} matches {other.manifest.id} of the instance `{owner}`"
            yield Finding(message, subject.origin(manifest), "`app.kubernetes.io/instance` in the selector", where)


def _reaches(spec: Map, own: str, namespace: str) -> bool:
    """Whether a monitor of the namespace ``own`` looks into ``namespace``."""
    wanted = mapping(spec, "namespaceSelector")
    named = wanted.get("matchNames")
    return wanted.get("any") is True or namespace in (named if isinstance(named, list) and named else [own])


def _services(view: View) -> Iterator[_Target]:
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            if manifest.id.kind == "Service" and manifest.id.group == "":
                labels = mapping(manifest.metadata_data(), "labels")
                yield _Target(subject, manifest, {key: str(value) for key, value in labels.items()})


def _pods(view: View) -> Iterator[_Target]:
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            if manifest.workload is not None:
                yield _Target(subject, manifest, dict(manifest.workload.pod_labels))
