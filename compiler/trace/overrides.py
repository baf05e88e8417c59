"""What the layers above a chart set, and what would be there without them."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from compiler.model.data import Data
from compiler.model.instance import Instance
from compiler.model.node import MapNode, Node, at, is_null, leaves
from compiler.model.site import Declaration, Site
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


def without(values: MapNode, instance: Instance, removed: Iterable[Override]) -> dict[str, Data]:
    """The finished values as they were without those overrides: the chart's defaults, or nothing."""
    data: Any = copy.deepcopy(values.data())
    for override in removed:
        above = _above(data, override.path)
        if override.default is not None:
            above[override.path[-1]] = override.default.data()
            continue
        above.pop(override.path[-1], None)
        _prune(data, values, instance, override.path[:-1])
    return dict(data)


def _above(data: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - plain data
    for step in path[:-1]:
        data = data.setdefault(step, {})
    return data


def _prune(data: Any, values: MapNode, instance: Instance, path: tuple[str, ...]) -> None:  # noqa: ANN401 - as above
    """Take away maps that are empty now, and that only a layer made."""
    node = at(values, path)
    if not path or node is None or of_chart(instance, node):
        return
    above = _above(data, path)
    if above.get(path[-1]) == {}:
        del above[path[-1]]
        _prune(data, values, instance, path[:-1])
