"""Values that know where they come from.

A node never changes: laying one over another makes a new node, which keeps what it overrode. This is the whole of
origin tracking; there is no switch for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from compiler.model.data import Data, Scalar
from compiler.model.names import UNNAMED, LayerName


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """The place that set a value: a file (relative to the repository), a line and a column, both from 1."""

    file: str
    line: int = 1
    column: int = 1
    layer: LayerName = field(default=UNNAMED, compare=False)

    def __str__(self) -> str:
        """As editors and terminals understand it: ``file:line:column``."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A string, number, boolean or null. Null deletes: what it overrode is gone, but not forgotten."""

    value: Scalar
    origin: Origin
    overrode: tuple[Node, ...] = ()
    tag: str | None = None

    def data(self) -> Data:
        """The plain value."""
        return self.value


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list of nodes."""

    items: tuple[Node, ...]
    origin: Origin
    overrode: tuple[Node, ...] = ()
    tag: str | None = None

    def data(self) -> Data:
        """The plain value."""
        return [item.data() for item in self.items]


@dataclass(frozen=True, slots=True)
class MapNode:
    """A map from strings to nodes, in the order of the file that first named each key."""

    entries: Mapping[str, Node]
    origin: Origin
    overrode: tuple[Node, ...] = ()
    tag: str | None = None
    keys: Mapping[str, Origin] = field(default_factory=dict)

    def data(self) -> dict[str, Data]:
        """The plain value."""
        return {key: node.data() for key, node in self.entries.items()}

    def get(self, *path: str) -> Node | None:
        """The node at ``path`` below this one, or None where there is nothing."""
        node: Node = self
        for key in path:
            below = node.entries.get(key) if isinstance(node, MapNode) else None
            if below is None:
                return None
            node = below
        return node

    def key_origin(self, key: str) -> Origin:
        """Where ``key`` itself stands (its value may begin on a later line)."""
        return self.keys.get(key) or self.entries[key].origin


Node: TypeAlias = ScalarNode | ListNode | MapNode


_SHOWN: Final = 40


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def describe(node: Node) -> str:
    """What a node is, as a message says it: ``a map``, ``a list``, ``a string "x"``."""
    match node:
        case MapNode():
            return "a map"
        case ListNode():
            return "a list"
        case ScalarNode(value=None):
            return "null"
        case ScalarNode(value=bool() as value):
            return f"the boolean `{str(value).lower()}`"
        case ScalarNode(value=str() as value):
            return f'the string "{_shortened(value)}"'
        case _:
            return f"the number `{node.value}`"


def leaves(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Every scalar, list and empty map below ``node``, with its path."""
    if isinstance(node, MapNode) and node.entries:
        for key, below in node.entries.items():
            yield from leaves(below, (*path, key))
    else:
        yield path, node


def at(node: Node, path: tuple[str | int, ...]) -> Node | None:
    """The node at ``path`` below ``node``, through maps by key and through lists by index; None where there is none."""
    for step in path:
        below: Node | None = None
        if isinstance(node, MapNode) and isinstance(step, str):
            below = node.entries.get(step)
        elif isinstance(node, ListNode) and isinstance(step, int) and step < len(node.items):
            below = node.items[step]
        if below is None:
            return None
        node = below
    return node


def put(node: Node, path: tuple[str | int, ...], value: Node) -> Node:
    """``node`` with ``value`` at ``path``, which leads to something that is there."""
    if not path:
        return value
    step, below = path[0], at(node, path[:1])
    assert below is not None  # noqa: S101 - see above
    inner = put(below, path[1:], value)
    if isinstance(node, ListNode):
        return replace(node, items=tuple(inner if n == step else item for n, item in enumerate(node.items)))
    assert isinstance(node, MapNode)  # noqa: S101 - a scalar has nothing below it
    return replace(node, entries={**node.entries, str(step): inner})


def dotted(path: tuple[str | int, ...]) -> str:
    r"""A path as ``--set`` has it: a dot inside a key is written ``\.``, an item of a list by its index.

    >>> dotted(("hosts", 0, "labels", "example.org/zone"))
    'hosts[0].labels.example\\.org/zone'
    """
    steps = (f"[{step}]" if isinstance(step, int) else "." + step.replace(".", "\\.") for step in path)
    return "".join(steps).removeprefix(".")


def without_nulls(node: Node) -> Node:
    """``node`` without what was deleted in it."""
    if not isinstance(node, MapNode):
        return node
    kept = {key: below for key, below in node.entries.items() if not is_null(below)}
    entries = {key: without_nulls(below) for key, below in kept.items()}
    return replace(node, entries=entries, keys={key: node.key_origin(key) for key in entries})


def text(node: Node | None, *path: str, default: str = "") -> str:
    """The string at ``path`` below ``node``; ``default`` where there is nothing, or null."""
    below = node.get(*path) if isinstance(node, MapNode) else None
    return str(below.value) if isinstance(below, ScalarNode) and below.value is not None else default


def flag(node: Node | None, *path: str, default: bool = False) -> bool:
    """The boolean at ``path`` below ``node``; ``default`` where there is nothing, or null."""
    below = node.get(*path) if isinstance(node, MapNode) else None
    return below.value if isinstance(below, ScalarNode) and isinstance(below.value, bool) else default


def is_null(node: Node) -> bool:
    """Whether ``node`` is null: a deletion, where it is laid over something."""
    return isinstance(node, ScalarNode) and node.value is None


def literal(value: Data, origin: Origin) -> Node:
    """``value`` as nodes that all originate at ``origin``: for what the compiler itself says on somebody's behalf."""
    match value:
        case dict():
            entries = {key: literal(below, origin) for key, below in value.items()}
            return MapNode(entries, origin, keys=dict.fromkeys(entries, origin))
        case list():
            return ListNode(tuple(literal(item, origin) for item in value), origin)
        case _:
            return ScalarNode(value, origin)
