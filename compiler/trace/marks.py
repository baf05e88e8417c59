"""Marks in values: one render with a different mark in every text and number shows most of what they decide."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from compiler.model.data import Data, canonical
from compiler.model.manifest import ObjectId
from compiler.model.render import Trial
from compiler.model.trace import Given, ValuePath
from compiler.trace.compare import Change
from compiler.trace.experiment import Experiment, OutOfRenders
from compiler.trace.perturb import is_shaped, numbered, replaced
from compiler.trace.search import Target

_FIRST: Final = 1009
"""The first number that is a mark: large enough to be rare, small enough to be counted to. All of them are odd."""

_TOKEN: Final = re.compile(r"zq\d+zq|(?<![0-9a-f])\d{4,}(?![0-9a-f])")
"""What a mark looks like; digits inside a digest are none."""


def mark(value: Data, number: int) -> tuple[Data, str] | None:
    """``value`` with the mark of ``number``, and what to look for; None for what cannot carry one.

    >>> mark("public", 3), mark("500m", 3), mark(True, 3)
    (('publiczq3zq', 'zq3zq'), ('1015m', '1015'), None)
    """
    unique = _FIRST + 2 * number
    match value:
        case bool() | None:
            return None
        case int():
            return unique, str(unique)
        case str() as text if is_shaped(text):
            return numbered(text, unique), str(unique)
        case str() as text if text and "\n" not in text:
            return f"{text}zq{number}zq", f"zq{number}zq"
        case _:
            return None


def marks_in(text: str) -> frozenset[str]:
    """Everything in ``text`` that may be a mark."""
    return frozenset(_TOKEN.findall(text))


def shown(experiment: Experiment, targets: Sequence[Target]) -> Mapping[Target, tuple[ValuePath, ...]]:
    """The values that show in ``targets``, of those in which any shows: first what the field is, then the narrow ones.

    Stops where the renders run out.
    """
    paths = [cause for cause in experiment.causes() if not isinstance(cause, Given)]
    marked = [(path, found) for number, path in enumerate(paths) if (found := mark(experiment.value(path), number))]
    changes: list[Change] = []
    try:
        for seen in _renders(experiment, [(path, value) for path, (value, _) in marked]):
            changes += seen
    except OutOfRenders:
        return {}
    return _read(changes, {token: path for path, (_, token) in marked}, targets)


def _renders(experiment: Experiment, group: Sequence[tuple[ValuePath, Data]]) -> Iterator[tuple[Change, ...]]:
    """What changes with all of ``group``; by halves where that does not render."""
    if not group:
        return
    trial = Trial(values=canonical(replaced(experiment.data, dict(group))))
    changes = experiment.compared(trial)
    if changes is not None:
        yield changes
    elif len(group) > 1:
        middle = len(group) // 2
        yield from _renders(experiment, group[:middle])
        yield from _renders(experiment, group[middle:])


def _read(
    changes: Sequence[Change], owners: Mapping[str, ValuePath], targets: Sequence[Target]
) -> Mapping[Target, tuple[ValuePath, ...]]:
    by_object: Mapping[ObjectId, list[Target]] = defaultdict(list)
    for target in targets:
        by_object[target[0]].append(target)
    wide: Counter[ValuePath] = Counter()
    found: dict[Target, dict[ValuePath, bool]] = defaultdict(dict)
    for change, path, whole in _seen(changes, owners):
        wide[path] += 1
        for target in by_object[change.object]:
            if change.path[: len(target[1])] == target[1]:
                found[target][path] = found[target].get(path, False) or whole
    return {
        target: tuple(
            path for *_, path in sorted((not whole, wide[path], str(path), path) for path, whole in paths.items())
        )
        for target, paths in found.items()
    }


def _seen(changes: Sequence[Change], owners: Mapping[str, ValuePath]) -> Iterator[tuple[Change, ValuePath, bool]]:
    """Each value that shows in a change, and whether the field is nothing else."""
    for change in changes:
        if not isinstance(change.after, dict | list):
            after = str(change.after)
            for token in sorted(marks_in(after) - marks_in(str(change.before))):
                if token in owners:
                    yield change, owners[token], after == token
