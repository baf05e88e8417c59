"""Yes or no: whether a document fits a schema, and whether a schema is one. Quick, and without places.

``schema.py`` says what is wrong and where; it takes some hundred times as long.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final, NoReturn

_DRAFTS: Final = {
    "draft-04/schema": "Draft4Validator",
    "draft-06/schema": "Draft6Validator",
    "draft-07/schema": "Draft7Validator",
    "draft/2019-09/schema": "Draft201909Validator",
    "draft/2020-12/schema": "Draft202012Validator",
}
"""The validator of each draft, by the end of the address that `$schema` has for it."""


def fits(data: object, schema: str) -> bool:
    """Whether ``data`` is known to be what the text ``schema`` says, by the rules of draft 2020-12.

    False where it is not, and where this cannot tell: a schema that is none, or one that leads elsewhere.
    """
    validator = _validator(schema)
    try:
        return validator is not None and bool(validator.is_valid(data))
    except ValueError:
        return False


def fault(schema: str) -> str:
    """Why the text ``schema`` is no JSON schema that can be used without a network; empty where it is one.

    >>> fault('{"type": "object"}'), fault('{"type": "thing"}')[:27], fault("{")
    ('', '`type`: "thing" is not vali', 'it is no JSON (line 1, column 2)')
    """
    try:
        form = json.loads(schema)
    except json.JSONDecodeError as error:
        return f"it is no JSON (line {error.lineno}, column {error.colno})"
    if not isinstance(form, dict):
        return "it is no map"
    written = str(form.get("$schema", "draft/2020-12/schema")).rstrip("#")
    draft = next((name for end, name in _DRAFTS.items() if written.endswith(end)), None)
    return _refused(form, draft) if draft is not None else f"`$schema` is no draft that is known: {written}"


def _refused(form: dict[str, Any], draft: str) -> str:
    import jsonschema_rs  # noqa: PLC0415 - a compile from the cache has no use for it

    try:
        getattr(jsonschema_rs, draft)(form, retriever=_nowhere)
    except jsonschema_rs.ValidationError as error:
        where = ".".join(str(step) for step in error.instance_path)
        return (f"`{where}`: " if where else "") + error.message.partition("\n")[0]
    except ValueError as error:
        return str(error).partition("\n")[0]
    return ""


@cache
def _validator(schema: str) -> Any:  # noqa: ANN401 - a class of the library, which is loaded when it is needed
    from jsonschema_rs import Draft202012Validator  # noqa: PLC0415 - a compile from the cache has no use for it

    try:
        return Draft202012Validator(json.loads(schema), retriever=_nowhere)
    except ValueError:
        return None


def _nowhere(address: str) -> NoReturn:
    """What a compile answers to whoever wants a schema of elsewhere: it asks no network."""
    raise ValueError(f"{address} is elsewhere, and a compile asks no network")
