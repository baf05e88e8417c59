"""Whether a value fits the type of its option, in the words of oslo.config's own types."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from oslo_config import types

from compiler.catalogue.option import Kind, Option

_INNER: Final = ("item_type", "value_type")
_REFERENCE: Final = re.compile(r"(?<!\$)\$[({]?[A-Za-z_]")
"""``$state_path`` and ``${group.option}``, which the service fills in, and ``$(NAME)``, which Kubernetes does."""

_CONTAINERS: Final = {"List": "values with commas between", "Dict": "pairs `key:value` with commas between"}

_ENDLESS: Final = 2**31 - 1
"""A limit from here on is that of a database's column, and nothing to tell people."""

_NOUNS: Final = {
    "Boolean": "true or false",
    "Integer": "a whole number",
    "Float": "a number",
    "Port": "a port, 0 to 65535",
    "URI": "a URI",
    "IPAddress": "an IP address",
    "Hostname": "a host name",
    "HostAddress": "a host name or an IP address",
    "HostDomain": "a host name or an IP address",
    "Range": "a range of numbers",
    "String": "a text",
}


def fits(option: Option, value: str) -> bool:
    """Whether ``value`` is one that ``option`` takes. A value that refers to another cannot be judged, and fits."""
    return bool(_REFERENCE.search(value)) or any(_accepts(kind, value) for kind in option.kinds)


def expected(option: Option) -> str:
    """What ``option`` takes, as messages write it: ``a whole number of at least 1``."""
    return " or ".join(dict.fromkeys(_described(kind) for kind in option.kinds))


def choices(option: Option) -> list[str]:
    """The values that ``option`` takes, where there are only so many."""
    restricted = [kind[1] for kind in option.kinds if not isinstance(kind, str)]
    return [str(choice) for one in restricted for choice in one.get("choices", ())]


def _accepts(kind: Kind, value: str) -> bool:
    name, restricted = (kind, {}) if isinstance(kind, str) else kind
    parse = _parser(name, json.dumps(restricted, sort_keys=True))
    try:
        parse(value)
    except (ValueError, TypeError):
        return False
    return True


@cache
def _parser(name: str, restricted: str) -> Callable[[str], Any]:
    """The type of oslo.config itself; what nobody can know takes everything."""
    if name == "?":
        return str
    arguments: dict[str, Any] = json.loads(restricted)
    for key in _INNER:
        if key in arguments:
            below = arguments[key]
            inner, more = below
            arguments[key] = _parser(inner, json.dumps(more, sort_keys=True))
    found: Callable[[str], Any] = getattr(types, name)(**arguments)
    return found


def _described(kind: Kind) -> str:
    name, restricted = (kind, {}) if isinstance(kind, str) else kind
    if name in _CONTAINERS:
        below = [tuple(restricted[key]) for key in _INNER if key in restricted]
        return f"{_CONTAINERS[name]}, each {_described(below[0])}" if below else _CONTAINERS[name]
    if "choices" in restricted:
        return "one of " + ", ".join(f"`{choice}`" for choice in restricted["choices"])
    if "regex" in restricted:
        return f"a text that matches /{restricted['regex']}/"
    return _NOUNS.get(name, "a text") + _limits(restricted)


def _limits(restricted: Mapping[str, Any]) -> str:
    least, most = restricted.get("min"), restricted.get("max")
    if most is not None and most >= _ENDLESS:
        most = None
    if least is not None and most is not None:
        return f" from {least} to {most}"
    if least is not None:
        return f" of at least {least}"
    if most is not None:
        return f" of at most {most}"
    return f" of at most {restricted['max_length']} characters" if "max_length" in restricted else ""
