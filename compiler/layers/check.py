"""Each document on its own: its structure against its schema, its tags against the operations that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from compiler.documents import schema
from compiler.errors import Collector
from compiler.layers.operations import misused, settled
from compiler.model.data import canonical, digest
from compiler.model.diagnostic import Diagnostic
from compiler.model.names import Digest
from compiler.model.node import MapNode

HEAD: Final = frozenset({"apiVersion", "kind", "metadata", "abstract", "extends", "overlays"})
"""The keys that belong to the one document and are not merged."""

_SUBJECTS: Final = {
    "environment.v1": "the environment",
    "overlay.v1": "the overlay",
    "component-overlay.v1": "the component overlay",
}


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of earlier compiles: which documents were found valid. Without one, each is checked again."""

    known_good: Callable[[Digest], bool] = lambda _: False
    remember: Callable[[Digest], None] = lambda _: None


def check(document: MapNode, form: str, memory: Memory, mistakes: Collector) -> None:
    """Note everything in which ``document`` is not what the schema ``form`` says, and every tag that means nothing.

    A document that is remembered as valid is not held against the schema again: a warm compile need not even load
    ``jsonschema``. The digest covers the schema, so another schema is another question.
    """
    operations = (*misused(document), *_tagged_head(document))
    mistakes.extend(operations)
    subject = settled(document) if not operations else document
    published = schema.published(form)
    key = digest(f"{canonical(published)}\0{canonical(subject.data())}")
    if memory.known_good(key):
        return
    found = schema.check(subject, published, _SUBJECTS[form])
    mistakes.extend(found)
    if not found:
        memory.remember(key)


def _tagged_head(document: MapNode) -> Iterator[Diagnostic]:
    for key in sorted(HEAD & document.entries.keys()):
        node = document.entries[key]
        if node.tag is not None:
            message = f"`{node.tag}` at `{key}` means nothing: `{key}` belongs to this document alone and is not merged"
            yield Diagnostic(message, node.origin, f"`{key}:` without a tag")
