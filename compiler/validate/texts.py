"""The texts that programs in pods read: files of ConfigMaps and Secrets, variables, arguments; each with its place."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from compiler.model.data import Data
from compiler.model.manifest import Manifest
from compiler.relations.untyped import items, mapping
from compiler.validate.pods import Container, pod

if TYPE_CHECKING:
    from compiler.validate.rule import Subject

_ARGUMENTS: Final = ("command", "args")


@dataclass(frozen=True, slots=True)
class Text:
    """One of them: ``key`` is the name of the file or of the variable (empty for an argument), ``path`` leads to it."""

    manifest: Manifest
    path: tuple[str | int, ...]
    key: str
    content: str


def texts(subject: Subject) -> Iterator[Text]:
    """Every text of what ``subject`` rendered."""
    for manifest in subject.bundle.manifests:
        for key, content in files(manifest.id.kind, subject.data(manifest)).items():
            yield Text(manifest, place(manifest.id.kind, subject.data(manifest), key), key, content)
        found = pod(manifest.id.group, manifest.id.kind, subject.data(manifest))
        for container in found.containers if found is not None else ():
            yield from _of_container(manifest, container)


def files(kind: str, data: Mapping[str, Data]) -> dict[str, str]:
    """Every text of a ConfigMap or a Secret by its key; nothing of other kinds."""
    if kind not in {"ConfigMap", "Secret"}:
        return {}
    whole = dict(data)
    encoded = {key: _decoded(text) for key, text in mapping(whole, "data").items()} if kind == "Secret" else {}
    plain = mapping(whole, "stringData" if kind == "Secret" else "data")
    return {key: text for key, text in {**encoded, **plain}.items() if isinstance(text, str)}


def place(kind: str, data: Mapping[str, Data], key: str) -> tuple[str, str]:
    """Where the text ``key`` of a ConfigMap or a Secret stands."""
    return ("stringData" if kind == "Secret" and key in mapping(dict(data), "stringData") else "data", key)


def _decoded(text: Data) -> str | None:
    """What base64 holds, where it is text."""
    try:
        return base64.b64decode(text).decode() if isinstance(text, str) else None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _of_container(manifest: Manifest, container: Container) -> Iterator[Text]:
    for number, variable in enumerate(items(container.spec, "env")):
        value = variable.get("value")
        if isinstance(value, str):
            yield Text(manifest, (*container.path, "env", number, "value"), str(variable.get("name")), value)
    for key in _ARGUMENTS:
        listed = container.spec.get(key)
        for number, argument in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(argument, str):
                yield Text(manifest, (*container.path, key, number), "", argument)
