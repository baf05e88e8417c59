"""Rules about the life of a container: its probes, its end, and what it asks of its host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from compiler.model.chart import Role
from compiler.model.data import Data
from compiler.model.diagnostic import Severity
from compiler.model.quantity import whole
from compiler.relations.untyped import Map, items, mapping
from compiler.survival import Pods
from compiler.validate.rule import SITE_RULES, Finding, View, rule

_LASTING: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})
_PROBES: Final = ("startupProbe", "readinessProbe", "livenessProbe")
_GRACE: Final = 30
"""Seconds between TERM and KILL that a pod has unless it says otherwise."""

_REMOTE: Final = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+\.svc\b|https?://(?!localhost|127\.|\[::1\]|0\.0\.0\.0)[\w\[$]")
"""What a command names that is not in its own pod: a Service's name, or a URL that is not local."""

_SLEEP: Final = re.compile(r"\bsleep\s+(\d+)")


@rule(SITE_RULES, "OS024", "long-running containers have startup, readiness and liveness probes", promise=True)
def probes(view: View) -> Iterator[Finding]:
    """Check that every long-running container has all three probes, and that liveness asks nobody but the container.

    Why it matters: without readiness, clients are sent to what does not serve; without liveness, what hangs stays;
    without startup, a slow start is taken for a hang. Liveness that asks a database restarts every API when the
    database is slow, which is when it can bear it least.

    Example: `livenessProbe: {exec: {command: [sh, -c, "curl http://keystone-api.openstack.svc:5000"]}}`.

    Use instead: liveness on the process itself; readiness may ask what the service needs. A container that has a reason
    to lack one says it in its chart's contract (`exemptions`).
    """
    if view.site.development:
        return
    for pods in view.survey.pods:
        if pods.kind not in _LASTING:
            continue
        for path, container in _running(pods):
            name = str(container.get("name"))
            missing = [probe for probe in _PROBES if not container.get(probe)]
            if missing:
                message = (
                    f"container `{name}` of `{pods.name}` must have all three probes, but lacks {', '.join(missing)}"
                )
                hint = "the probe, or an exemption with the reason in `component.yaml`"
                yield _finding(view, pods, message, hint, name, *path)
            asked = _remote(mapping(container, "livenessProbe"))
            if asked:
                message = (
                    f"the liveness of container `{name}` of `{pods.name}` asks `{asked}`, not the container itself"
                )
                yield _finding(view, pods, message, "the container's own process or port", name, *path, "livenessProbe")


def _remote(probe: Map) -> str:
    """Whom a probe asks, if it is not its own pod."""
    for key in ("httpGet", "tcpSocket"):
        host = str(mapping(probe, key).get("host") or "")
        if host and host not in {"localhost", "127.0.0.1", "::1"}:
            return host
    found = _REMOTE.search(_command(mapping(probe, "exec")))
    return found[0] if found else ""


@rule(SITE_RULES, "OS025", "pods have the time that their end takes", promise=True)
def endings(view: View) -> Iterator[Finding]:
    """Check that APIs and quorums have a preStop, and that the grace of a pod is longer than what it waits there.

    Why it matters: a pod that ends is taken out of its Service at the same time, not before. An API that stops at once
    fails the requests that are still sent to it; a quorum member that is killed leaves its work to recovery.

    Example: a preStop of `sleep 60` in a pod with the default grace of 30 seconds.

    Use instead: `preStop` with a short sleep for an API, with the drain of its server for a quorum, and
    `terminationGracePeriodSeconds` that covers both the preStop and the end of the server.
    """
    if view.site.development:
        return
    for pods in view.survey.pods:
        if pods.kind not in _LASTING:
            continue
        written = pods.spec.get("terminationGracePeriodSeconds")
        grace = written if isinstance(written, int) else _GRACE
        running = list(_running(pods))
        stops = [mapping(container, "lifecycle", "preStop") for _, container in running]
        if pods.plays in {Role.API, Role.QUORUM} and not any(stops):
            what = "a sleep before its server stops" if pods.plays is Role.API else "a drain of its server"
            message = f"`{pods.name}` must have a preStop, for {what}, but has none"
            yield _finding(view, pods, message, "`lifecycle: {preStop: ...}`", "", *running[0][0] if running else ())
        for (path, container), stop in zip(running, stops, strict=True):
            waits = _seconds(stop)
            if waits >= grace:
                name = str(container.get("name"))
                message = (
                    f"container `{name}` of `{pods.name}` waits {waits} seconds before it stops, but "
                    f"is killed after {grace}"
                )
                yield _finding(
                    view, pods, message, f"`terminationGracePeriodSeconds: {waits + _GRACE}`", name, *path, "lifecycle"
                )


