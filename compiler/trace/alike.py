"""Values that are called as the fields are which they decide: options of configuration files, nearly always."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from compiler.model.trace import Given, ValuePath
from compiler.trace.experiment import Experiment, OutOfRenders
from compiler.trace.search import Target

_NAMED: Final = 2
"""How many steps at their ends must be the same: the section and the option."""


def alike(experiment: Experiment, targets: Sequence[Target]) -> Mapping[Target, tuple[ValuePath, ...]]:
    """Of ``targets`` those that a value of their own name decides: its path ends as theirs does, and no other's does.

    All such values are changed at once, in one render, and a target is told where that changes it: two names and an
    effect are as good as a render for each. Nothing is told where that does not render, or no render is left.
    """
    called = _only(experiment)
    found = {target: called[end] for target in targets if (end := target[1][-_NAMED:]) in called}
    try:
        changes = experiment.changes(found.values()) if found else None
    except OutOfRenders:
        return {}
    return {
        target: (path,)
        for target, path in found.items()
        if any(change.path and change.touches(*target) for change in changes or ())
    }


def _only(experiment: Experiment) -> Mapping[tuple[str | int, ...], ValuePath]:
    """Values by the end of their paths, where no other ends so."""
    ends: dict[tuple[str | int, ...], list[ValuePath]] = defaultdict(list)
    for cause in experiment.causes():
        if not isinstance(cause, Given) and len(cause) > _NAMED:
            ends[cause[-_NAMED:]].append(cause)
    return {end: paths[0] for end, paths in ends.items() if len(paths) == 1}
