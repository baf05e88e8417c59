"""Where in the repository an object comes from: the place that an edge of its is said at."""

from __future__ import annotations

from compiler.model.instance import Instance
from compiler.model.manifest import Manifest
from compiler.model.names import InstanceName
from compiler.model.node import Origin
from compiler.model.site import Site


class Places:
    """Where in the repository an object comes from."""

    def __init__(self, site: Site, instances: tuple[Instance, ...]) -> None:
        self._site = Origin(site.file)
        self._instances = {instance.name: instance for instance in instances}

    def declaration(self, name: InstanceName) -> Origin:
        """Where the instance is declared; the site's own file, for the site."""
        instance = self._instances.get(name)
        return instance.origin if instance else self._site

    def template(self, manifest: Manifest, name: InstanceName) -> Origin:
        """The template that rendered ``manifest``."""
        instance = self._instances.get(name)
        below = manifest.template.partition("/")[2]
        return Origin(f"{instance.chart.path}/{below}") if instance and below else self.declaration(name)
