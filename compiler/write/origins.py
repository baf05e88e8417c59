"""Where every value that is not a chart's own default was set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from compiler.model.instance import Instance
from compiler.model.node import MapNode, Node, dotted, leaves
from compiler.model.site import Site

_WRITTEN_BY_THE_COMPILER: Final = "consumers"


class Origins:
    """The places that speak in a site, gathered once.

    A value is overridden when the place that set it is not a file of the chart. The site's ``global`` values reach
    every chart; they are listed once, for the site, and for an instance only where it sets them otherwise.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.globals = {("global", *path): leaf.origin for path, leaf in leaves(site.globals)}
        self.heard = set(_places(site.document)) | set(_places(site.globals))
        for declaration in site.declarations:
            own = f"{declaration.chart_path}/"
            self.heard.update(place for place in _places(declaration.values) if not place[1].startswith(own))

    def of_site(self) -> Mapping[str, str]:
        """The path of each global value, and the place that set it."""
        return {dotted(path): str(origin) for path, origin in self.globals.items()}

    def of_instance(self, instance: Instance) -> Mapping[str, str]:
        """The path of each overridden value, and the place that set it. Bindings are told elsewhere."""
        own = f"{instance.chart.path}/"
        bound = {("bindings", binding.requirement.name) for binding in instance.bindings}
        return {
            dotted(path): str(leaf.origin)
            for path, leaf in leaves(instance.values)
            if not leaf.origin.file.startswith(own)
            and path[:1] != (_WRITTEN_BY_THE_COMPILER,)
            and path[:2] not in bound
            and self.globals.get(path) != leaf.origin
        }

    def layers(self) -> tuple[tuple[str, str], ...]:
        """Every layer that said something, and in which file: the site's in their order, then those of instances."""
        ranks: dict[str, int] = {layer: rank for rank, layer in enumerate(self.site.layers)}
        files = {place for place in self.heard if place[0] and (self.site.repository / place[1]).is_file()}
        return tuple(sorted(files, key=lambda place: (ranks.get(place[0], len(ranks)), place)))


def _places(node: Node) -> Iterator[tuple[str, str]]:
    """The layer and file of ``node``, of what it overrode, and of everything below both."""
    for heard in (node, *node.overrode):
        yield heard.origin.layer, heard.origin.file
    if isinstance(node, MapNode):
        for below in node.entries.values():
            yield from _places(below)
