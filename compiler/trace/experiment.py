"""Change some of what an instance is rendered from, and see what comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, Protocol

from compiler.errors import InputError
from compiler.model.data import Data, canonical
from compiler.model.node import MapNode, Origin, ScalarNode, at
from compiler.model.render import RenderedFile, RenderedObject, Trial
from compiler.model.trace import Cause, Given, ValuePath
from compiler.trace.compare import Change, compare
from compiler.trace.perturb import others, places, replaced

LIMIT: Final = 600
"""How many renders one experiment may take. What is not known by then is said not to be."""

_GIVEN: Final[Mapping[Given, Trial]] = {
    Given.NAME: Trial(instance="trace"),
    Given.NAMESPACE: Trial(namespace="trace"),
    Given.KUBERNETES: Trial(kubernetes="1.99"),
}


class Bench(Protocol):
    """Where one instance can be rendered with something else in the place of what decides it."""

    def render(self, trial: Trial = ...) -> tuple[RenderedFile, ...]:
        """What comes out. Raises ``InputError`` where nothing does."""
        ...

    def objects(self, files: tuple[RenderedFile, ...]) -> tuple[RenderedObject, ...]:
        """The objects of ``files``. Raises ``InputError`` for what is not YAML."""
        ...

    def only(self, templates: frozenset[str]) -> Bench:
        """A bench for these templates alone, which is quicker; whether they render the same there is to be seen."""
        ...

    def templates(self) -> Mapping[str, str]:
        """Path and text of every template."""
        ...

    def origin(self, template: str, line: int = 1) -> Origin:
        """The place of a line of a template in the repository."""
        ...


class OutOfRenders(Exception):
    """The bound on renders is hit."""


class Experiment:
    """The renders of one instance, and what differs between them. The same question is not asked twice.

    Raises ``InputError`` where the chart does not even render with the instance's own values.
    """

    def __init__(self, values: MapNode, bench: Bench, limit: int = LIMIT) -> None:
        self.bench, self.values = bench, values
        self.data = values.data()
        self.left = limit
        self.base = bench.objects(bench.render())
        self._trying: dict[ValuePath, Data] = {}
        self._known: dict[frozenset[Cause], tuple[Change, ...] | None] = {}

    def narrow(self, templates: Iterable[str]) -> None:
        """From now on render ``templates`` alone, where they come out the same without the others.

        They do not where one of them includes what is defined in another. What they include as a file is rendered too.
        """
        wanted = frozenset(templates)
        few = self.bench.only(wanted)
        base = tuple(found for found in self.base if found.template in wanted)
        try:
            alone = few.objects(few.render())
        except InputError:
            return
        if tuple(found for found in alone if found.template in wanted) == base:
            self.bench, self.base, self._known = few, alone, {}

    def causes(self) -> tuple[Cause, ...]:
        """Everything that may decide a field."""
        return (*places(self.values), *_GIVEN)

    def value(self, path: ValuePath) -> Data:
        """The value at ``path``."""
        node = at(self.values, path)
        assert node is not None  # noqa: S101 - paths come of these values
        return node.data()

    def alternatives(self, path: ValuePath) -> tuple[Data, ...]:
        """What to try in the place of the value at ``path``."""
        node = at(self.values, path)
        assert node is not None  # noqa: S101 - as above
        buried = next((lost.data() for lost in node.overrode if lost.data() is not None), None)
        return others(node.data(), buried if isinstance(node, ScalarNode) else None)

    def settle(self, path: ValuePath, value: Data) -> None:
        """From now on try ``value`` in the place of the value at ``path``."""
        self._trying[path] = value
        self._known = {causes: found for causes, found in self._known.items() if path not in causes}

    def changes(self, causes: Iterable[Cause]) -> tuple[Change, ...] | None:
        """What changes when all of ``causes`` do; None where the chart does not render then.

        Raises ``OutOfRenders``.
        """
        asked = frozenset(causes)
        if asked not in self._known:
            if self.left <= 0:
                raise OutOfRenders
            self._known[asked] = self.compared(self._trial(asked))
        return self._known[asked]

    def compared(self, trial: Trial) -> tuple[Change, ...] | None:
        """What differs in ``trial``; None where the chart does not render. Raises ``OutOfRenders``."""
        if self.left <= 0:
            raise OutOfRenders
        self.left -= 1
        try:
            return tuple(compare(self.base, self.bench.objects(self.bench.render(trial))))
        except InputError:
            return None

    def _trial(self, causes: frozenset[Cause]) -> Trial:
        trial = Trial()
        for given in (cause for cause in causes if isinstance(cause, Given)):
            other = _GIVEN[given]
            trial = replace(
                trial,
                instance=trial.instance or other.instance,
                namespace=trial.namespace or other.namespace,
                kubernetes=trial.kubernetes or other.kubernetes,
            )
        paths = [cause for cause in causes if not isinstance(cause, Given)]
        changes = {path: self._trying.get(path, self.alternatives(path)[0]) for path in paths}
        return replace(trial, values=canonical(replaced(self.data, changes))) if changes else trial
