"""A document against its JSON Schema, every mistake with its place and a suggestion."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from compiler.documents.verdict import fits
from compiler.model.data import canonical, digest
from compiler.model.diagnostic import Diagnostic
from compiler.model.names import Digest
from compiler.model.node import ListNode, MapNode, Node, Origin, describe

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

_Error: TypeAlias = Any
"""A ``jsonschema.ValidationError``: the types of its fields depend on the keyword that failed."""

_SCHEMAS: Final = Path(__file__).parent.parent / "model" / "schemas"
_NOUNS: Final = {
    "object": "a map",
    "array": "a list",
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "a boolean",
    "null": "null",
}
_MOST: Final = 1000
"""How many mistakes of one document are explained."""

_BRANCHES: Final = frozenset({"anyOf", "oneOf"})


@cache
def published(name: str) -> dict[str, Any]:
    """The schema ``name`` that the compiler ships (``environment.v1``, ``component.v1``, ...)."""
    return cast("dict[str, Any]", json.loads((_SCHEMAS / f"{name}.json").read_text(encoding="utf-8")))


def names() -> tuple[str, ...]:
    """The schemas that the compiler ships, in order."""
    return tuple(sorted(path.name.removesuffix(".json") for path in _SCHEMAS.glob("*.json")))


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of earlier compiles: which documents were found valid. Without one, each is checked again."""

    known_good: Callable[[Digest], bool] = lambda _: False
    remember: Callable[[Digest], None] = lambda _: None


FORGETFUL: Final = Memory()


def check(node: Node, schema: Mapping[str, Any], subject: str, memory: Memory = FORGETFUL) -> tuple[Diagnostic, ...]:
    """Every way in which ``node`` breaks ``schema``, in order of place; none where it is valid.

    ``subject`` names the document where a message speaks of its top (``the environment``). A place is that of the key
    or value at fault, never only that of the document. What ``memory`` knows to be valid is not checked again, what
    ``verdict`` finds valid not explained: a warm compile loads neither validator. The key of ``memory`` covers the
    schema, so another schema is another question.
    """
    text, data = canonical(dict(schema)), node.data()
    key = digest(f"{text}\0{canonical(data)}")
    if memory.known_good(key):
        return ()
    if fits(data, text):
        memory.remember(key)
        return ()
    errors = _validator(text).iter_errors(data)
    found = {told for error in islice(errors, _MOST) for told in _explain(error, node, subject)}
    if not found:
        memory.remember(key)
    more = next(errors, None) is not None
    return (*sorted(found, key=Diagnostic.sort_key), *(_and_more(node, subject) if more else ()))


def _and_more(node: Node, subject: str) -> tuple[Diagnostic, ...]:
    """What is said where there are more mistakes than anybody reads: each takes a search for its place."""
    message = f"{subject} has more mistakes of this kind: the first {_MOST} are told"
    return (Diagnostic(message, Origin(node.origin.file), "mend these first"),)


def nearest(wanted: str, known: Iterator[str] | list[str]) -> str:
    """What ``wanted`` was probably meant to be, as a hint: the nearest of ``known``, or else all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(wanted, names, n=1, cutoff=0.6)
    if close:
        return f"`{close[0]}`"
    if not names:
        return "remove it"
    return ("one of " if len(names) > 1 else "") + ", ".join(f"`{name}`" for name in names)


@cache
def _validator(schema: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - a fifth of a second that a valid, known site saves

    return Draft202012Validator(json.loads(schema))


def _explain(error: _Error, node: Node, subject: str) -> Iterator[Diagnostic]:
    if error.validator in _BRANCHES and error.context:
        yield from _explain(_closest(error), node, subject)
        return
    path = tuple(error.absolute_path)
    at, shown = _at(node, path), _shown(path, subject)
    match error.validator:
        case "additionalProperties" | "unevaluatedProperties":
            yield from _unknown_keys(error, at, shown)
        case "required":
            missing = [
                key for key in error.validator_value if isinstance(error.instance, dict) and key not in error.instance
            ]
            for key in missing:
                yield Diagnostic(f"{shown} must have the key `{key}`, but does not", at.origin, f"`{key}: ...`")
        case _ if isinstance(at, MapNode) and isinstance(error.instance, str):
            # What is at fault is no value but one of the keys (`propertyNames`).
            key = error.instance
            message = f"the key `{key}` of {shown} must be {_expected(error)}"
            yield Diagnostic(message, at.key_origin(key) if key in at.entries else at.origin)
        case _:
            message = f"{shown} must be {_expected(error)}, but is {describe(at)}"
            yield Diagnostic(message, at.origin, _hint(error))


def _closest(error: _Error) -> _Error:
    """The branch of an anyOf/oneOf that came furthest: the one whose failure lies deepest, or whose type fits."""

    def rank(branch: _Error) -> tuple[int, bool]:
        return (len(branch.absolute_path), branch.validator != "type")

    return max(error.context, key=rank)


def _unknown_keys(error: _Error, at: Node, shown: str) -> Iterator[Diagnostic]:
    known = dict(error.schema.get("properties", {}))
    patterns = list(error.schema.get("patternProperties", {}))
    keys = at.entries if isinstance(at, MapNode) else {}
    for key in keys:
        if key not in known and not any(re.search(pattern, key) for pattern in patterns):
            origin = at.key_origin(key) if isinstance(at, MapNode) else at.origin
            yield Diagnostic(f"{shown} has no key `{key}`", origin, nearest(key, list(known)))


def _expected(error: _Error) -> str:
    return _limit(error) or _description(error) or f"valid ({error.message})"


def _limit(error: _Error) -> str:
    value = error.validator_value
    match error.validator:
        case "type":
            return " or ".join(_NOUNS[kind] for kind in _said(value if isinstance(value, list) else [value], "null"))
        case "enum":
            return "one of " + ", ".join(f"`{json.dumps(item)}`" for item in _said(value, None))
        case "const":
            return f"`{json.dumps(value)}`"
        case "minimum" | "maximum":
            return f"at {'least' if error.validator == 'minimum' else 'most'} {value}"
        case _:
            return ""


def _said(choices: list[Any], nothing: str | None) -> list[Any]:
    """What to choose from, without null, which deletes: somebody who wrote a wrong value did not mean that."""
    return [choice for choice in choices if choice != nothing] or choices


def _description(error: _Error) -> str:
    match error.validator:
        case "minLength" if error.validator_value > 1:
            return f"at least {error.validator_value} characters"
        case "minLength" | "minItems" | "minProperties":
            return "longer" if error.validator_value > 1 else "not empty"
        case "uniqueItems":
            return "a list without repetition"
        case "pattern":
            return str(error.schema.get("description") or f"a match of /{error.validator_value}/").rstrip(".")
        case "not":
            return str(error.schema.get("description") or "something else").rstrip(".")
        case _:
            return ""


def _hint(error: _Error) -> str:
    if error.validator == "enum" and isinstance(error.instance, str):
        return nearest(error.instance, [str(item) for item in _said(error.validator_value, None)])
    if error.validator == "type" and error.validator_value == "string" and not isinstance(error.instance, dict | list):
        return f'quotes: "{json.dumps(error.instance)}"'
    examples = error.schema.get("examples")
    return f"`{examples[0]}`" if examples else ""


def _at(node: Node, path: tuple[str | int, ...]) -> Node:
    for step in path:
        if isinstance(node, MapNode) and isinstance(step, str) and step in node.entries:
            node = node.entries[step]
        elif isinstance(node, ListNode) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            break
    return node


def _shown(path: tuple[str | int, ...], subject: str) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
    return f"`{text}`" if text else subject
