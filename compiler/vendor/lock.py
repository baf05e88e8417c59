"""The lock: which bytes each chart of elsewhere is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from compiler.documents import emit, read, schema
from compiler.errors import InputError, collecting
from compiler.model.data import Data
from compiler.model.diagnostic import Diagnostic
from compiler.model.names import ChartName, Digest
from compiler.model.node import ListNode, MapNode, Node, Origin, text
from compiler.model.remote import LOCK, Pinned, Remote

_HEAD: Final = "# Written by `oscompile vendor`; `oscompile vendor ENV --update` brings it up to date.\n"


def load(repository: Path) -> Mapping[Remote, Pinned]:
    """What the lock of ``repository`` says of each chart; nothing where there is no lock.

    Raises ``InputError`` for a lock that is none, and for a chart that stands in it twice.
    """
    file = repository / LOCK
    document = read(file, repository) if file.is_file() else None
    if document is None:
        return {}
    with collecting() as mistakes:
        mistakes.extend(schema.check(document, schema.published("chart-lock.v1"), "the lock"))
    listed = document.get("charts") if isinstance(document, MapNode) else None
    found: dict[Remote, Pinned] = {}
    with collecting() as mistakes:
        for node in listed.items if isinstance(listed, ListNode) else ():
            pinned = _pinned(node)
            if pinned.remote in found:
                mistakes.add(f"the chart {pinned.remote} stands in the lock twice", node.origin, "remove one of them")
            found[pinned.remote] = pinned
    return found


def _pinned(node: Node) -> Pinned:
    name, version = ChartName(text(node, "name")), text(node, "version")
    return Pinned(Remote(text(node, "repository"), name, version, node.origin), Digest(text(node, "digest")))


def written(pinned: Iterable[Pinned]) -> str:
    """The lock of these charts, in order."""
    charts: list[Data] = [
        {
            "repository": one.remote.repository,
            "name": one.remote.name,
            "version": one.remote.version,
            "digest": one.digest,
            "file": one.remote.file,
        }
        for one in sorted(pinned, key=lambda one: one.remote)
    ]
    return _HEAD + emit({"apiVersion": "oscompile/v1alpha1", "kind": "ChartLock", "charts": charts})


def digest_of(content: bytes) -> Digest:
    """The digest of an archive, as registries and chart indexes write it.

    >>> digest_of(b"")[:23]
    'sha256:e3b0c44298fc1c14'
    """
    return Digest(f"sha256:{hashlib.sha256(content).hexdigest()}")


def fault(message: str, origin: Origin, hint: str) -> InputError:
    """One mistake in what is kept of elsewhere."""
    return InputError([Diagnostic(message, origin, hint)])
