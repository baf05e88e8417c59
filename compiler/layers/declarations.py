"""The instances that the layers declare, each with its finished values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from compiler.documents.schema import nearest
from compiler.errors import Collector
from compiler.layers.charts import CHARTS, Library, Shelved
from compiler.layers.merge import Law
from compiler.layers.overlays import Overlays, layer
from compiler.layers.settings import apply
from compiler.layers.structure import place
from compiler.layers.values import Said, finished, idle, in_order
from compiler.model.names import InstanceName, NamespaceName
from compiler.model.node import ListNode, MapNode, Node, Origin, flag, text
from compiler.model.site import Declaration, Setting, Source

_NAMESPACE: Final = "openstack"
_RESERVED: Final = frozenset({"argocd", "flux"})
"""The output keeps the delivery objects in folders of these names, where a namespace's would be."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that the values of instances are made of. ``common`` lies right above the chart's own values."""

    library: Library
    overlays: Overlays
    sources: tuple[Source, ...]
    common: MapNode
    defaults: Said
    own: Said
    settings: tuple[Setting, ...] = ()


def declare(document: MapNode, stack: Stack, law: Law) -> tuple[Declaration, ...]:
    """Every instance of the merged ``document``, in order of name.

    What is wrong is noted in the law's mistakes: an instance without a chart, an unknown chart or overlay, defaults for
    a chart that does not exist, a setting for an instance that does not exist, a namespace that is not allowed.
    """
    instances = document.get("instances")
    entries = instances.entries if isinstance(instances, MapNode) else {}
    declared = {InstanceName(name): node for name, node in sorted(entries.items()) if isinstance(node, MapNode)}
    found: list[Declaration] = []
    for name, node in declared.items():
        with law.mistakes.attempt():
            found += _declared(document, name, node, stack, law)
    _note_unknown_charts(stack, found, law.mistakes)
    for setting in stack.settings:
        if setting.instance not in declared:
            message = f"`--set` names the instance `{setting.instance}`, but the site has none of that name"
            law.mistakes.add(message, setting.value.origin, nearest(setting.instance, [str(name) for name in declared]))
    return tuple(found)


def _declared(document: MapNode, name: InstanceName, node: MapNode, stack: Stack, law: Law) -> Iterator[Declaration]:
    origin = _origin(document, name)
    reference = node.entries.get("chart")
    if reference is None or not reference.data():
        law.mistakes.add(f"the instance `{name}` must have a `chart`, but has none", origin, "`chart: ...`")
        return
    chart = stack.library.chart(reference, place(node, "chart"))
    overlays = _overlays(node)
    bindings = node.entries.get("bindings")
    values = _values(name, chart, overlays, stack, law)
    yield Declaration(
        name=name,
        namespace=_namespace(document, name, node, law.mistakes),
        chart=chart.name,
        chart_path=chart.path,
        values=finished(values, chart),
        origin=origin,
        default=flag(node, "default"),
        bindings=bindings.entries if isinstance(bindings, MapNode) else {},
        overlays=tuple(layer(chart.name, str(item.data())) for item in overlays),
        idle=tuple(idle(values, chart)),
    )


def _origin(document: MapNode, name: InstanceName) -> Origin:
    instances = document.get("instances")
    return instances.key_origin(name) if isinstance(instances, MapNode) else document.origin


def _overlays(node: MapNode) -> tuple[Node, ...]:
    listed = node.entries.get("overlays")
    return listed.items if isinstance(listed, ListNode) else ()


def _namespace(document: MapNode, name: InstanceName, node: MapNode, mistakes: Collector) -> NamespaceName:
    default = text(document, "namespace", default=_NAMESPACE)
    namespace = text(node, "namespace", default=default)
    if namespace in _RESERVED:
        written = node if node.get("namespace") is not None and text(node, "namespace") else document
        message = f"the namespace of `{name}` must not be `{namespace}`: the output keeps its delivery objects there"
        mistakes.add(message, place(written, "namespace"), f"`{_NAMESPACE}`")
    return NamespaceName(namespace)


def _values(name: InstanceName, chart: Shelved, overlays: tuple[Node, ...], stack: Stack, law: Law) -> Node:
    values: Node = law.over(chart.values, stack.common, "values")
    for said in in_order(stack.defaults.get(chart.name, ()), stack.own.get(name, ())):
        values = law.over(values, said, "values")
    for item in overlays:
        with law.mistakes.attempt():
            values = law.over(values, stack.overlays.values(chart.name, str(item.data()), item.origin), "values")
    for setting in stack.settings:
        if setting.instance == name and isinstance(values, MapNode):
            with law.mistakes.attempt():
                values = apply(values, setting, law)
    return values


def _note_unknown_charts(stack: Stack, found: list[Declaration], mistakes: Collector) -> None:
    """Defaults for a chart that is there but unused are fine: a base knows more charts than each site uses."""
    known = {*stack.library.names(), *(declaration.chart for declaration in found)}
    for source in stack.sources:
        defaults = source.document.entries.get("defaults")
        if not isinstance(defaults, MapNode):
            continue
        for chart in sorted(defaults.entries.keys() - known):
            message = f"`defaults` has values for the chart `{chart}`, but there is no such chart in `{CHARTS}/`"
            mistakes.add(message, defaults.key_origin(chart), nearest(chart, sorted(known)))
