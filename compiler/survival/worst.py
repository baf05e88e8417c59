"""The worst placement of one workload's pods: how many of them a loss can take away.

The scheduler's hard constraints on pods that are equal bound counts: of a host, of a zone, of the whole, each within
the next. Such bounds nest (they are a laminar family), and then the largest number of pods inside a loss has a closed
form for any given least count of a host and of a zone; trying the few least counts that are possible makes it exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True, slots=True)
class Cell:
    """Equal hosts of one zone.

    ``cap`` is how many of the pods one of them can hold at most: 0 where it admits none but is counted as a domain.
    """

    hosts: int
    cap: int
    zone: str


@dataclass(frozen=True, slots=True)
class Evenness:
    """A spread that binds: no domain holds more than ``skew`` more than the emptiest; than none, where ``floored``."""

    skew: int
    floored: bool = False


@dataclass(frozen=True, slots=True)
class Law:
    """What binds the pods of one workload beside the caps of its cells: ``zone`` is the most that a zone may hold."""

    count: int
    over_hosts: Evenness | None = None
    over_zones: Evenness | None = None
    zone: int | None = None


@dataclass(frozen=True, slots=True)
class Worst:
    """The most that a loss takes away, of those that can be placed at all."""

    taken: int
    placed: int


@dataclass(frozen=True, slots=True)
class _Range:
    """Bounds of one zone: of the pods inside the loss, of those outside it, and of both together."""

    inside: tuple[int, int]
    outside: tuple[int, int]
    whole: tuple[int, int]

    @property
    def most_inside(self) -> int:
        """As many inside as both bounds allow."""
        return min(self.inside[1], self.whole[1] - self.outside[0])


def worst(cells: Sequence[Cell], law: Law, lost: Mapping[int, int]) -> Worst:
    """The worst placement for the loss of ``lost[i]`` hosts of ``cells[i]``.

    Promises the exact maximum over all placements that keep ``law``; where not all pods can be placed, over those that
    place as many as possible. Three members that nothing binds can all be on the host that is lost, and a spread that
    binds leaves it one:

    >>> cells = [Cell(2, 3, "a"), Cell(1, 3, "b")]
    >>> worst(cells, Law(3), {0: 1})
    Worst(taken=3, placed=3)
    >>> worst(cells, Law(3, over_hosts=Evenness(1)), {0: 1})
    Worst(taken=1, placed=3)
    """
    shapes = [shape for shape in _shapes(cells, law, lost) if all(each.whole[0] <= each.whole[1] for each in shape)]
    bounds = [(sum(each.whole[0] for each in shape), sum(each.whole[1] for each in shape)) for shape in shapes]
    placed = max((min(law.count, most) for least, most in bounds if least <= law.count), default=0)
    taken = [
        _inside(shape, placed) for shape, (least, most) in zip(shapes, bounds, strict=True) if least <= placed <= most
    ]
    return Worst(max(taken, default=0), placed)


def _inside(shape: Sequence[_Range], count: int) -> int:
    """The most of ``count`` pods that can be inside: fill the inside, then take back what is above the count."""
    filled = sum(max(each.whole[0], each.most_inside + each.outside[0]) for each in shape)
    return sum(each.most_inside for each in shape) - max(0, filled - count)


def _shapes(cells: Sequence[Cell], law: Law, lost: Mapping[int, int]) -> Iterator[list[_Range]]:
    """Every choice of the least count of a host and of a zone, with the bounds that follow."""
    zones: dict[str, list[int]] = {}
    for index, cell in enumerate(cells):
        zones.setdefault(cell.zone, []).append(index)
    hosts = sum(cell.hosts for cell in cells)
    least_host = min((cell.cap for cell in cells), default=0)
    for host, zone in product(
        _floors(law.over_hosts, law.count, hosts, least_host), _floors(law.over_zones, law.count, len(zones), law.count)
    ):
        top = law.count if law.over_hosts is None else host + law.over_hosts.skew
        high = law.count if law.over_zones is None else zone + law.over_zones.skew
        ceiling = high if law.zone is None else min(high, law.zone)
        yield [
            _range([(cells[i], lost.get(i, 0)) for i in members], host, top, zone, ceiling)
            for members in zones.values()
        ]


def _floors(evenness: Evenness | None, count: int, domains: int, most: int) -> range:
    if evenness is None or evenness.floored:
        return range(1)
    return range(min(count // max(1, domains), most) + 1)


def _range(members: Sequence[tuple[Cell, int]], host: int, top: int, zone: int, ceiling: int) -> _Range:
    inside = _sum((cell, gone) for cell, gone in members)
    outside = _sum((cell, cell.hosts - gone) for cell, gone in members)
    low = (inside * host, outside * host)
    inside_most = sum(gone * min(cell.cap, top) for cell, gone in members)
    outside_most = sum((cell.hosts - gone) * min(cell.cap, top) for cell, gone in members)
    whole = (max(zone, sum(low)), min(ceiling, inside_most + outside_most))
    return _Range((low[0], inside_most), (low[1], outside_most), whole)


def _sum(members: Iterator[tuple[Cell, int]]) -> int:
    return sum(number for _, number in members)
