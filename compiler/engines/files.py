"""A repository's files become a revision, as an engine reads them from Git."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from compiler.documents import parse_stream
from compiler.engines.objects import Applied, read
from compiler.engines.revision import Revision
from compiler.errors import InputError
from compiler.model.manifest import ObjectId
from compiler.relations.untyped import Map, mapping

_SUFFIXES: Final = (".yaml", ".yml", ".json")
_SKIP: Final = "+argocd:skip-file-rendering"


def revision(name: str, files: Mapping[str, str]) -> Revision:
    """The commit ``name`` with these texts by path.

    A file that is no manifest is kept as an object without a kind, since engines fail on it.
    """
    objects: dict[str, tuple[Applied, ...]] = {}
    listings: dict[str, tuple[str, ...]] = {}
    for path, text in files.items():
        if not path.endswith(_SUFFIXES):
            continue
        contents = tuple(_contents(path, text))
        listing = next((each for each in contents if _is_listing(each)), None)
        if listing is not None:
            resources = listing.get("resources")
            listings[path] = tuple(str(each) for each in resources) if isinstance(resources, list) else ()
            continue
        objects[path] = tuple(read(each, path) for each in contents)
    return Revision(name, objects, frozenset(path for path, text in files.items() if _SKIP in text), listings)


def _contents(path: str, text: str) -> Iterator[Map]:
    try:
        found = [content for _, content in parse_stream(text, path)]
    except InputError:
        found = [{}]
    yield from (mapping({"it": content}, "it") for content in found)


def _is_listing(content: Map) -> bool:
    return str(content.get("apiVersion", "")).startswith("kustomize.config.k8s.io/")


def nothing(path: str) -> Applied:
    """What stands for a file that is no manifest."""
    return Applied(ObjectId("", "", "", ""), path)
