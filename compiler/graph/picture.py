"""What is drawn of a plan: boxes and arrows, at the level of instances, components or objects.

An arrow leads from what comes first to what comes after it. Pictures leave out the arrows that follow from others,
since nearly everything comes after the Namespaces; data has them all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

from compiler.model.names import Wave
from compiler.model.plan import Edge
from compiler.model.reach import Reach


class Level(StrEnum):
    """What a box stands for."""

    INSTANCE = "instance"
    COMPONENT = "component"
    OBJECT = "object"


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """One thing that is drawn: the frame it stands in, what is written in it there, and its full name."""

    frame: str
    label: str
    name: str


Arrow = tuple[Box, Box]


@dataclass(frozen=True)
class Picture:
    """A drawing before it has a form.

    ``waves`` say in which column each box stands; ``soft`` are boxes that gate nothing; ``critical`` is the longest
    chain, first to last; ``arrows`` keep the edges that they stand for.
    """

    level: Level
    waves: Mapping[Box, Wave]
    soft: frozenset[Box]
    critical: tuple[Box, ...]
    arrows: Mapping[Arrow, tuple[Edge, ...]]
    dropped: tuple[Edge, ...] = ()
    yielded: tuple[Edge, ...] = ()

    @cached_property
    def columns(self) -> Mapping[Wave, tuple[Box, ...]]:
        """The boxes of each wave, in order."""
        found: defaultdict[Wave, list[Box]] = defaultdict(list)
        for box in sorted(self.waves):
            found[self.waves[box]].append(box)
        return {wave: tuple(found[wave]) for wave in sorted(found)}

    @cached_property
    def frames(self) -> Mapping[str, tuple[Box, ...]]:
        """The boxes of each frame, in order."""
        found: defaultdict[str, list[Box]] = defaultdict(list)
        for box in sorted(self.waves):
            found[box.frame].append(box)
        return {frame: tuple(boxes) for frame, boxes in found.items()}

    @cached_property
    def nearest(self) -> tuple[Arrow, ...]:
        """The arrows that do not follow from others, in order; inside one wave (instances in a circle) all of them."""
        before: defaultdict[Box, list[Box]] = defaultdict(list)
        for first, after in sorted(self.arrows):
            if self.waves[first] < self.waves[after]:
                before[after].append(first)
        reach = Reach(before, (box for boxes in self.columns.values() for box in boxes))
        level = [arrow for arrow in self.arrows if self.waves[arrow[0]] >= self.waves[arrow[1]]]
        return tuple(sorted([*((one, box) for box in self.waves for one in reach.nearest(box)), *level]))

    @cached_property
    def bold(self) -> frozenset[Arrow]:
        """The arrows along the critical path."""
        return frozenset(pairwise(self.critical))

    def after(self, arrows: Iterable[Arrow]) -> Mapping[Box, tuple[Box, ...]]:
        """What each box comes after, of these arrows."""
        found: defaultdict[Box, list[Box]] = defaultdict(list)
        for first, after in sorted(arrows):
            found[after].append(first)
        return {box: tuple(boxes) for box, boxes in found.items()}


def grouped(arrows: Iterator[tuple[Arrow, Edge]]) -> Mapping[Arrow, tuple[Edge, ...]]:
    """Every arrow once, with all the edges that it stands for."""
    found: defaultdict[Arrow, list[Edge]] = defaultdict(list)
    for arrow, edge in arrows:
        found[arrow].append(edge)
    return {arrow: tuple(edges) for arrow, edges in sorted(found.items())}
