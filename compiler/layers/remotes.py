"""What ``chart:`` of an instance says, where the chart is published elsewhere."""

from __future__ import annotations

import re
from typing import Final

from compiler.errors import Collector, InputError
from compiler.model.diagnostic import Diagnostic
from compiler.model.names import ChartName
from compiler.model.node import MapNode, Node, Origin, ScalarNode, text
from compiler.model.remote import OCI, Remote

_OCI: Final = re.compile(r"(?P<repository>oci://[^@\s]+)/(?P<name>[a-z0-9][a-z0-9._-]*):(?P<version>[^:/@\s]+)")
_VERSION: Final = re.compile(r"v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
_SCHEMES: Final = ("https://", "http://", OCI)


def remote(node: Node | None) -> Remote | None:
    """The chart of elsewhere that ``node`` means; None where it means one of this repository, or nothing.

    Raises ``InputError`` for an address that is none, and for a version that is not exactly one.
    """
    match node:
        case MapNode():
            found = Remote(
                text(node, "repository").rstrip("/"), ChartName(text(node, "name")), text(node, "version"), node.origin
            )
        case ScalarNode(value=str() as reference) if reference.startswith(OCI):
            parts = _OCI.fullmatch(reference)
            if parts is None:
                message = f"`chart` must name one version of a chart in a registry, but is `{reference}`"
                raise _fault(message, node.origin, "`oci://registry.example.org/charts/keystone:1.0.0`")
            found = Remote(parts["repository"], ChartName(parts["name"]), parts["version"], node.origin)
        case _:
            return None
    if not found.repository.startswith(_SCHEMES):
        message = f"`repository` must be the address of a chart repository or registry, but is `{found.repository}`"
        raise _fault(message, found.origin, "`https://...`, or `oci://...`")
    if not _VERSION.fullmatch(found.version):
        message = f"the chart `{found.name}` must have exactly one version, but `{found.version}` is none"
        raise _fault(message, found.origin, "a version like 1.2.3: what a range means changes with what is published")
    return found


def remotes(document: MapNode, mistakes: Collector) -> tuple[Remote, ...]:
    """Every chart of elsewhere that the instances of ``document`` use, in order; what is wrong is noted."""
    instances = document.entries.get("instances")
    found: set[Remote] = set()
    for node in instances.entries.values() if isinstance(instances, MapNode) else ():
        with mistakes.attempt():
            one = remote(node.entries.get("chart") if isinstance(node, MapNode) else None)
            found |= {one} if one is not None else set()
    return tuple(sorted(found))


def _fault(message: str, origin: Origin, hint: str) -> InputError:
    return InputError([Diagnostic(message, origin, hint)])
