"""The values of an instance: the chart's own, with everything that the layers say laid over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from compiler.layers.charts import Shelved
from compiler.layers.operations import deletes, replaces
from compiler.model.node import MapNode, Node, at, is_null, leaves
from compiler.model.site import Source

Said: TypeAlias = Mapping[str, tuple[tuple[int, MapNode], ...]]
"""What the layers say of each name, lowest first, with the height of each layer."""


def defaults(sources: tuple[Source, ...]) -> Said:
    """What ``defaults`` says of each chart."""
    return _said(sources, "defaults", None)


def of_instances(sources: tuple[Source, ...]) -> Said:
    """What ``instances`` says of the values of each instance."""
    return _said(sources, "instances", "values")


def _said(sources: tuple[Source, ...], group: str, within: str | None) -> Said:
    """Deleting (or replacing) an entry forgets what lower layers said of it: the chart's own values are left."""
    found: dict[str, list[tuple[int, MapNode]]] = {}
    for height, source in enumerate(sources):
        top = source.document.entries.get(group)
        if top is None:
            continue
        if replaces(top):
            found.clear()
        for name, entry in (top.entries if isinstance(top, MapNode) else {}).items():
            node = entry.entries.get(within) if within and isinstance(entry, MapNode) else entry
            if replaces(entry) or (node is not None and replaces(node)):
                found.pop(name, None)
            if isinstance(node, MapNode) and not deletes(node):
                found.setdefault(name, []).append((height, replace(node, tag=None) if node.tag else node))
    return {name: tuple(said) for name, said in found.items()}


def in_order(for_chart: tuple[tuple[int, MapNode], ...], own: tuple[tuple[int, MapNode], ...]) -> tuple[MapNode, ...]:
    """Both merged by height: in one layer what is said of the instance lies over what is said of its chart."""
    ranked = [(height, 0, node) for height, node in for_chart] + [(height, 1, node) for height, node in own]
    return tuple(node for _, _, node in sorted(ranked, key=lambda said: said[:2]))


def finished(values: Node, chart: Shelved) -> MapNode:
    """``values`` without the tombstones that Helm has no use for.

    Helm deletes a default of the chart (or of a subchart, which only it knows) where it is handed null. Any other null
    it would pass to the templates and to the chart's schema, where a deleted value must simply not be.
    """
    pruned = _pruned(values, chart.values, chart.subcharts)
    return pruned if isinstance(pruned, MapNode) else chart.values


def idle(values: Node, chart: Shelved) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Every deletion in ``values`` that had nothing to delete: neither the chart nor a lower layer sets that.

    What is handed to a subchart may be a default of its own, which only Helm knows.
    """
    for path, node in leaves(values):
        ours = path and path[0] not in chart.subcharts and is_null(node) and not node.overrode
        if ours and at(chart.values, path) is None:
            yield path, node


def _pruned(node: Node, default: Node | None, kept: frozenset[str] = frozenset()) -> Node:
    if not isinstance(node, MapNode) or node is default:
        return node
    below = default.entries if isinstance(default, MapNode) else {}
    entries: dict[str, Node] = {}
    for key, entry in node.entries.items():
        if key in kept or entry is below.get(key):
            entries[key] = entry
        elif key in below or not is_null(entry):
            entries[key] = _pruned(entry, below.get(key))
    unchanged = len(entries) == len(node.entries) and all(entries[key] is node.entries[key] for key in entries)
    return node if unchanged else replace(node, entries=entries, keys={key: node.key_origin(key) for key in entries})
