"""Each document on its own: its structure against its schema, its tags against the operations that there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compiler.documents import schema
from compiler.documents.schema import Memory
from compiler.errors import Collector
from compiler.layers.operations import misused, settled
from compiler.model.diagnostic import Diagnostic
from compiler.model.node import MapNode

HEAD: Final = frozenset({"apiVersion", "kind", "metadata", "abstract", "extends", "overlays"})
"""The keys that belong to the one document and are not merged."""

_SUBJECTS: Final = {
    "environment.v1": "the environment",
    "overlay.v1": "the overlay",
    "component-overlay.v1": "the component overlay",
}


def check(document: MapNode, form: str, memory: Memory, mistakes: Collector) -> None:
    """Note everything in which ``document`` is not what the schema ``form`` says, and every tag that means nothing.

    A document that ``memory`` knows to be valid is not held against the schema again.
    """
    operations = (*misused(document), *_tagged_head(document))
    mistakes.extend(operations)
    subject = settled(document) if not operations else document
    mistakes.extend(schema.check(subject, schema.published(form), _SUBJECTS[form], memory))


def _tagged_head(document: MapNode) -> Iterator[Diagnostic]:
    for key in sorted(HEAD & document.entries.keys()):
        node = document.entries[key]
        if node.tag is not None:
            message = f"`{node.tag}` at `{key}` means nothing: `{key}` belongs to this document alone and is not merged"
            yield Diagnostic(message, node.origin, f"`{key}:` without a tag")
