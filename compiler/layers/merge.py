r"""The merge law: what comes of laying one node over another.

* A map over a map merges deeply: every key of either is there, those of the lower one first.
* A scalar over a scalar, and a list over a list, replaces it (Helm's rule). A list can say otherwise by a tag:
  ``!append``, ``!prepend``, ``!merge(key)``.
* Null (or ``!delete``) deletes. A tombstone stays, a null that knows what it deleted, so that Helm deletes the chart's
  default too.
* ``!replace`` puts a value, whatever its type, in place of everything below it. Where that is a map over a map, the
  lower one's other keys are deleted one by one, because Helm would bring them back from the chart's defaults.
* Anything may take the place of null, of ``{}`` and of ``[]``. Otherwise a map, a list and a scalar do not take one
  another's place: that is a mistake, and both places are named.

Nothing changes: what is untouched is shared, and the work is proportional to the upper node. Whatever wins keeps what
it overrode, latest first.

>>> from compiler.documents import parse_node
>>> from compiler.errors import collecting
>>> chart = parse_node("replicas: 3\nhosts: [a]\nprobe: {port: 80, path: /}\nextra: {x: 1}", "values.yaml")
>>> base = parse_node("replicas: 5\nprobe: {path: /health}", "base.yaml")
>>> site = parse_node("replicas: 7\nhosts: !append [b]\nextra: null", "site.yaml")
>>> with collecting() as mistakes:
...     law = Law(mistakes)
...     merged = law.over(law.over(chart, base), site)
>>> merged.data()
{'replicas': 7, 'hosts': ['a', 'b'], 'probe': {'port': 80, 'path': '/health'}, 'extra': None}
>>> [str(node.origin) for node in (merged.get("replicas"), *merged.get("replicas").overrode)]
['site.yaml:1:11', 'base.yaml:1:11', 'values.yaml:1:11']
>>> merged.get("extra").overrode[0].data()
{'x': 1}
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from deepmerge import STRATEGY_END, Merger

from compiler.errors import Collector
from compiler.layers.operations import (
    DELETE,
    REPLACE,
    deletes,
    identity,
    merge_key,
    settled,
    settled_items,
)
from compiler.model.diagnostic import Diagnostic, Related
from compiler.model.node import ListNode, MapNode, Node, ScalarNode, describe, is_null, without_nulls


class Law(Merger):
    """The law as strategies of ``deepmerge``. What breaks it is noted in ``mistakes``, and the lower node stays."""

    def __init__(self, mistakes: Collector) -> None:
        by_type: list[Any] = [(MapNode, _map), (ListNode, _list), (ScalarNode, _scalar)]
        across_types: list[Any] = [_deletion, _placing, _conflict]
        super().__init__(by_type, ["override"], across_types)
        self.mistakes = mistakes
        self._known: dict[tuple[int, int], tuple[Node, Node, Node]] = {}

    def over(self, lower: Node, upper: Node, *path: str) -> Node:
        """``upper`` laid over ``lower``; ``path`` is where they stand, for messages.

        ``lower`` must be settled (come of this function, or carry no tags). The same two nodes always give the very
        same node, so instances of a chart share what they have in common.
        """
        key = (id(lower), id(upper))
        if key not in self._known:
            self._known[key] = (lower, upper, self.value_strategy(list(path), lower, upper))
        return self._known[key][2]


def _map(law: Law, path: list[str], lower: MapNode, upper: MapNode) -> Node:
    if upper.tag in {DELETE, REPLACE}:
        return _placed(lower, upper)
    entries, keys = dict(lower.entries), dict(lower.keys)
    for key, above in upper.entries.items():
        below = entries.get(key)
        if below is None or is_null(below):
            keys[key] = upper.key_origin(key)
        entries[key] = settled(above) if below is None else law.value_strategy([*path, key], below, above)
    return MapNode(entries, lower.origin, lower.overrode, None, keys)


def _list(law: Law, path: list[str], lower: ListNode, upper: ListNode) -> Node:
    key = merge_key(upper)
    if key is not None:
        return _with_items(lower, upper, _merged(law, path, lower, upper, key))
    match upper.tag:
        case "!append":
            return _with_items(lower, upper, (*lower.items, *settled_items(upper)))
        case "!prepend":
            return _with_items(lower, upper, (*settled_items(upper), *lower.items))
        case _:
            return _placed(lower, upper)


def _scalar(_law: Law, _path: list[str], lower: ScalarNode, upper: ScalarNode) -> Node:
    return _placed(lower, upper)


def _deletion(_law: Law, _path: list[str], lower: Node, upper: Node) -> Node:
    return _placed(lower, upper) if deletes(upper) else _not_mine()


def _placing(_law: Law, _path: list[str], lower: Node, upper: Node) -> Node:
    """Over a value of another type: where the tag asks for it, or where there is nothing to lose."""
    return _placed(lower, upper) if upper.tag == REPLACE or _is_vacant(lower) else _not_mine()


def _conflict(law: Law, path: list[str], lower: Node, upper: Node) -> Node:
    shown = "".join(step if step.startswith("[") else f".{step}" for step in path).lstrip(".")
    message = f"`{shown}` must stay {_kind(lower)}, but becomes {describe(upper)}"
    hint = f"{_kind(lower)}, or `!replace` before the value if its type is meant to change"
    related = (Related(f"it is {_kind(lower)} here", lower.origin),)
    law.mistakes.extend([Diagnostic(message, upper.origin, hint, related)])
    return lower


def _not_mine() -> Node:
    """What tells deepmerge to try the next strategy of its list."""
    return cast("Node", STRATEGY_END)


def _kind(node: Node) -> str:
    return "a single value" if isinstance(node, ScalarNode) else describe(node)


def _is_vacant(node: Node) -> bool:
    match node:
        case MapNode():
            return not node.entries
        case ListNode():
            return not node.items
        case ScalarNode():
            return node.value is None


def _history(node: Node) -> tuple[Node, ...]:
    """What overriding ``node`` leaves behind: itself, and all that it overrode."""
    return (replace(node, overrode=()) if node.overrode else node, *node.overrode)


def _buried(node: Node) -> MapNode | None:
    """The map that stands in ``node``'s place, or the latest that stood there: it may hold a chart's defaults."""
    return next((below for below in (node, *node.overrode) if isinstance(below, MapNode)), None)


def _placed(lower: Node, upper: Node) -> Node:
    """``upper`` in the place of ``lower``: nothing is merged."""
    history = (*upper.overrode, *_history(lower))
    if deletes(upper):
        return ScalarNode(None, upper.origin, history)
    node = settled(upper)
    if isinstance(node, MapNode):
        node = _closed(node, _buried(lower))
    return replace(node, overrode=history)


def _closed(upper: MapNode, buried: MapNode | None) -> MapNode:
    """``upper`` with a tombstone for each key that only ``buried`` has, so that nothing brings those keys back."""
    if buried is None:
        return upper
    entries, keys = dict(upper.entries), dict(upper.keys)
    for key, below in buried.entries.items():
        above = entries.get(key)
        if above is None:
            above, keys[key] = ScalarNode(None, upper.origin), upper.origin
        if isinstance(above, MapNode):
            above = _closed(above, _buried(below))
        entries[key] = replace(above, overrode=(*above.overrode, *_history(below)))
    return replace(upper, entries=entries, keys=keys)


def _with_items(lower: ListNode, upper: ListNode, items: tuple[Node, ...]) -> ListNode:
    return ListNode(items, upper.origin, (*upper.overrode, *_history(lower)))


def _merged(law: Law, path: list[str], lower: ListNode, upper: ListNode, key: str) -> tuple[Node, ...]:
    """The items of ``lower``, each with its twin in ``upper`` laid over it, then the items that have no twin."""
    items = list(lower.items)
    for above in upper.items:
        name = identity(above, key)
        at = next((index for index, item in enumerate(items) if identity(item, key) == name), None)
        if at is None:
            items += [] if above.tag == DELETE else [without_nulls(settled(above))]
        elif above.tag == DELETE:
            del items[at]
        else:
            items[at] = without_nulls(law.value_strategy([*path, f"[{key}={name}]"], items[at], above))
    return tuple(items)
