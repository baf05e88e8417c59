"""The schemas of custom kinds, from the CustomResourceDefinitions that declare them.

Source: Kubernetes, "Extend the Kubernetes API with CustomResourceDefinitions" (structural schemas, pruning, the
extensions ``x-kubernetes-...``). Rules in CEL (``x-kubernetes-validations``) are the cluster's to evaluate.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeAlias, cast

from compiler.documents import parse_stream
from compiler.errors import Collector, InputError
from compiler.model.data import Data, canonical
from compiler.model.diagnostic import Diagnostic
from compiler.model.node import Origin
from compiler.relations.untyped import Map, items, mapping
from compiler.validate.schemas.built_in import Form

_DEFINITION: Final = "CustomResourceDefinition"
_OPEN: Final = "x-kubernetes-preserve-unknown-fields"
_ALIKE: Final = "x-kubernetes-int-or-string"
_OBJECT_MARK: Final = "x-kubernetes-embedded-resource"
_OBJECT: Final[Mapping[str, Any]] = {"apiVersion": {}, "kind": {}, "metadata": {}}
_NESTED: Final = ("properties", "patternProperties")
_LISTS: Final = ("allOf", "anyOf", "oneOf")

Served: TypeAlias = Mapping[str, str]
"""The schema of each served version, as text, by ``group/version/kind``."""


@dataclass(frozen=True, slots=True)
class Definitions:
    """Custom kinds and their schemas."""

    served: Served

    @property
    def text(self) -> str:
        """The same as one text, to be kept and compared."""
        return canonical(cast("Data", dict(self.served)))

    @classmethod
    def of_text(cls, text: str) -> Definitions:
        """What ``text`` was made of."""
        return cls(_served_in(text))

    def form(self, api_version: str, kind: str) -> Form | None:
        """The schema of ``kind``; None where nothing declares it, or what declares it is no schema (see ``broken``)."""
        text = self.served.get(f"{api_version}/{kind}")
        made = None if text is None else _form(text)
        return made if isinstance(made, Form) else None

    def broken(self) -> Iterator[tuple[str, str]]:
        """Each ``group/version/kind`` whose schema is none, and why."""
        for key, text in self.served.items():
            made = _form(text)
            if isinstance(made, str):
                yield key, made


NO_DEFINITIONS: Final = Definitions({})
"""None at all."""


def read(files: Iterable[tuple[str, str]]) -> Definitions:
    """The definitions in ``files`` (name and text).

    Raises ``InputError`` for what is not YAML or no CustomResourceDefinition, and for a schema that is not one.
    """
    served: dict[str, str] = {}
    mistakes = Collector()
    for name, text in files:
        with mistakes.attempt():
            for line, data in parse_stream(text, name):
                served |= _checked(data, Origin(name, line))
    mistakes.stop()
    return Definitions(served)


def rendered(documents: Iterable[Map]) -> Definitions:
    """The definitions among rendered objects."""
    return Definitions({key: text for each in documents for key, text in _served(each)})


@cache
def _served_in(text: str) -> Served:
    return cast("Served", json.loads(text))


def _checked(data: Data, origin: Origin) -> Served:
    document = data if isinstance(data, dict) else {}
    if document.get("kind") != _DEFINITION:
        found = f"a {document['kind']}" if isinstance(document.get("kind"), str) else "something else"
        message = f"the file must hold CustomResourceDefinitions alone, but here is {found}"
        raise InputError([Diagnostic(message, origin, "move it out of the folder of definitions")])
    served = dict(_served(document))
    for key, why in Definitions(served).broken():
        message = f"the schema of `{key}` must be a JSON schema, but is not: {why}"
        raise InputError([Diagnostic(message, origin, "the definition as its project publishes it")])
    return served


def _served(document: Map) -> Iterator[tuple[str, str]]:
    spec = mapping(document, "spec")
    group, kind = spec.get("group"), mapping(spec, "names").get("kind")
    for version in items(spec, "versions"):
        schema = mapping(version, "schema", "openAPIV3Schema")
        if version.get("served") is not False and schema:
            yield f"{group}/{version.get('name')}/{kind}", canonical(strict({**schema, _OBJECT_MARK: True}))


def strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    """``schema`` as JSON Schema that refuses what the cluster would silently drop.

    >>> strict({"type": "object", "properties": {"port": {"x-kubernetes-int-or-string": True}}})
    ... # doctest: +NORMALIZE_WHITESPACE
    {'type': 'object', 'properties': {'port': {'type': ['integer', 'string', 'null']}}, 'additionalProperties': False}
    """
    made = {key: value for key, value in schema.items() if not key.startswith("x-kubernetes-") and key != "format"}
    for key in _NESTED:
        if isinstance(made.get(key), Mapping):
            made[key] = {name: strict(below) for name, below in made[key].items()}
    for key in _LISTS:
        if isinstance(made.get(key), list):
            made[key] = [_loose(below) for below in made[key]]
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), Mapping):
            made[key] = strict(made[key])
    return _closed(schema, made)


def _closed(schema: Mapping[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    if schema.get(_ALIKE):
        made.pop("anyOf", None)
        return {**made, "type": ["integer", "string", "null"]}
    if schema.get(_OBJECT_MARK) and "properties" in made:
        made["properties"] = {**_OBJECT, **made["properties"]}
    if "properties" in made and "additionalProperties" not in made and not schema.get(_OPEN):
        made["additionalProperties"] = False
    if isinstance(made.get("type"), str) and made.pop("nullable", False):
        made["type"] = [made["type"], "null"]
    return made


def _loose(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What stands under ``allOf`` and its like only narrows what stands beside it: it closes nothing."""
    return {key: value for key, value in schema.items() if not key.startswith("x-kubernetes-")}


@cache
def _form(text: str) -> Form | str:
    """The compiled schema, or why it is none."""
    from jsonschema_rs import Draft202012Validator  # noqa: PLC0415 - a compile from the cache has no use for it

    schema = json.loads(text)
    try:
        return Form(Draft202012Validator(schema), schema, {})
    except ValueError as error:
        return str(error).partition("\n")[0]
