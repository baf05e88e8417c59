"""The line of a template that writes a field: found by changing that line and rendering again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from compiler.model.data import Data
from compiler.model.node import Origin
from compiler.model.render import Trial
from compiler.trace.compare import Change, held
from compiler.trace.experiment import Experiment, OutOfRenders
from compiler.trace.perturb import others
from compiler.trace.search import Target

_MOST: Final = 256
"""How many lines may be candidates; a word that is on more of them finds nothing."""

_MARK: Final = "Trace"


@dataclass(frozen=True, slots=True)
class _Edit:
    """A line of a template, and what to have in its place."""

    template: str
    line: int
    text: str


def written(experiment: Experiment, target: Target) -> Origin | None:
    """Where the templates write ``target``: the line of its constant, or else the line of its key.

    None where no single line does: it is in a value, in a file of the chart, or put together.
    """
    ways = (_constants(experiment, holds(experiment, target)), _keys(experiment, target))
    for edits in (_names(experiment, target),) if is_option(experiment, target) else ways:
        found = _bisect(experiment, target, list(edits))
        if found is not None:
            return experiment.bench.origin(found.template, found.line)
    return None


def holds(experiment: Experiment, target: Target) -> Data:
    """What the field holds; None where there is no such field."""
    identity, path = target
    found = next((rendered for rendered in experiment.base if rendered.id == identity), None)
    return held(dict(found.data), path) if found is not None else None


def is_option(experiment: Experiment, target: Target) -> bool:
    """Whether ``target`` stands in a text: it is a section or an option of a configuration file."""
    identity, path = target
    of_it = next((dict(rendered.data) for rendered in experiment.base if rendered.id == identity), {})
    whole = any(isinstance(held(of_it, path[:length]), str) for length in range(1, len(path)))
    return whole and held(of_it, path) is not None


def _names(experiment: Experiment, target: Target) -> Iterator[_Edit]:
    """The lines that name an option, or a section, in whatever way."""
    name = str(target[1][-1])
    yield from _edits(experiment, re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])"), f"{name}{_MARK}")


def _constants(experiment: Experiment, value: Data) -> Iterator[_Edit]:
    if value in (None, "") or isinstance(value, dict | list):
        return
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    other = others(value)[0]
    instead = str(other).lower() if isinstance(other, bool) else str(other)
    if "\n" not in shown:
        yield from _edits(experiment, re.compile(rf"(?<![\w.-]){re.escape(shown)}(?![\w-])"), instead)


def _keys(experiment: Experiment, target: Target) -> Iterator[_Edit]:
    key = next((step for step in reversed(target[1]) if isinstance(step, str)), None)
    if key is not None:
        yield from _edits(experiment, re.compile(rf"(?<![\w./$-]){re.escape(key)}(?=[\"']?\s*:)"), f"{key}{_MARK}")


def _edits(experiment: Experiment, wanted: re.Pattern[str], instead: str) -> Iterator[_Edit]:
    for template, text in experiment.bench.templates().items():
        for number, line in enumerate(text.splitlines(), 1):
            changed = wanted.sub(lambda _: instead, line)
            if changed != line:
                yield _Edit(template, number, changed)


def _bisect(experiment: Experiment, target: Target, edits: Sequence[_Edit]) -> _Edit | None:
    """The first edit that alone changes the field itself."""
    if not edits or len(edits) > _MOST:
        return None
    try:
        changes = experiment.compared(Trial(files=_files(experiment, edits)))
    except OutOfRenders:
        return None
    if changes is not None and not any(change.touches(*target) for change in changes):
        return None
    if len(edits) == 1:
        return edits[0] if any(_is_field(change, target) for change in changes or ()) else None
    middle = len(edits) // 2
    return _bisect(experiment, target, edits[:middle]) or _bisect(experiment, target, edits[middle:])


def _is_field(change: Change, target: Target) -> bool:
    """Whether the field itself changes, not only all that it stands in."""
    inside = isinstance(change.before, str) and isinstance(change.after, str)
    return change.touches(*target) and (inside or len(change.path) >= len(target[1]))


def _files(experiment: Experiment, edits: Sequence[_Edit]) -> dict[str, bytes]:
    templates = experiment.bench.templates()
    found: dict[str, list[str]] = {}
    for edit in edits:
        lines = found.setdefault(edit.template, templates[edit.template].splitlines())
        lines[edit.line - 1] = edit.text
    return {template: "\n".join((*lines, "")).encode() for template, lines in found.items()}