def _seconds(stop: Map) -> int:
    slept = mapping(stop, "sleep").get("seconds")
    if isinstance(slept, int):
        return slept
    return sum(int(number) for number in _SLEEP.findall(_command(mapping(stop, "exec"))))


def _command(exec_: Map) -> str:
    command = exec_.get("command")
    return " ".join(str(word) for word in command) if isinstance(command, list) else ""


@rule(SITE_RULES, "OS048", "every container asks for what it needs", Severity.ERROR, promise=True)
def requests(view: View) -> Iterator[Finding]:
    """Check that every container, of init and of Jobs too, requests CPU and memory, and may use what it requests.

    A memory limit is asked for, at least as large as the request: on a host that runs out, a container without one
    takes its neighbours with it. Whether the requests of the site fit its hosts, less any one, is proved by OS029.

    Why it matters: a container that asks for nothing is placed as if it weighed nothing, and is the first to be killed.

    Example: `resources: {}`; `limits: {memory: 256Mi}` with `requests: {memory: 512Mi}`.

    Use instead: `common.resources`, from `resources.<component>`.
    """
    for pods in view.survey.pods:
        for path, container in _containers(pods.spec, ("initContainers", "containers")):
            name, resources = str(container.get("name")), mapping(container, "resources")
            fault = _fault(mapping(resources, "requests"), mapping(resources, "limits"))
            if fault:
                message = f"container `{name}` of `{pods.name}` {fault}"
                hint = "`resources: {requests: {cpu: ..., memory: ...}, limits: {memory: ...}}`"
                yield _finding(view, pods, message, hint, name, *path, "resources")


def _fault(asked: Map, limited: Map) -> str:
    missing = [resource for resource in ("cpu", "memory") if _given(asked, limited, resource) is None]
    if missing:
        return f"must request CPU and memory, but requests no {' and no '.join(missing)}"
    memory, limit = whole(_given(asked, limited, "memory")), whole(limited.get("memory"))
    if limit is None:
        return "must limit its memory, but does not"
    if memory is not None and limit < memory:
        return f"requests {asked.get('memory')} of memory, but is killed above {limited.get('memory')}"
    return ""


def _given(asked: Map, limited: Map, resource: str) -> Data:
    """A request; a limit alone is one, too (Kubernetes: "Resource Management for Pods and Containers")."""
    written = asked.get(resource)
    return written if written is not None else limited.get(resource)


def _running(pods: Pods) -> Iterator[tuple[tuple[str | int, ...], Map]]:
    """The containers that stay: all but those that come before, sidecars included."""
    yield from _containers(pods.spec, ("containers",))
    for path, container in _containers(pods.spec, ("initContainers",)):
        if container.get("restartPolicy") == "Always":
            yield path, container


def _containers(spec: Map, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str | int, ...], Map]]:
    for key in keys:
        for index, container in enumerate(items(spec, key)):
            yield (key, index), container


def _finding(view: View, pods: Pods, message: str, hint: str, container: str, *path: str | int) -> Finding:
    subject = view.owner(pods.instance)
    origin = subject.origin(pods.manifest) if subject else None
    return Finding(message, origin, hint, pods.at(*path), container=container)
