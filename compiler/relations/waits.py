"""What the pods of an object wait for before their service starts, without anybody's help.

Two ways are known. Ours: an init container whose arguments are ``<service>.<namespace>.svc:<port>``, one after
another. OpenStack-Helm's: an init container with the image ``kubernetes-entrypoint``, which reads the variables
``DEPENDENCY_*`` (https://opendev.org/airship/kubernetes-entrypoint, README: ``DEPENDENCY_SERVICE`` is
``namespace:name`` separated by commas, ``DEPENDENCY_JOBS`` names, ``DEPENDENCY_JOBS_JSON`` and ``DEPENDENCY_POD_JSON``
objects with a ``namespace`` and a ``name`` or ``labels``). What is waited for by labels is named by its selector:
``Pod`` ``application=neutron,component=neutron-ovs-agent``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from compiler.model.data import Data
from compiler.model.manifest import Reference
from compiler.relations.untyped import Map, items, mapping

_ADDRESS: Final = re.compile(
    r"(?:[a-z]+://)?(?:[a-z0-9-]+\.)?(?P<name>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)\.svc(?:\.[a-z0-9.-]+)?(?::\d+)?(?:/\S*)?"
)

_ENTRYPOINT: Final = {"SERVICE": "Service", "JOBS": "Job", "DAEMONSET": "DaemonSet"}
"""What of kubernetes-entrypoint's variables names an object."""

_JSON: Final = {"JOBS_JSON": "Job", "POD_JSON": "Pod"}
"""Those that hold a list of objects."""


def waits(template: Map, namespace: str) -> tuple[Reference, ...]:
    """What pods of ``template`` wait for: Services that answer, Jobs that are done; each once, in order.

    Names without a namespace lead to ``namespace``.

    >>> container = {"command": ["bash", "-c", "...", "wait", "mariadb-proxy.openstack.svc:3306"]}
    >>> waits({"spec": {"initContainers": [container]}}, "telemetry")
    (Reference(kind='Service', namespace='openstack', name='mariadb-proxy', optional=False),)
    """
    found = {
        wait for container in items(template, "spec", "initContainers") for wait in _container(container, namespace)
    }
    return tuple(sorted(found))


def _container(container: Map, namespace: str) -> Iterator[Reference]:
    if container.get("restartPolicy") == "Always":  # a sidecar: it stays, nothing waits for its end
        return
    for key in ("command", "args"):
        words = container.get(key)
        for word in words if isinstance(words, list) else ():
            match = _ADDRESS.fullmatch(word) if isinstance(word, str) else None
            if match:
                yield Reference("Service", match["namespace"], match["name"])
    for variable in items(container, "env"):
        name, value = variable.get("name"), variable.get("value")
        if isinstance(name, str) and isinstance(value, str) and name.startswith("DEPENDENCY_"):
            yield from _entrypoint(name.removeprefix("DEPENDENCY_"), value, namespace)


def _entrypoint(what: str, value: str, namespace: str) -> Iterator[Reference]:
    if what in _JSON:
        yield from _json(_JSON[what], value, namespace)
    elif kind := _ENTRYPOINT.get(what, ""):
        for word in filter(None, (part.strip() for part in value.split(","))):
            where, _, name = word.rpartition(":")
            yield Reference(kind, where or namespace, name)


def _json(kind: str, value: str, namespace: str) -> Iterator[Reference]:
    try:
        listed: Data = json.loads(value)
    except ValueError:
        return
    for each in listed if isinstance(listed, list) else ():
        name, where = mapping(each).get("name") or selector(mapping(each, "labels")), mapping(each).get("namespace")
        if isinstance(name, str) and name:
            yield Reference(kind, where if isinstance(where, str) and where else namespace, name)


def selector(labels: Map) -> str:
    """Labels as Kubernetes writes a selector of them.

    >>> selector({"component": "compute", "application": "nova"})
    'application=nova,component=compute'
    """
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def labels_of(name: str) -> tuple[tuple[str, str], ...]:
    """The labels in the name of something that is waited for; none where it is called by its own name.

    >>> labels_of("application=nova,component=compute"), labels_of("nova-db-sync")
    ((('application', 'nova'), ('component', 'compute')), ())
    """
    pairs = (pair.partition("=")[::2] for pair in name.split(",") if "=" in pair)
    return tuple((key, value) for key, value in pairs)
