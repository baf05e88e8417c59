"""Lay every layer of an environment over the others: the site that they come to."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from compiler.documents.schema import FORGETFUL, Memory
from compiler.errors import collecting
from compiler.layers import structure, values
from compiler.layers.charts import Library, Shelf, nothing_vendored
from compiler.layers.check import HEAD, check
from compiler.layers.declarations import Stack, declare
from compiler.layers.merge import Law
from compiler.layers.overlays import Overlays
from compiler.layers.remotes import remotes
from compiler.layers.topology import topology
from compiler.model.names import LayerName
from compiler.model.node import MapNode, Node, Origin, flag
from compiler.model.remote import Remote
from compiler.model.site import Environment, Setting, Site

_FORMS: Final = {"Environment": "environment.v1", "Overlay": "overlay.v1"}


def elsewhere(environment: Environment) -> tuple[Remote, ...]:
    """Every chart of elsewhere that the instances of ``environment`` use, in order.

    No chart is read for it. Raises ``InputError`` with every address and version that is none.
    """
    with collecting() as mistakes:
        return remotes(_document(environment, Law(mistakes)), mistakes)


def merge(
    environment: Environment,
    settings: tuple[Setting, ...] = (),
    memory: Memory = FORGETFUL,
    shelf: Shelf = nothing_vendored,
) -> Site:
    """The site that ``environment`` describes, with ``settings`` laid over the values of its instances.

    The values of an instance are, lowest first: the chart's own; ``global``, which ``site`` and ``development`` make;
    of each document of the environment in turn ``defaults[chart]``, then ``instances[name].values``; the component
    overlays that the instance lists, in its order; ``settings``. How one is laid over another is the law of
    ``merge.py``. The site's ``document`` is everything else that the documents say, by the same law. ``shelf`` has the
    charts of elsewhere.

    Promises that every value knows its origin and what it overrode. Raises ``InputError`` with every mistake: first
    those of the documents as such (structure, unknown keys, tags), then those of what they come to.
    """
    with collecting() as mistakes:
        for source in environment.sources:
            form = _FORMS[str(source.document.entries["kind"].data())]
            check(source.document, form, memory, mistakes)
    with collecting() as mistakes:
        law = Law(mistakes)
        document = _document(environment, law)
        globals_ = structure.globals_of(document)
        stack = Stack(
            library=Library(environment.repository, shelf),
            overlays=Overlays(environment.repository, memory),
            sources=environment.sources,
            common=MapNode({"global": globals_}, globals_.origin),
            defaults=values.defaults(environment.sources),
            own=values.of_instances(environment.sources),
            settings=settings,
        )
        return Site(
            name=environment.name,
            repository=environment.repository,
            file=environment.file,
            document=document,
            kubernetes=structure.kubernetes(document, mistakes),
            secrets=structure.secrets(document, mistakes),
            delivery=structure.delivery(document, environment.name, mistakes),
            globals=globals_,
            topology=topology(document, mistakes),
            declarations=declare(document, stack, law),
            development=flag(document, "development"),
            layers=tuple(source.layer for source in environment.sources),
            waivers=structure.waivers(document, mistakes),
            registries=structure.registries(document),
            existing=structure.existing(document),
        )


def _document(environment: Environment, law: Law) -> MapNode:
    """All documents merged, but for their heads and for the values of charts, which have an order of their own."""
    merged: Node = MapNode({}, Origin(environment.file, layer=LayerName(environment.name)))
    for source in environment.sources:
        merged = law.over(merged, _without_values(source.document))
    assert isinstance(merged, MapNode)  # noqa: S101 - a map laid over a map is one
    return merged


def _without_values(document: MapNode) -> MapNode:
    rest = _without(document, HEAD | {"defaults"})
    instances = rest.entries.get("instances")
    if not isinstance(instances, MapNode):
        return rest
    bare = {
        name: _without(node, frozenset({"values"})) if isinstance(node, MapNode) else node
        for name, node in instances.entries.items()
    }
    return replace(rest, entries={**rest.entries, "instances": replace(instances, entries=bare)})


def _without(node: MapNode, keys: frozenset[str]) -> MapNode:
    return replace(node, entries={key: below for key, below in node.entries.items() if key not in keys})
