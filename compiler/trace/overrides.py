"""What the layers above a chart set, and what would be there without them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from compiler.model.instance import Instance
from compiler.model.node import MapNode, Node, at, is_null, leaves
from compiler.model.site import Declaration, Site
from compiler.trace.dead import Removal
from compiler.trace.supply import lost, of_chart

_ROOT: Final = "#/"


@dataclass(frozen=True, slots=True)
class Override:
    """A value that a layer above the chart's own sets. ``default`` is the chart's, None where it has none there."""

    path: tuple[str, ...]
    node: Node
    default: Node | None

    @property
    def changes(self) -> bool:
        """Whether it says anything else than the chart's default does."""
        return self.default is None or self.default.data() != self.node.data()


def overrides(site: Site, declaration: Declaration, instance: Instance) -> Iterator[Override]:
    """Everything that somebody set for ``instance`` and that no schema of its chart vouches for.

    What the site says to every chart and what the compiler writes (bindings) is nobody's override.
    """
    schema = json.loads(instance.chart.schema) if instance.chart.schema is not None else {}
    for path, node in leaves(declaration.values):
        ours = path[0] == "global" and at(site.globals, path[1:]) is node if path else True
        if ours or of_chart(instance, node) or at(instance.values, path) is not node:
            continue
        above = at(declaration.values, path[:-1])
        if is_null(node) and above is not None and node.origin == above.origin:
            continue  # the rest of a map that was replaced as a whole
        if not declared(schema, path):
            yield Override(path, node, default_at(declaration.values, instance, path))


def default_at(values: MapNode, instance: Instance, path: tuple[str, ...]) -> Node | None:
    """What the chart's own values have at ``path``, whatever lies over it; None where they have nothing."""
    own = at(values, path)
    standing = (*((own,) if own is not None else ()), *lost(values, path))
    return next((node for node in standing if of_chart(instance, node)), None)


def declared(schema: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    """Whether ``schema`` names the value at ``path``, or refuses it: a typo there cannot be silent.

    >>> strict = {"properties": {"a": {"properties": {"b": {}}}}, "additionalProperties": False}
    >>> declared(strict, ("a", "b")), declared(strict, ("a", "c")), declared(strict, ("d",)), declared({}, ("a",))
    (True, False, True, False)
    """
    node: Any = schema
    for step in path:
        node = _referred(schema, node)
        known = node.get("properties", {}) if isinstance(node, dict) else {}
        if step not in known:
            return isinstance(node, dict) and node.get("additionalProperties") is False
        node = known[step]
    return True


def _referred(schema: Mapping[str, Any], node: Any) -> Any:  # noqa: ANN401 - a part of a JSON schema
    """``node``, or what it refers to inside the schema."""
    reference = node.get("$ref") if isinstance(node, dict) else None
    if not (isinstance(reference, str) and reference.startswith(_ROOT)):
        return node
    found: Any = schema
    for step in reference.removeprefix(_ROOT).split("/"):
        found = found.get(step) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def removal(values: MapNode, instance: Instance, one: Override, shown: tuple[str, ...] = ()) -> Removal:
    """What it means to take ``one`` out; ``values`` are those of its declaration, with all that lies under them."""
    default = () if one.default is None else (one.default.data(),)
    return Removal(one.path, default, tuple(_around(values, instance, one.path)), shown)


def _around(values: MapNode, instance: Instance, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The maps above, from the inside out, that only a layer made."""
    for length in range(len(path) - 1, 0, -1):
        node = at(values, path[:length])
        if node is None or of_chart(instance, node):
            return
        yield path[:length]
