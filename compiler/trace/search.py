"""Which values decide a field: found by changing some and rendering again.

They are few among many, so values are changed in groups, and only a group that changed the field (or that cannot be
rendered) is split: group testing. Many fields are asked about at once, and share their renders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from compiler.model.data import Data
from compiler.model.manifest import ObjectId
from compiler.model.trace import Cause, Decision, Given
from compiler.trace.compare import Change, FieldPath, only_digests
from compiler.trace.experiment import Experiment, OutOfRenders

Target: TypeAlias = tuple[ObjectId, FieldPath]

_GROUP: Final = 12
"""How many values are changed at once to begin with."""


@dataclass(slots=True)
class _Found:
    """What is known so far. ``switches`` is whether what decides that there is an object decides its fields too."""

    switches: bool = True
    causes: dict[Target, list[Cause]] = field(default_factory=dict)
    untold: dict[Target, list[Cause]] = field(default_factory=dict)
    unfinished: set[Target] = field(default_factory=set)


def decide(
    experiment: Experiment,
    targets: Sequence[Target],
    among: Sequence[Cause] | None = None,
    *,
    switches: bool = True,
) -> Mapping[Target, Decision]:
    """What decides each of ``targets``: anything, or what is ``among`` those.

    Without ``switches``, nothing that decides only whether there is an object.

    A target that is no field of the render is decided by whatever makes it one. Where renders run out, what was found
    by then is told, and ``complete`` is False.
    """
    found = _Found(switches)
    causes = experiment.causes() if among is None else among
    for start in range(0, len(causes), _GROUP):
        _search(experiment, causes[start : start + _GROUP], frozenset(targets), found)
    return {
        target: Decision(
            causes=_ranked(experiment, target, found.causes.get(target, [])),
            untold=tuple(found.untold.get(target, ())),
            complete=target not in found.unfinished,
        )
        for target in targets
    }


def _search(
    experiment: Experiment, causes: Sequence[Cause], targets: frozenset[Target], found: _Found
) -> frozenset[Target]:
    """Which of ``targets`` something among ``causes`` decides, or may decide."""
    try:
        changes = _changes(experiment, causes)
    except OutOfRenders:
        found.unfinished |= targets
        return targets
    hit = targets if changes is None else frozenset(target for target in targets if _is_hit(changes, target, found))
    if hit and len(causes) == 1:
        into = found.untold if changes is None else found.causes
        for target in hit:
            into.setdefault(target, []).append(causes[0])
    elif hit:
        _split(experiment, causes, hit, found)
    return hit


def _split(experiment: Experiment, causes: Sequence[Cause], hit: frozenset[Target], found: _Found) -> None:
    """Search both halves. Where the first decides nothing the second must: it need not be changed as a whole."""
    middle = len(causes) // 2
    in_first = _search(experiment, causes[:middle], hit, found)
    if in_first or len(causes) - middle == 1:
        _search(experiment, causes[middle:], hit, found)
    else:
        _split(experiment, causes[middle:], hit, found)


def _changes(experiment: Experiment, causes: Sequence[Cause]) -> tuple[Change, ...] | None:
    """What changes; a single value that does not render is tried with its alternatives, and keeps the one that does."""
    changes = experiment.changes(causes)
    if changes is not None or len(causes) > 1 or isinstance(causes[0], Given):
        return changes
    for other in experiment.alternatives(causes[0])[1:]:
        experiment.settle(causes[0], other)
        changes = experiment.changes(causes)
        if changes is not None:
            return changes
    return None


def _is_hit(changes: tuple[Change, ...], target: Target, found: _Found) -> bool:
    """A field that holds a digest is decided by everything that the digest is of: too much to be told."""
    return any(
        change.touches(*target)
        and (found.switches or bool(change.path))
        and not only_digests(change.before, change.after, "")
        for change in changes
    )


def _ranked(experiment: Experiment, target: Target, causes: list[Cause]) -> tuple[Cause, ...]:
    """First values that the field is, then what changes it, then what makes it vanish; the narrow before the wide."""

    def rank(cause: Cause) -> tuple[bool, bool, bool, int]:
        changes = experiment.changes([cause]) or ()
        own = [change for change in changes if change.touches(*target)]
        vanishes = all(change.before is None or change.after is None for change in own)
        is_it = any(_is(experiment, cause, change.before) for change in own)
        return isinstance(cause, Given), not is_it, vanishes, len(changes)

    return tuple(sorted(causes, key=rank))


def _is(experiment: Experiment, cause: Cause, data: Data) -> bool:
    """Whether the field holds the value itself, as it is or as text."""
    if isinstance(cause, Given):
        return False
    value = experiment.value(cause)
    return data == value or (isinstance(data, str | int | float) and str(data) == str(value))
