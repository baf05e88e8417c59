"""Which overrides change nothing, found by rendering without them.

Most change something, and that shows where they are read: a few templates, rendered with a mark in each text and
number and then without one override after the other, tell it soonest. For what is left the whole chart is rendered:
without all of it, with marks, and then without groups of it.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from compiler.errors import InputError
from compiler.model.data import Data, canonical
from compiler.model.render import RenderedFile, RenderRequest, Trial
from compiler.model.trace import ValuePath
from compiler.trace.experiment import Bench
from compiler.trace.marks import mark, marks_in
from compiler.trace.perturb import replaced

_SMALLEST: Final = 3
"""Groups smaller than this are not worth a second look for marks: taking each out is as quick."""

FEW: Final = 2
"""How many templates are tried for an override that many may read."""

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """What it means to take an override out.

    ``default`` is the chart's value there, if it has one; ``around`` are the maps above, from the inside out, that only
    a layer made, and that go where they are empty then; ``shown`` are templates in which the value seems to stand.
    """

    path: Path
    default: tuple[Data, ...] = ()
    around: tuple[Path, ...] = ()
    shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """Overrides of one instance. Can be pickled, so that any worker can answer it.

    ``rendered`` are the templates that print something, those that print least first.
    """

    request: RenderRequest
    bench: Callable[[RenderRequest], Bench]
    removals: tuple[Removal, ...]
    rendered: tuple[str, ...] = ()


def dead(question: Question) -> tuple[int, ...]:
    """The numbers of those removals that can be made, all together, without any difference."""
    data = json.loads(question.request.values)
    bench = question.bench(question.request)
    left = tuple(_left_by_few(question, bench, data))
    found = _in_whole(_Renders(bench, data), left) if left else ()
    return tuple(question.removals.index(one) for one in found)


def without(data: Any, removals: Iterable[Removal]) -> dict[str, Data]:  # noqa: ANN401 - plain data
    """Finished values as they were without some overrides: the chart's defaults, or nothing."""
    data = copy.deepcopy(data)
    for one in removals:
        above = _above(data, one.path)
        if one.default:
            above[one.path[-1]] = copy.deepcopy(one.default[0])
            continue
        above.pop(one.path[-1], None)
        _prune(data, one.around)
    return dict(data)


def _above(data: Any, path: Path) -> Any:  # noqa: ANN401 - plain data
    for step in path[:-1]:
        data = data.setdefault(step, {})
    return data


def _prune(data: Any, around: Iterable[Path]) -> None:  # noqa: ANN401 - plain data
    for path in around:
        above = _above(data, path)
        if above.get(path[-1]) != {}:
            return
        del above[path[-1]]


@dataclass(frozen=True, slots=True)
class _Renders:
    """Renders of a chart, or of some of its templates, without some overrides, held against the render with all."""

    bench: Bench
    data: dict[str, Data]
    base: tuple[RenderedFile, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", self.bench.render())

    def of(self, data: Data) -> tuple[RenderedFile, ...] | None:
        """What comes out with other values; None where nothing does."""
        try:
            return self.bench.render(Trial(values=canonical(data)))
        except InputError:
            return None

    def without(self, removed: Iterable[Removal]) -> tuple[RenderedFile, ...] | None:
        """What comes out without some overrides; None where nothing does."""
        return self.of(without(self.data, removed))

    def is_same(self, removed: Iterable[Removal]) -> bool:
        """Whether they change nothing."""
        return self.without(removed) == self.base

    def seen(self, group: Sequence[Removal]) -> frozenset[ValuePath]:
        """The paths of those whose mark shows in the render."""
        numbered = ((one.path, mark(_value(self.data, one.path), number)) for number, one in enumerate(group))
        marks = {path: found for path, found in numbered if found is not None}
        if not marks:
            return frozenset()
        changes: dict[ValuePath, Data] = {path: value for path, (value, _) in marks.items()}
        files = self.of(replaced(self.data, changes))
        if files is None:
            middle = len(group) // 2
            return self.seen(group[:middle]) | self.seen(group[middle:]) if middle else frozenset()
        after, before = (marks_in("\n".join(file.text for file in render)) for render in (files, self.base))
        return frozenset(path for path, (_, token) in marks.items() if token in after - before)


def _value(data: Any, path: Path) -> Data:  # noqa: ANN401 - plain data
    for step in path:
        data = data[step]
    found: Data = data
    return found


def _left_by_few(question: Question, bench: Bench, data: dict[str, Data]) -> Iterator[Removal]:
    """Those for which a few templates do not prove that they change something."""
    texts = bench.templates()
    where = {one.path: one.shown or _readers(texts, question, one.path) for one in question.removals}
    few = _few(bench, data, frozenset(template for found in where.values() for template in found))
    seen = few.seen(question.removals) if few is not None else frozenset()
    for one in question.removals:
        if one.path in seen:
            continue
        changed = few.without([one]) if few is not None and where[one.path] else None
        if few is None or changed is None or changed == few.base:
            yield one


def _few(bench: Bench, data: dict[str, Data], templates: frozenset[str]) -> _Renders | None:
    """Renders of a few templates alone; None where they are none, or do not render alone."""
    try:
        return _Renders(bench.only(templates), data) if templates else None
    except InputError:
        return None


def _readers(texts: Mapping[str, str], question: Question, path: Path) -> tuple[str, ...]:
    """Templates that name the value at ``path``, or the nearest map above it that any names."""
    of_chart = f"{question.request.chart}/"
    own = [(name, texts.get(name.removeprefix(of_chart), "")) for name in question.rendered]
    for depth in range(len(path), 0, -1):
        above, key = re.escape(path[depth - 2]) if depth > 1 else "Values", re.escape(path[depth - 1])
        named = re.compile(rf"\b{above}\.{key}\b|\"{key}\"")
        found = tuple(name for name, text in own if named.search(text))
        if found:
            return found[:FEW]
    return ()


def _in_whole(renders: _Renders, found: tuple[Removal, ...]) -> tuple[Removal, ...]:
    """Those of ``found`` that can be taken out of the whole chart, all together, without any difference."""
    if renders.is_same(found):
        return found
    seen = renders.seen(found) if len(found) >= _SMALLEST else frozenset()
    left = tuple(one for one in found if one.path not in seen)
    return _idle(renders, left, (), differs=left == found)


def _idle(
    renders: _Renders, group: tuple[Removal, ...], idle: tuple[Removal, ...], *, differs: bool = False
) -> tuple[Removal, ...]:
    """``idle``, and those of ``group`` that can be taken out besides; ``differs``: not all of them, it is known."""
    if not group:
        return idle
    if not differs and renders.is_same((*idle, *group)):
        return (*idle, *group)
    if len(group) == 1:
        return idle
    middle = len(group) // 2
    return _idle(renders, group[middle:], _idle(renders, group[:middle], idle))
