"""The operations that a layer can write as YAML tags, and what they come to where there is nothing to operate on.

=================  ======================  ================================================================
``!append``        on a list               its items after those below it
``!prepend``       on a list               its items before those below it
``!merge(name)``   on a list of maps       each item is laid over the one below it with an equal ``name``; others
                                           are appended, and an item tagged ``!delete`` removes its twin
``!replace``       on anything             nothing below it stays; a type may change
``!delete``        without a value         as null: nothing below it stays, and nothing takes its place
=================  ======================  ================================================================

A YAML tag ends at the first blank, so ``!merge name`` cannot be written; the key stands in brackets instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from compiler.documents.schema import nearest
from compiler.model.diagnostic import Diagnostic, Related
from compiler.model.node import ListNode, MapNode, Node, ScalarNode, describe, is_null

APPEND: Final = "!append"
PREPEND: Final = "!prepend"
REPLACE: Final = "!replace"
DELETE: Final = "!delete"

_MERGE: Final = re.compile(r"!merge\((?P<key>[^()]+)\)")
_KNOWN: Final = (APPEND, PREPEND, "!merge(<key>)", REPLACE, DELETE)
_SPELT_OTHERWISE: Final = re.compile(r"!merge\W?(?P<key>[\w.-]*)")


def merge_key(node: Node) -> str | None:
    """The key of a ``!merge(key)`` list; None for every other node."""
    found = _MERGE.fullmatch(node.tag) if node.tag else None
    return found["key"] if found else None


def deletes(node: Node) -> bool:
    """Whether the node deletes what is below it: null, or ``!delete``."""
    return node.tag == DELETE or is_null(node)


def replaces(node: Node) -> bool:
    """Whether nothing below the node stays: it deletes, or is tagged ``!replace``."""
    return node.tag == REPLACE or deletes(node)


def identity(item: Node, key: str) -> object:
    """What ``!merge(key)`` knows a list item by; None for an item that has no such key."""
    below = item.entries.get(key) if isinstance(item, MapNode) else None
    return below.value if isinstance(below, ScalarNode) else None


def has_operations(node: Node) -> bool:
    """Whether ``node`` or anything below it carries a tag."""
    return node.tag is not None or any(has_operations(below) for below in _below(node))


def settled(node: Node) -> Node:
    """``node`` as it stands where there is nothing below it: no tags, and null for what deletes.

    What carries no tag is returned as it is, not copied.
    """
    if not has_operations(node):
        return node
    match node:
        case MapNode(tag="!delete"):
            return ScalarNode(None, node.origin)
        case MapNode():
            entries = {key: settled(below) for key, below in node.entries.items()}
            return replace(node, entries=entries, tag=None)
        case ListNode():
            return replace(node, items=settled_items(node), tag=None)
        case ScalarNode():
            return replace(node, tag=None)


def settled_items(node: ListNode) -> tuple[Node, ...]:
    """The items of ``node``, settled; those that are tagged ``!delete`` had only to remove others."""
    return tuple(settled(item) for item in node.items if item.tag != DELETE)


def _below(node: Node) -> Iterator[Node]:
    match node:
        case MapNode():
            yield from node.entries.values()
        case ListNode():
            yield from node.items


@dataclass(frozen=True, slots=True)
class _Place:
    """How a node is reached, and the key by which the list that holds it is merged, if it is."""

    path: str
    merged_by: str | None = None


def misused(node: Node, place: _Place = _Place("")) -> Iterator[Diagnostic]:
    """Every tag in ``node`` that is not an operation, or that stands where it means nothing."""
    if node.tag is not None:
        yield from _misuse(node, node.tag, place)
    key = merge_key(node)
    if isinstance(node, ListNode):
        if key is not None:
            yield from _misuse_of_merge(node, key, place)
        for index, item in enumerate(node.items):
            yield from _misuse_of_item(item, _Place(f"{place.path}[{index}]", key))
    elif isinstance(node, MapNode):
        for name, below in node.entries.items():
            yield from misused(below, _Place(f"{place.path}.{name}".lstrip(".")))


def _misuse(node: Node, tag: str, place: _Place) -> Iterator[Diagnostic]:
    shown = f"`{tag}` at `{place.path}`" if place.path else f"`{tag}`"
    if tag in {APPEND, PREPEND} or merge_key(node) is not None:
        if not isinstance(node, ListNode):
            yield Diagnostic(
                f"{shown} must stand before a list, but stands before {describe(node)}", node.origin, "a list"
            )
    elif tag == DELETE:
        if not is_null(node) and place.merged_by is None:
            message = f"{shown} must stand alone, but a value follows it: {describe(node)}"
            yield Diagnostic(message, node.origin, "`!replace` to put the value in place of what is there")
    elif tag != REPLACE:
        other = _SPELT_OTHERWISE.fullmatch(tag)
        hint = f"`!merge({other['key'] or 'name'})`" if other else nearest(tag, list(_KNOWN))
        yield Diagnostic(f"{shown} is not an operation: there are {', '.join(_KNOWN)}", node.origin, hint)


def _misuse_of_item(item: Node, place: _Place) -> Iterator[Diagnostic]:
    """An item of a list that is not merged by key has no counterpart below it, so there is nothing to operate on."""
    if place.merged_by is None and item.tag in {DELETE, REPLACE, APPEND, PREPEND}:
        message = f"`{item.tag}` at `{place.path}` means nothing: only the items of a `!merge(<key>)` list have twins"
        yield Diagnostic(message, item.origin, "`!merge(name)` before the list")
    else:
        yield from misused(item, place)


def _misuse_of_merge(node: ListNode, key: str, place: _Place) -> Iterator[Diagnostic]:
    seen: dict[object, Node] = {}
    for index, item in enumerate(node.items):
        name = identity(item, key)
        shown = f"`{place.path}[{index}]`"
        if name is None:
            message = f"{shown} must be a map with the key `{key}`, by which its list is merged, but is {_what(item)}"
            yield Diagnostic(message, item.origin, f"`{key}: ...`")
        elif name in seen:
            related = (Related("it stands here first", seen[name].origin),)
            yield Diagnostic(f"{shown} has the `{key}` of an earlier item: `{name}`", item.origin, "one item", related)
        else:
            seen[name] = item


def _what(item: Node) -> str:
    return "a map without it" if isinstance(item, MapNode) else describe(item)
