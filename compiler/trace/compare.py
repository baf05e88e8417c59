"""What differs between two renders, field by field, also where objects have got other names.

Digests must not make everything reach everything: a Job whose name ends in a digest is the same Job with another one,
and a field that differs in digests alone says so.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, TypeAlias

from compiler.model.data import Data
from compiler.model.manifest import ObjectId
from compiler.model.render import RenderedObject
from compiler.trace.options import option

FieldPath: TypeAlias = tuple[str | int, ...]

_TOKEN: Final = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{8,64}(?![0-9A-Za-z])")
_NAMES: Final = ("name", "mountPath", "containerPort", "port", "key")
"""What tells the items of a list from one another: the merge keys of Kubernetes' own lists, those in use first."""


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs. ``object`` is its identity in the first render; in the second, where it is new there.

    ``before`` or ``after`` is None where the field, or the whole object (no ``path``), is in one of the two alone.
    """

    object: ObjectId
    template: str
    path: FieldPath
    before: Data
    after: Data

    def touches(self, wanted: ObjectId, path: FieldPath) -> bool:
        """Whether it changes what stands at ``path`` of the object ``wanted``, or makes it appear or vanish.

        What stands in a text is an option of a configuration file: another line of the file is none of its business.
        """
        shorter = min(len(path), len(self.path))
        if self.object != wanted or path[:shorter] != self.path[:shorter]:
            return False
        inside = path[len(self.path) :]
        return not (inside and self._is_text) or option(self.before, inside) != option(self.after, inside)

    @property
    def _is_text(self) -> bool:
        return isinstance(self.before, str) and isinstance(self.after, str)


def compare(one: Iterable[RenderedObject], other: Iterable[RenderedObject]) -> Iterator[Change]:
    """Every field in which ``other`` differs from ``one``."""
    for left, right in _pairs(list(one), list(other)):
        known = left or right
        assert known is not None  # noqa: S101 - a pair has at least one side
        if left is None or right is None:
            yield Change(known.id, known.template, (), _whole(left), _whole(right))
        else:
            for path, before, after in _differences(dict(left.data), dict(right.data), ()):
                yield Change(known.id, known.template, path, before, after)


def _whole(found: RenderedObject | None) -> Data:
    return dict(found.data) if found is not None else None


def stem(name: str) -> str:
    """A name without the digests in it.

    >>> stem("keystone-bootstrap-b886bbdaed"), stem("keystone-api")
    ('keystone-bootstrap-#', 'keystone-api')
    """
    return _TOKEN.sub("#", name)


def only_digests(before: Data, after: Data, said: str) -> bool:
    """Whether two texts differ in digests alone, and in none that ``said``, the values that were changed, holds.

    >>> only_digests("job/sync-0a1b2c3d4e", "job/sync-1f2e3d4c5b", "")
    True
    >>> only_digests("1073741824", "2147483648", ""), only_digests("sha256:0a1b2c3d", "sha256:1a1b2c3d", "1a1b2c3d")
    (False, False)
    """
    if not (isinstance(before, str) and isinstance(after, str)) or stem(before) != stem(after):
        return False
    pairs = zip(_TOKEN.findall(before), _TOKEN.findall(after), strict=True)
    return all(_is_digest(old) and new not in said for old, new in pairs if old != new)


def _is_digest(token: str) -> bool:
    """Not a number, and not a word."""
    return not token.isdecimal() and not token.isalpha()


def held(data: Data, path: FieldPath) -> Data:
    """What stands at ``path`` of ``data``; None where nothing does. A text is taken for a configuration file.

    >>> held({"a": [{"b": 1}]}, ("a", 0, "b")), held({"a": []}, ("a", 0, "b"))
    (1, None)
    """
    for at, step in enumerate(path):
        if isinstance(data, str):
            return option(data, path[at:])
        if isinstance(data, dict) and isinstance(step, str):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data


def changed_lines(before: Data, after: Data) -> tuple[int, ...]:
    r"""The lines, from 1, in which a text of several lines differs; none where it is anything else.

    >>> changed_lines("[a]\nb = 1\n", "[a]\nb = 2\n"), changed_lines("a", "b")
    ((2,), ())
    """
    if not (isinstance(before, str) and isinstance(after, str)) or "\n" not in before.strip():
        return ()
    pairs = zip_longest(before.splitlines(), after.splitlines())
    return tuple(number for number, (old, new) in enumerate(pairs, 1) if old != new)


_Pair: TypeAlias = tuple[RenderedObject | None, RenderedObject | None]


def _pairs(left: list[RenderedObject], right: list[RenderedObject]) -> Iterator[_Pair]:
    """Each object with its twin: of the same identity; else but for digests; else of the same template and kind."""
    shared = {id(found) for found in left} & {id(found) for found in right}
    left = [found for found in left if id(found) not in shared]
    right = [found for found in right if id(found) not in shared]
    for twin in (_identity, _stemmed, _place):
        matched, left, right = _matched(left, right, twin)
        yield from matched
    yield from ((found, None) for found in left)
    yield from ((None, found) for found in right)


def _identity(found: RenderedObject) -> tuple[str, ...]:
    return found.id.namespace, found.id.kind, found.id.group, found.id.name


def _stemmed(found: RenderedObject) -> tuple[str, ...]:
    return found.id.kind, found.id.group, stem(found.id.name)


def _place(found: RenderedObject) -> tuple[str, ...]:
    return found.template, found.id.kind


def _matched(
    left: list[RenderedObject], right: list[RenderedObject], twin: Callable[[RenderedObject], tuple[str, ...]]
) -> tuple[list[_Pair], list[RenderedObject], list[RenderedObject]]:
    waiting: Mapping[tuple[str, ...], list[RenderedObject]] = defaultdict(list)
    for found in reversed(right):
        waiting[twin(found)].append(found)
    pairs: list[_Pair] = []
    alone = []
    for found in left:
        if waiting[twin(found)]:
            pairs.append((found, waiting[twin(found)].pop()))
        else:
            alone.append(found)
    return pairs, alone, [found for rest in waiting.values() for found in reversed(rest)]


def _differences(one: Data, other: Data, path: FieldPath) -> Iterator[tuple[FieldPath, Data, Data]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys((*one, *other)):
            yield from _differences(one.get(key), other.get(key), (*path, key))
    elif isinstance(one, list) and isinstance(other, list):
        yield from _in_lists(one, other, path)
    elif one != other or type(one) is not type(other):
        yield path, one, other


def _in_lists(one: list[Data], other: list[Data], path: FieldPath) -> Iterator[tuple[FieldPath, Data, Data]]:
    """Item by item, those of one name beside one another; a list of plain values of another length as a whole."""
    name = _name(one, other)
    if name is not None:
        yield from _named(one, other, name, path)
    elif len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _differences(left, right, (*path, index))
    else:
        yield path, one, other


def _named(one: list[Data], other: list[Data], name: str, path: FieldPath) -> Iterator[tuple[FieldPath, Data, Data]]:
    """An item that is new gets an index after all that were there: that of an old one would be another item's."""
    rest = {_value(item, name): item for item in other}
    for index, item in enumerate(one):
        yield from _differences(item, rest.pop(_value(item, name), None), (*path, index))
    for index, item in enumerate(rest.values(), len(one)):
        yield (*path, index), None, item


def _value(item: Data, name: str) -> str:
    return repr(item.get(name)) if isinstance(item, dict) else ""


def _name(*lists: Sequence[Data]) -> str | None:
    """The key whose values tell the items of each list apart."""
    for name in _NAMES:
        found = [[_value(item, name) for item in items] for items in lists]
        if all("None" not in values and "" not in values and len(set(values)) == len(values) for values in found):
            return name
    return None
