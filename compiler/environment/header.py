"""The head of a document: what kind it is, what it is called, what it is built on.

Only what is needed to find the other documents is looked at here; the rest is checked when the layers are merged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compiler.documents import read
from compiler.documents.schema import nearest
from compiler.errors import Collector, collecting
from compiler.model.names import LayerName
from compiler.model.node import ListNode, MapNode, Node, Origin, ScalarNode, describe
from compiler.model.site import Source

API_VERSION: Final = "oscompile/v1alpha1"


@dataclass(frozen=True, slots=True)
class Mention:
    """A name that a document mentions, and where."""

    name: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Header:
    """A document, and what its head says."""

    source: Source
    name: str
    abstract: bool = False
    extends: tuple[Mention, ...] = ()
    overlays: tuple[Mention, ...] = ()


def head(root: Path, path: Path, kind: str, name: str, layer: LayerName) -> Header:
    """The document in ``path``, of the given ``kind``, called ``name`` as its folder is.

    Raises ``InputError`` with everything that is wrong with its head; an empty file is wrong too.
    """
    file = path.relative_to(root).as_posix()
    node = read(path, root, layer)
    with collecting() as mistakes:
        if not isinstance(node, MapNode):
            found = "the file is empty" if node is None or node.data() is None else f"is {describe(node)}"
            origin = node.origin if node is not None else Origin(file)
            mistakes.add(f"an {kind} must be a map, but {found}", origin, f"`apiVersion: {API_VERSION}`")
            mistakes.stop()
        document = node if isinstance(node, MapNode) else MapNode({}, Origin(file))
        _identify(document, kind, name, mistakes)
        return Header(
            source=Source(layer, file, document),
            name=name,
            abstract=_abstract(document, mistakes),
            extends=tuple(_mentions(document, "extends", mistakes)),
            overlays=tuple(_mentions(document, "overlays", mistakes)),
        )


def _identify(document: MapNode, kind: str, name: str, mistakes: Collector) -> None:
    _constant(document, "apiVersion", API_VERSION, kind, mistakes)
    _constant(document, "kind", kind, kind, mistakes)
    written = document.get("metadata", "name")
    if written is not None and written.data() != name:
        message = f"`metadata.name` must be `{name}`, as the folder is called, but is {describe(written)}"
        mistakes.add(message, written.origin, f"`{name}`, or rename the folder")


def _constant(document: MapNode, key: str, value: str, kind: str, mistakes: Collector) -> None:
    node = document.get(key)
    if node is None:
        mistakes.add(f"an {kind} must have `{key}: {value}`, but has none", document.origin, f"`{key}: {value}`")
    elif node.data() != value:
        hint = nearest(str(node.data()), [value])
        mistakes.add(f"`{key}` must be `{value}`, but is {describe(node)}", node.origin, hint)


def _abstract(document: MapNode, mistakes: Collector) -> bool:
    node = document.get("abstract")
    if node is None:
        return False
    if not (isinstance(node, ScalarNode) and isinstance(node.value, bool)):
        mistakes.add(f"`abstract` must be a boolean, but is {describe(node)}", node.origin, "`true`")
        return False
    return node.value


def _mentions(document: MapNode, key: str, mistakes: Collector) -> Iterator[Mention]:
    node = document.get(key)
    if node is None:
        return
    if not isinstance(node, ListNode) or node.tag:
        found = f"carries `{node.tag}`" if node.tag else f"is {describe(node)}"
        mistakes.add(f"`{key}` must be a plain list of names, but {found}", node.origin, f"`{key}: [{_example(node)}]`")
        return
    for item in node.items:
        if isinstance(item, ScalarNode) and isinstance(item.value, str) and not item.tag:
            yield Mention(item.value, item.origin)
        else:
            mistakes.add(f"an entry of `{key}` must be a name, but is {describe(item)}", item.origin, "quotes")


def _example(node: Node) -> str:
    return str(node.value) if isinstance(node, ScalarNode) and node.value is not None else "base"
