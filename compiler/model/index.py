"""The index of a tree, as far as the compiler reads it back: whose files they are, and what they held.

The whole format is published in ``schemas/index.v1.json``. What is read here are the parts that decide which files of
a directory, or of a commit, are ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from compiler.model.data import Data
from compiler.model.names import Digest, EnvironmentName, InstanceName

INDEX: Final = "index.json"
"""Where the index lies in a tree. It lists every other file."""

API_VERSION: Final = "oscompile/v1alpha1"
KIND: Final = "Index"
SCHEMA: Final = "index.v1"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a tree. ``instance`` is ``SITE`` for the site's own objects, None for a delivery document."""

    sha256: Digest
    instance: InstanceName | None


@dataclass(frozen=True, slots=True)
class LayerFile:
    """A file that a layer was read from."""

    layer: str
    file: str
    sha256: Digest


@dataclass(frozen=True, slots=True)
class Index:
    """What a tree says of itself. ``files`` are all but the index, by path."""

    site: EnvironmentName
    compiler: str
    layers: tuple[LayerFile, ...]
    files: Mapping[str, Entry]

    @property
    def paths(self) -> frozenset[str]:
        """Every file that is ours: those that the index lists, and the index."""
        return frozenset((*self.files, INDEX))


def read_index(content: bytes) -> Index:
    """The index in ``content``. Raises ``ValueError``, in words for people, for what is not an index of ours."""
    try:
        data: Data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON ({error})") from error
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise ValueError(f"it is not of kind `{KIND}`")
    if (data.get("apiVersion"), data.get("schema")) != (API_VERSION, SCHEMA):
        raise ValueError(f"it is not written in the schema `{SCHEMA}` of `{API_VERSION}`")
    try:
        return _index(data)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it does not follow the schema `{SCHEMA}`") from error


def _index(data: Mapping[str, object]) -> Index:
    index: Mapping[str, list[Mapping[str, str]]] = data  # type: ignore[assignment]  # any other shape raises
    objects = {
        entry["path"]: Entry(Digest(entry["sha256"]), InstanceName(entry["instance"])) for entry in index["objects"]
    }
    documents = {entry["path"]: Entry(Digest(entry["sha256"]), None) for entry in index["documents"]}
    layers = tuple(LayerFile(entry["layer"], entry["file"], Digest(entry["sha256"])) for entry in index["layers"])
    head: Mapping[str, Mapping[str, str]] = data  # type: ignore[assignment]
    return Index(EnvironmentName(head["site"]["name"]), head["compiler"]["version"], layers, {**objects, **documents})
