"""Another value of the same type and shape, so that templates still render and what depends on it shows."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from compiler.model.data import Data
from compiler.model.node import ListNode, MapNode, Node
from compiler.model.trace import ValuePath

_SHAPED: Final = re.compile(r"[vV]?[-+]?\d[\d.:/*, -]*[A-Za-z%]{0,3}|\S*:\d+")
"""Numbers, quantities, durations, percentages, versions, addresses, schedules, anything that ends in a port."""

_LAST_NUMBER: Final = re.compile(r"\d+(?=\D*\Z)")
_MARK: Final = "x"
_WORD: Final = "trace"


def places(node: Node, path: ValuePath = ()) -> Iterator[ValuePath]:
    """The path of every single value below ``node``; a list or map with nothing in it is one."""
    match node:
        case MapNode() if node.entries:
            for key, below in node.entries.items():
                yield from places(below, (*path, key))
        case ListNode() if node.items:
            for index, item in enumerate(node.items):
                yield from places(item, (*path, index))
        case _:
            yield path


def others(value: Data, buried: Data = None) -> tuple[Data, ...]:
    """What to try instead of ``value``, in this order; ``buried`` is what a deletion deleted.

    >>> [others(value)[0] for value in (True, 3, 0.5, "500m", "1Gi", "0.0.0.0:80", "2026.1", "public", "")]
    [False, 4, 1.5, '501m', '2Gi', '0.0.0.0:81', '2026.2', 'publicx', 'trace']
    >>> others(None, buried={"a": 1}), others([]), others({})
    (({'a': 1}, 'trace', {}), (['trace'], [{'name': 'trace'}]), ({'trace': 'trace'}, {'trace': {}}))
    """
    match value:
        case bool():
            return (not value,)
        case int() | float():
            return (value + 1, value + 2, 0) if value else (1, 2)
        case str():
            return _texts(value)
        case None:
            return (*((buried,) if buried is not None else ()), _WORD, {})
        case list():
            return ([_WORD], [{"name": _WORD}])
        case _:
            return ({_WORD: _WORD}, {_WORD: {}})


def is_shaped(text: str) -> bool:
    """Whether ``text`` is a number, a quantity, an address or the like, and must stay one."""
    return _SHAPED.fullmatch(text) is not None


def numbered(text: str, number: int) -> str:
    """``text``, which is shaped, with ``number`` in the place of its last one.

    >>> numbered("v1.2", 21), numbered("500m", 21)
    ('v1.21', '21m')
    """
    return _LAST_NUMBER.sub(str(number), text)


def _texts(value: str) -> tuple[Data, ...]:
    if not value:
        return (_WORD, "1")
    if is_shaped(value):
        return (_LAST_NUMBER.sub(_next, value), f"{value}{_MARK}")
    return (f"{value}{_MARK}", "")


def _next(number: re.Match[str]) -> str:
    return str(int(number[0]) + 1).zfill(len(number[0]))


def replaced(values: Mapping[str, Data], changes: Mapping[ValuePath, Data]) -> dict[str, Data]:
    """``values`` with ``changes`` in their places; what lies beside the paths to them is shared, not copied.

    >>> replaced({"a": {"b": [1, 2]}, "c": 3}, {("a", "b", 1): 5, ("c",): None})
    {'a': {'b': [1, 5]}, 'c': None}
    """
    whole: Any = dict(values)
    fresh = {id(whole): whole}
    for path, value in changes.items():
        below = whole
        for step in path[:-1]:
            if id(below[step]) not in fresh:
                below[step] = copy.copy(below[step])
                fresh[id(below[step])] = below[step]
            below = below[step]
        below[path[-1]] = value
    return cast("dict[str, Data]", whole)
