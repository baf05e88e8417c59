"""Which rendered fields a value reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from compiler.model.data import canonical
from compiler.model.manifest import Field, ObjectId
from compiler.model.names import InstanceName
from compiler.model.node import at
from compiler.model.trace import Effect, Reach, ValuePath
from compiler.trace.compare import Change, FieldPath, changed_lines, only_digests
from compiler.trace.experiment import Experiment
from compiler.trace.perturb import places


def reach(experiment: Experiment, instance: InstanceName, path: ValuePath) -> Reach:
    """Which fields of ``instance`` the value at ``path`` reaches; of a map or a list, everything in it.

    Every value is tried with each of its alternatives that renders: what only one of them changes is reached too.
    Switches are tried apart from the rest, for what is switched off hides what else would change.
    """
    node = at(experiment.values, path)
    assert node is not None  # noqa: S101 - the caller found it there
    below = tuple(places(node, path))
    switches = tuple(place for place in below if isinstance(experiment.value(place), bool))
    texts = tuple(place for place in below if place not in switches)
    sweep = _Sweep(experiment, instance)
    for group, turn in ((switches, 0), (texts, 0), (texts, 1), (texts, 2)):
        sweep.run(tuple(place for place in group if turn < len(experiment.alternatives(place))), turn)
    return sweep.result(below)


def effects(changes: Iterable[Change], instance: InstanceName, said: str) -> Iterator[Effect]:
    """``changes`` as effects on ``instance``; ``said`` is the text of all changed values, before and after."""
    for change in changes:
        yield Effect(
            Field(instance, change.object, change.path),
            change.before,
            change.after,
            changed_lines(change.before, change.after),
            digest=only_digests(change.before, change.after, said),
        )


class _Sweep:
    """The effects so far, and which values could be tried."""

    def __init__(self, experiment: Experiment, instance: InstanceName) -> None:
        self._experiment, self._instance = experiment, instance
        self._effects: dict[tuple[ObjectId, FieldPath], Effect] = {}
        self._tried: dict[ValuePath, list[str]] = {}

    def run(self, group: Sequence[ValuePath], turn: int) -> None:
        """Change all of ``group`` at once, each to its alternative number ``turn``; by halves where that fails."""
        if not group:
            return
        for place in group:
            self._experiment.settle(place, self._experiment.alternatives(place)[turn])
        changes = self._experiment.changes(group)
        if changes is not None:
            self._note(group, turn, changes)
        elif len(group) > 1:
            middle = len(group) // 2
            self.run(group[:middle], turn)
            self.run(group[middle:], turn)

    def result(self, below: Sequence[ValuePath]) -> Reach:
        """What came of it."""
        untold = tuple(place for place in below if place not in self._tried)
        effects = sorted(self._effects.values(), key=lambda effect: (effect.field.object, str(effect.field)))
        tried = {place: self._tried[place] for place in below if place in self._tried}
        only = next(iter(tried.values()), []) if len(below) == 1 else []
        return Reach(tuple(effects), tuple(only), untold)

    def _note(self, group: Sequence[ValuePath], turn: int, changes: tuple[Change, ...]) -> None:
        others = [self._experiment.alternatives(place)[turn] for place in group]
        said = canonical([*(self._experiment.value(place) for place in group), *others])
        for place, other in zip(group, others, strict=True):
            self._tried.setdefault(place, []).append(canonical(other))
        for effect in effects(changes, self._instance, said):
            self._effects.setdefault((effect.field.object, effect.field.path), effect)
