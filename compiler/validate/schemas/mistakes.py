"""What a validator found, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from compiler.documents.schema import nearest
from compiler.model.data import Data
from compiler.relations.untyped import Map
from compiler.validate.schemas.built_in import Form

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

_NOUNS: Final = {
    "object": "a map",
    "array": "a list",
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "a boolean",
    "null": "null",
}
_FEW: Final = 12
_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Mistake:
    """One field that is not what its schema says: where, what it must be, what it is, what to try."""

    path: tuple[str | int, ...]
    message: str
    hint: str = ""


def mistakes(form: Form, document: Map) -> Iterator[Mistake]:
    """Every way in which ``document`` is not what ``form`` says."""
    for error in form.validator.iter_errors(dict(document)):
        yield from _explained(form, error)


def _explained(form: Form, error: ValidationError) -> Iterator[Mistake]:
    path, kind = tuple(error.instance_path), cast("Any", error.kind)
    value = cast("Data", error.instance)
    where = f"`{_written(path)}`" if path else "it"
    match kind.name:
        case "additionalProperties":
            known = list(_at(form, error.schema_path[:-1]).get("properties", {}))
            for key in kind.unexpected:
                hint = nearest(key, known) if known else "remove it"
                few = hint if len(known) <= _FEW or not hint.startswith("one of ") else "remove it"
                yield Mistake((*path, key), f"{where} has no field `{key}`" if path else f"has no field `{key}`", few)
        case "required":
            yield Mistake(
                path, f"{where} must have the field `{kind.property}`, but has not", f"`{kind.property}: ...`"
            )
        case "type":
            wanted = " or ".join(_NOUNS.get(name, name) for name in kind.types if name != "null")
            yield Mistake(path, f"{where} must be {wanted}, but is {_shown(value)}", _quotes(kind.types))
        case "enum":
            names = [str(option) for option in kind.options]
            given = str(value)
            yield Mistake(
                path, f"{where} must be one of those it can be, but is {_shown(given)}", nearest(given, names)
            )
        case "oneOf" | "anyOf":
            wanted = " or ".join(dict.fromkeys(_alternatives(kind)))
            message = f"{where} must be {wanted}" if wanted else f"{where} must fit one of its forms, and does not"
            yield Mistake(path, f"{message}, but is {_shown(value)}" if wanted else message)
        case _:
            yield Mistake(path, f"{where} is not what its schema says: {error.message}")


def _alternatives(kind: Any) -> Iterator[str]:  # noqa: ANN401 - its attributes depend on the keyword that failed
    for branch in getattr(kind, "context", ()):
        for error in branch:
            if error.kind.name == "type":
                yield from (_NOUNS.get(name, name) for name in error.kind.types if name != "null")


def _at(form: Form, path: list[str | int]) -> dict[str, Any]:
    """The schema that ``path`` leads to; what is shared by all kinds stands among the definitions."""
    node: Any = form.definitions if path and path[0] == "$defs" else form.schema
    for step in path:
        node = node[step]
    return dict(node)


def _quotes(types: list[str]) -> str:
    return "quotes" if "string" in types and "object" not in types else ""


def _shown(value: Data) -> str:
    match value:
        case dict():
            return "a map"
        case list():
            return "a list"
        case None:
            return "null"
        case bool():
            return f"the boolean `{str(value).lower()}`"
        case str():
            return f'the string "{value if len(value) <= _SHOWN else value[: _SHOWN - 3] + "..."}"'
        case _:
            return f"the number `{value}`"


def _written(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
