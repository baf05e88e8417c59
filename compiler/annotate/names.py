"""Names and paths of the objects that deliver a site."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath
from typing import Final

from compiler.model.instance import SITE
from compiler.model.names import EnvironmentName, InstanceName
from compiler.model.plan import Vertex
from compiler.model.site import Site

NAME_LIMIT: Final = 63
"""Both engines write the name into a label of every object, and a label's value has at most 63 characters."""

_KEPT: Final = NAME_LIMIT - 9


def delivery_name(site: EnvironmentName, *parts: str) -> str:
    """The name of a delivery object: the parts, joined by dots.

    No part holds a dot, so different parts never give one name; what does not fit ends in a digest of the whole.

    >>> delivery_name(EnvironmentName("site-a"), "keystone", "api")
    'site-a.keystone.api'
    >>> delivery_name(EnvironmentName("site-a"), "keystone", "x" * 60)
    'site-a.keystone.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-2f859b6d'
    """
    name = ".".join((site, *parts))
    if len(name) <= NAME_LIMIT:
        return name
    return f"{name[:_KEPT].rstrip('-.')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def application_name(site: EnvironmentName, instance: InstanceName) -> str:
    """The name of the Application of an instance, or of the site's own objects.

    >>> application_name(EnvironmentName("site-a"), InstanceName("keystone"))
    'site-a.keystone'
    """
    return delivery_name(site, "site", "objects") if instance == SITE else delivery_name(site, instance)


def kustomization_name(site: EnvironmentName, vertex: Vertex) -> str:
    """The name of the Kustomization of a vertex. It depends on nothing but the vertex (see ``flux``).

    >>> from compiler.model.names import ComponentName
    >>> kustomization_name(EnvironmentName("site-a"), Vertex(InstanceName("keystone"), ComponentName("api")))
    'site-a.keystone.api'
    """
    parts = (vertex.instance, vertex.component or "objects", vertex.consumer)
    return delivery_name(site, *(part for part in parts if part))


def below_output(site: Site, *parts: str) -> str:
    """A path of the repository, below the output directory."""
    return PurePosixPath(site.delivery.output, *parts).as_posix()
