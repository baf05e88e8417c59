"""Whether everything fits: requests against capacity, with every host up and after each loss.

Finding the best packing of pods with two sizes is as hard as bin packing, and the scheduler does not look for it: it
places one pod after another and moves none. So a packing is searched as the scheduler would, larger pods first, on the
emptiest host of the zone that has fewest of their kind; after a loss the lost pods are placed into what is free, and
only where that fails everything is packed anew. ``assured`` says where no order of placing could fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from operator import attrgetter

from compiler.survival.ground import HostClass
from compiler.survival.pods import Pods, Request


@dataclass(frozen=True, slots=True)
class Demand:
    """Pods that need room: how many of them, on hosts of which classes.

    ``single`` is whether no two may share a host, ``even`` whether a spread holds them apart, ``everywhere`` whether
    there is one on every such host (a DaemonSet), ``moves`` whether a lost one starts on another host.
    """

    pods: Pods
    count: int
    classes: frozenset[int]
    single: bool = False
    even: bool = False
    everywhere: bool = False
    moves: bool = True

    def cap(self, hosts: int) -> int:
        """The most on one of ``hosts``."""
        if self.single:
            return 1
        return -(-self.count // max(1, hosts)) if self.even else self.count

    def wanted(self, count: int, free: int) -> int:
        """How many of ``count`` want room while ``free`` hosts hold none: the others wait for a host instead."""
        return min(count, free) if self.single else count


@dataclass(frozen=True, slots=True)
class Shortage:
    """Pods that find no room: what was lost (nothing: every host is up), how many, and the sums that explain it."""

    loss: str
    demand: Demand
    count: int
    hosts: int
    asked: tuple[int, int]
    offered: tuple[float, float]


@dataclass(slots=True)
class _Host:
    """One host while pods are put on it; ``free`` is how empty it is."""

    kind: int
    zone: str
    cpu: float
    memory: float
    pods: int
    size: tuple[float, float]
    free: float = 1.0
    holds: Counter[int] = field(default_factory=Counter)

    def takes(self, demand: Demand) -> bool:
        """Whether one more of ``demand`` fits."""
        request = demand.pods.request
        return self.cpu >= request.cpu and self.memory >= request.memory and self.pods >= 1

    def put(self, index: int, demand: Demand, count: int = 1) -> None:
        """Put ``count`` of ``demand`` on it; a negative count takes them away."""
        self.cpu -= demand.pods.request.cpu * count
        self.memory -= demand.pods.request.memory * count
        self.pods -= count
        self.holds[index] += count
        self.free = self._emptiness()

    def _emptiness(self) -> float:
        """The mean free share of its resources, as the scheduler scores it."""
        cpu, memory = self.size
        known = [(self.cpu, cpu), (self.memory, memory)]
        shares = [left / whole for left, whole in known if 0 < whole < inf]
        return sum(shares) / len(shares) if shares else -1.0 / (1 + self.pods)


class Room:
    """The hosts of a site and what is asked of them."""

    def __init__(self, classes: Sequence[HostClass], demands: Iterable[Demand]) -> None:
        self.classes = tuple(classes)
        self.demands = tuple(sorted(demands, key=lambda each: (-each.pods.request.memory, -each.pods.request.cpu)))
        self.hosts, self.shortages = self._packed(Counter())

    def after(self, what: str, lost: Mapping[int, int]) -> tuple[Shortage, ...]:
        """What finds no room after ``lost[c]`` hosts of each class are gone; the fullest ones, as luck has it."""
        gone = self._fullest(lost)
        if not self._moved(gone):
            return ()
        _, short = self._packed(Counter(lost))
        return tuple(self._shortage(what, lost, index, count) for index, count in short)

    @property
    def short(self) -> tuple[Shortage, ...]:
        """What finds no room while every host is up."""
        return tuple(self._shortage("", {}, index, count) for index, count in self.shortages)

    def assured(self, lost: Mapping[int, int]) -> bool:
        """Whether, in whatever order and wherever pods are placed, each finds room after this loss.

        A host refuses a pod only when others fill it beyond what the pod leaves; together they cannot fill them all.
        """
        sizes: dict[frozenset[int], set[Request]] = {}
        for demand in self.demands:
            if not demand.everywhere:
                sizes.setdefault(demand.classes, set()).add(demand.pods.request)
        return all(self._never_full(classes, requests, lost) for classes, requests in sizes.items())

    def _never_full(self, classes: frozenset[int], requests: set[Request], lost: Mapping[int, int]) -> bool:
        left = {kind: self.classes[kind].hosts - lost.get(kind, 0) for kind in classes}
        others = [(self._pieces(each, left), each.pods.request) for each in self.demands if each.classes & classes]
        cpu = sum(count * request.cpu for count, request in others)
        memory = sum(count * request.memory for count, request in others)
        pieces = sum(count for count, _ in others)
        sizes = [(_size(self.classes[kind]), self.classes[kind].capacity.pods, count) for kind, count in left.items()]
        return all(
            _filled(cpu - request.cpu, [(size[0] - request.cpu, count) for size, _, count in sizes])
            + _filled(memory - request.memory, [(size[1] - request.memory, count) for size, _, count in sizes])
            + _filled(pieces - 1, [(float(pods - 1), count) for _, pods, count in sizes])
            < sum(left.values())
            for request in requests
        )

    def _pieces(self, demand: Demand, left: Mapping[int, int]) -> int:
        if demand.everywhere:
            return sum(left[kind] for kind in demand.classes if kind in left)
        return demand.count

    def _packed(self, lost: Counter[int]) -> tuple[list[_Host], list[tuple[int, int]]]:
        hosts = [
            _Host(kind, each.zone, *_size(each), each.capacity.pods, _size(each))
            for kind, each in enumerate(self.classes)
            for _ in range(each.hosts - lost[kind])
        ]
        short: list[tuple[int, int]] = []
        ordered = sorted(range(len(self.demands)), key=lambda index: not self.demands[index].everywhere)
        for index in ordered:
            demand = self.demands[index]
            fitting = [host for host in hosts if host.kind in demand.classes]
            if demand.everywhere:
                missing = sum(not _placed_one(host, index, demand) for host in fitting)
            else:
                missing = _placed(index, demand, demand.wanted(demand.count, len(fitting)), fitting)
            if missing:
                short.append((index, missing))
        return hosts, short

    def _fullest(self, lost: Mapping[int, int]) -> list[_Host]:
        gone = []
        for kind, count in lost.items():
            members = sorted((host for host in self.hosts if host.kind == kind), key=attrgetter("free"))
            gone += members[:count]
        return gone

    def _moved(self, gone: Sequence[_Host]) -> bool:
        """Whether anything that was on the hosts ``gone`` finds no room on the others; nothing is left moved."""
        away = {id(host) for host in gone}
        lost: Counter[int] = Counter()
        for host in gone:
            lost.update({index: count for index, count in host.holds.items() if self._movable(index)})
        moved: list[tuple[_Host, int]] = []
        near_of: dict[frozenset[int], list[_Host]] = {}
        short = False
        for index in sorted(lost):
            demand = self.demands[index]
            if demand.classes not in near_of:
                near_of[demand.classes] = [
                    host for host in self.hosts if host.kind in demand.classes and id(host) not in away
                ]
            near = near_of[demand.classes]
            wanted = demand.wanted(lost[index], sum(not host.holds[index] for host in near))
            short = bool(_placed(index, demand, wanted, near, moved)) or short
        for host, index in moved:
            host.put(index, self.demands[index], -1)
        return short

    def _movable(self, index: int) -> bool:
        return self.demands[index].moves and not self.demands[index].everywhere

    def _shortage(self, what: str, lost: Mapping[int, int], index: int, count: int) -> Shortage:
        demand = self.demands[index]
        left = {kind: self.classes[kind].hosts - lost.get(kind, 0) for kind in demand.classes}
        asking = [each for each in self.demands if each.classes <= demand.classes]
        asked = (
            sum(each.pods.request.cpu * self._pieces(each, left) for each in asking),
            sum(each.pods.request.memory * self._pieces(each, left) for each in asking),
        )
        sizes = [(_size(self.classes[kind]), number) for kind, number in left.items() if number]
        offered = (sum(size[0] * number for size, number in sizes), sum(size[1] * number for size, number in sizes))
        return Shortage(what, demand, count, sum(left.values()), asked, offered)


def _placed(
    index: int, demand: Demand, count: int, fitting: Sequence[_Host], moved: list[tuple[_Host, int]] | None = None
) -> int:
    """Put ``count`` pods on the emptiest hosts of the zones that have fewest of them; return how many found no room."""
    zones: dict[str, list[_Host]] = {}
    for host in sorted(fitting, key=attrgetter("free")):
        zones.setdefault(host.zone, []).append(host)
    cap = demand.cap(len(fitting))
    held = Counter({zone: sum(host.holds[index] for host in hosts) for zone, hosts in zones.items()})
    while count and zones:
        zone = min(zones, key=lambda each: (held[each], each))
        found = _next(zones[zone], index, demand, cap)
        if found is None:
            del zones[zone]
            continue
        found.put(index, demand)
        held[zone] += 1
        count -= 1
        if moved is not None:
            moved.append((found, index))
    return count


def _next(hosts: list[_Host], index: int, demand: Demand, cap: int) -> _Host | None:
    """The emptiest host (the last one) that takes one more; it goes to the front, and those that are full away."""
    while hosts:
        host = hosts.pop()
        if host.holds[index] < cap and host.takes(demand):
            hosts.insert(0, host)
            return host
    return None


def _placed_one(host: _Host, index: int, demand: Demand) -> bool:
    if not host.takes(demand):
        return False
    host.put(index, demand)
    return True


def _filled(asked: float, spare: Sequence[tuple[float, int]]) -> int:
    """How many hosts ``asked`` can fill beyond their ``spare``: the smallest first. One that has no spare is full."""
    full = 0
    for room, count in sorted(spare):
        if room == inf:
            continue
        possible = count if room < 0 else min(count, int(asked // (room + 1)))
        full += possible
        asked -= possible * (room + 1) if room >= 0 else 0
    return full


def _size(host: HostClass) -> tuple[float, float]:
    cpu, memory = host.capacity.cpu, host.capacity.memory
    return (inf if cpu is None else float(cpu), inf if memory is None else float(memory))
