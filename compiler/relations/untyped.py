"""Steps into data that nobody has checked: what is not there, or is something else, is empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from compiler.model.data import Data

Map: TypeAlias = Mapping[str, Data]


def mapping(data: Data | Map, *path: str) -> Map:
    """The map at ``path``, or an empty one.

    >>> mapping({"spec": {"template": {"a": 1}}}, "spec", "template"), mapping({"spec": None}, "spec")
    ({'a': 1}, {})
    """
    for key in path:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def items(data: Data | Map, *path: str) -> Iterator[Map]:
    """The maps in the list at ``path``.

    >>> list(items({"spec": {"volumes": [{"name": "a"}, 3]}}, "spec", "volumes"))
    [{'name': 'a'}]
    """
    last = mapping(data, *path[:-1]).get(path[-1])
    yield from (item for item in last if isinstance(item, dict)) if isinstance(last, list) else ()
