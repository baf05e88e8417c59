"""The rule on what pods wait for by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from compiler.model.instance import Instance
from compiler.model.manifest import Manifest, Reference
from compiler.model.node import MapNode, Node
from compiler.relations.awaited import Awaited
from compiler.validate.rule import SITE_RULES, Finding, Subject, View, rule

_WANTED: Final[Mapping[str, str]] = {"Service": "services", "Job": "jobs", "DaemonSet": "daemonset", "Pod": "pod"}
"""What kubernetes-entrypoint's dependencies are called in the values of charts that follow OpenStack-Helm."""


@rule(SITE_RULES, "OS015", "every binding leads to a Service that is rendered")
def waits_end(view: View) -> Iterator[Finding]:
    """Check that somebody in the site provides whatever pods wait for by themselves: Services, Jobs, other pods.

    Why it matters: a pod that waits for a Job which no chart renders waits for ever, and says nothing about it.

    Example: `dependencies.static.api.jobs: [telemetry-ks-endpoints]` in a chart that switched that Job off.

    Use instead: an instance of the chart that provides it; the value that the message names; `kubernetes.existing` for
    a Service that the cluster has and this site does not render.
    """
    bundles = (view.site_bundle, *(subject.bundle for subject in view.subjects))
    everything = Awaited(manifest for bundle in bundles for manifest in bundle.manifests)
    by_name = {instance.name: instance for instance in view.instances}
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            for wait in manifest.workload.waits if manifest.workload else ():
                if wait not in view.site.existing and not everything.behind(wait):
                    yield _endless(subject, by_name[subject.owner.name], manifest, wait, everything)


def _endless(subject: Subject, instance: Instance, manifest: Manifest, wait: Reference, everything: Awaited) -> Finding:
    message = (
        f"the pods of {manifest.id} wait for the {wait.kind} `{wait.name}` in `{wait.namespace}`, which nothing in the "
        "site provides"
    )
    return Finding(message, subject.origin(manifest), _hint(instance, wait, everything), subject.field(manifest))


def _hint(instance: Instance, wait: Reference, everything: Awaited) -> str:
    elsewhere = everything.elsewhere(wait.kind, wait.name)
    kind = _endpoint(instance, wait) if wait.kind == "Service" else ""
    if elsewhere and kind:
        namespace = elsewhere[0].id.namespace
        return f"`endpoints.{kind}.namespace: {namespace}` in the values of `{instance.name}`, where that Service is"
    places = _listed(instance, kind or wait.name, _WANTED[wait.kind])
    drop = f"remove it from {' and '.join(f'`{place}`' for place in places)}" if places else "let nothing wait for it"
    if kind:
        return f"an instance that provides `{kind}`, `endpoints.{kind}.hosts` of one that is there, or {drop}"
    return f"{drop} in the values of `{instance.name}`, or switch on what renders it"


def _endpoint(instance: Instance, wait: Reference) -> str:
    """The endpoint of the instance's values that leads to the Service; of several the one that is waited for."""
    endpoints = instance.values.get("endpoints")
    kinds = []
    for kind, node in endpoints.entries.items() if isinstance(endpoints, MapNode) else ():
        hosts = node.get("hosts") if isinstance(node, MapNode) else None
        if isinstance(hosts, MapNode) and wait.name in [str(host.data()) for host in hosts.entries.values()]:
            kinds.append(kind)

    def rank(kind: str) -> tuple[bool, bool]:
        return not _listed(instance, kind, _WANTED[wait.kind]), _at(instance, f"endpoints.{kind}.namespace") is None

    return min(kinds, key=rank, default="")


def _listed(instance: Instance, name: str, group: str) -> list[str]:
    """The lists of dependencies in the instance's values that hold ``name``."""
    found = []
    for where in ("static", "dynamic"):
        top = instance.values.get("dependencies", where)
        found += [path for path in _lists(top, f"dependencies.{where}", group) if name in str(_at(instance, path))]
    return found


def _lists(node: Node | None, path: str, group: str) -> Iterator[str]:
    for key, below in node.entries.items() if isinstance(node, MapNode) else ():
        if key == group:
            yield f"{path}.{key}"
        else:
            yield from _lists(below, f"{path}.{key}", group)


def _at(instance: Instance, path: str) -> object:
    node = instance.values.get(*path.split("."))
    return node.data() if node is not None else None
