"""What the site survives: every workload against every loss, and room for what must start again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from typing import Final

from compiler.model.chart import Role
from compiler.model.instance import Instance
from compiler.model.manifest import Bundle
from compiler.model.site import Site
from compiler.model.topology import HOSTNAME, Reach, Topology
from compiler.survival.budgets import Budget, Protection, budgets, by_workload
from compiler.survival.ground import Ground, HostClass, Land, bound_to, host_classes, without
from compiler.survival.pods import STAYING, Pods, read
from compiler.survival.room import Demand, Room, Shortage
from compiler.survival.worst import worst


@dataclass(frozen=True, slots=True)
class Loss:
    """What the worst loss of a kind takes from a workload.

    ``avoidable`` is whether another placement on the same hosts would survive it; ``waits`` how many pods find no host
    that admits them until the lost ones are back.
    """

    what: str
    taken: int
    left: int
    survives: bool
    avoidable: bool
    waits: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One workload: what of it must stay, where it may stand, and what each kind of loss takes from it."""

    pods: Pods
    needed: int
    hosts: int
    zones: tuple[str, ...]
    placed: int
    host: Loss | None
    zone: Loss | None
    pair: Loss | None
    budget: Budget | None
    moves: Reach

    @property
    def protection(self) -> Protection:
        """What its budget does for it."""
        return self.budget.protection(self.needed) if self.budget else Protection.NONE

    @property
    def quorum(self) -> bool:
        """Whether a majority of it must stay."""
        return self.needed > 1

    @property
    def even(self) -> bool:
        """Whether it is a quorum with one member more than its tolerance needs."""
        return self.pods.role is Role.QUORUM and self.pods.count % 2 == 0


@dataclass(frozen=True, slots=True)
class Survey:
    """What was proved of a site, and all the pods that it was proved from.

    Without a topology ``rows`` say what is asked for, and nothing is proved.

    ``tight`` names the losses after which everything was placed, but another order of placing might fail; ``doubts``
    are what the site does not say and the proof would need.
    """

    site: str
    development: bool
    topology: Topology | None
    rows: tuple[Row, ...]
    shortages: tuple[Shortage, ...] = ()
    tight: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    pairs: bool = False
    pods: tuple[Pods, ...] = ()
    budgets: tuple[Budget, ...] = ()


def survey(site: Site, instances: Iterable[Instance], bundles: Iterable[Bundle], *, pairs: bool = False) -> Survey:
    """Prove what ``site`` survives from its topology and from what it rendered.

    Every placement that the scheduler's hard constraints allow on hosts that are all up is considered, and each single
    host, each zone and, with ``pairs``, each two hosts are taken away. Promises that a workload that is said to survive
    does so wherever its pods were placed; pure, and the same on every machine.
    """
    bundles = tuple(bundles)
    pods = read(instances, bundles)
    guards = budgets(bundles, pods)
    protected = by_workload(guards)
    staying = [each for each in pods if each.kind in STAYING and each.count and each.role not in _PASSING]
    if site.topology is None or site.development:
        rows = tuple(_unproved(each, protected) for each in staying)
        return Survey(site.name, site.development, site.topology, rows, pods=pods, budgets=guards)
    land = Land(site.topology, host_classes(site.topology, pods))
    losses = _losses(land.classes, pairs=pairs)
    prover = _Prover(land, losses, protected)
    rows = tuple(prover.row(each) for each in staying)
    shortages, tight = _room(land, losses, pods)
    return Survey(
        site.name,
        development=False,
        topology=site.topology,
        rows=rows,
        shortages=shortages,
        tight=tight,
        doubts=tuple(_doubts(site.topology, pods)),
        pairs=pairs,
        pods=pods,
        budgets=guards,
    )


_PASSING: Final = frozenset({Role.JOB, Role.CRON, Role.AGENT})


@dataclass(frozen=True, slots=True)
class _Away:
    """One loss: hosts of each class that go together."""

    kind: str
    what: str
    lost: tuple[tuple[int, int], ...]


def _losses(classes: Sequence[HostClass], *, pairs: bool) -> tuple[_Away, ...]:
    found = [_Away("host", str(each), ((index, 1),)) for index, each in enumerate(classes)]
    zones: dict[str, list[tuple[int, int]]] = {}
    for index, each in enumerate(classes):
        if each.zone:
            zones.setdefault(each.zone, []).append((index, each.hosts))
    found += [_Away("zone", zone, tuple(lost)) for zone, lost in zones.items()]
    if pairs:
        found += _pairs(classes)
    return tuple(found)


def _pairs(classes: Sequence[HostClass]) -> Iterator[_Away]:
    for one, other in combinations_with_replacement(range(len(classes)), 2):
        if one != other:
            yield _Away("pair", f"{classes[one]} and {classes[other]}", ((one, 1), (other, 1)))
        elif classes[one].hosts > 1:
            name = classes[one].zone
            yield _Away("pair", f"two hosts of {name}" if name else "two hosts", ((one, 2),))


@dataclass(slots=True)
class _Prover:
    """Proves one workload after another; equal questions are answered once."""

    land: Land
    losses: Sequence[_Away]
    protected: Mapping[tuple[str, str], Budget]
    known: dict[tuple[object, ...], tuple[int, Mapping[str, Loss]]] = field(default_factory=dict)

    def row(self, pods: Pods) -> Row:
        """What each kind of loss takes from ``pods``."""
        stand = self.land.ground(pods)
        key = (stand, needed(pods), pods.spreads, pods.apart, pods.kind, pods.surge)
        if key not in self.known:
            self.known[key] = self._losses(pods, stand)
        placed, worst_of = self.known[key]
        return Row(
            pods,
            needed(pods),
            stand.hosts,
            tuple(sorted(stand.zones)),
            placed,
            worst_of.get("host"),
            worst_of.get("zone"),
            worst_of.get("pair"),
            self.protected.get((pods.instance, str(pods.manifest.id))),
            bound_to(pods, self.land.topology),
        )

    def _losses(self, pods: Pods, stand: Ground) -> tuple[int, Mapping[str, Loss]]:
        """How many can be placed at all, and the worst loss of each kind."""
        placed = worst(stand.cells, stand.law, {}).placed
        worst_of: dict[str, Loss] = {}
        for away in self.losses:
            loss = _loss(pods, stand, placed, away)
            known = worst_of.get(away.kind)
            if loss is not None and (known is None or (loss.left, -loss.waits) < (known.left, -known.waits)):
                worst_of[away.kind] = loss
        return placed, worst_of


def _loss(pods: Pods, stand: Ground, placed: int, away: _Away) -> Loss | None:
    lost = dict(away.lost)
    gone = {index: lost[kind] for index, kind in enumerate(stand.classes) if kind in lost}
    if not gone:
        return None
    taken = worst(stand.cells, stand.law, gone).taken
    rest = without(pods, stand, gone) if taken else stand
    return Loss(
        away.what,
        taken,
        placed - taken,
        survives=placed - taken >= needed(pods),
        avoidable=_avoidable(stand, pods.count, needed(pods), away.kind),
        waits=placed - min(placed, worst(rest.cells, rest.law, {}).placed),
    )


def needed(pods: Pods) -> int:
    """How many must stay for the service to go on: a majority of a quorum, one of several equals, none of one alone.

    A StatefulSet of three or more that no contract describes is taken for a quorum.
    """
    if pods.plays is Role.QUORUM:
        return pods.count // 2 + 1
    several = pods.role in {Role.API, Role.WORKER} or (pods.role is None and pods.count > 1)
    return 1 if several else 0


def _avoidable(stand: Ground, count: int, need: int, kind: str) -> bool:
    """Whether some placement on these hosts keeps ``need``: no domain may hold more than can be spared."""
    spare = count - need
    if kind == "zone":
        zones: dict[str, int] = {}
        for cell in stand.cells:
            zones[cell.zone] = zones.get(cell.zone, 0) + cell.hosts * cell.cap
        return sum(min(spare, room) for room in zones.values()) >= count
    hosts = spare if kind == "host" else spare // 2
    return sum(cell.hosts * min(hosts, cell.cap) for cell in stand.cells) >= count


def _unproved(pods: Pods, protected: Mapping[tuple[str, str], Budget]) -> Row:
    budget = protected.get((pods.instance, str(pods.manifest.id)))
    return Row(pods, needed(pods), 0, (), 0, None, None, None, budget, Reach.SITE)


def _room(land: Land, losses: Sequence[_Away], pods: Sequence[Pods]) -> tuple[tuple[Shortage, ...], tuple[str, ...]]:
    """What finds no room, and the losses after which it is a matter of order; nothing where no host has a capacity."""
    if all(each.capacity.cpu is None and each.capacity.memory is None for each in land.classes):
        return (), ()
    room = Room(land.classes, [_demand(each, land) for each in pods if each.count])
    if room.short:
        return room.short, ()
    found: list[Shortage] = []
    tight: list[str] = []
    for away in losses:
        short = room.after(away.what, dict(away.lost))
        found += short
        if not short and away.kind == "host" and not room.assured(dict(away.lost)):
            tight.append(away.what)
    return tuple(found), tuple(tight)


def _demand(pods: Pods, land: Land) -> Demand:
    moves = bound_to(pods, land.topology) is not Reach.HOST and pods.kind != "DaemonSet"
    return Demand(
        pods,
        pods.count,
        land.admitted(pods),
        single=HOSTNAME in pods.apart,
        even=bool(pods.spreads),
        everywhere=pods.kind == "DaemonSet",
        moves=moves,
    )


def _doubts(topology: Topology, pods: Sequence[Pods]) -> Iterator[str]:
    """What the site leaves unsaid."""
    if any(each.capacity.cpu is None or each.capacity.memory is None for each in topology.hosts):
        yield "some hosts do not say what they offer (`topology.hosts[].capacity`), so nobody knows what fits"
    unknown = sorted(
        {name or "the default class" for each in pods for name in each.classes if not topology.storage_class(name)}
    )
    if unknown:
        listed = ", ".join(name if name == "the default class" else f"`{name}`" for name in unknown)
        yield f"`topology.storageClasses` does not describe {listed}: its volumes are taken to hold pods on their host"
    unsized = sorted({each.name for each in pods if each.unsized})
    if unsized:
        more = f" and {len(unsized) - 3} more" if len(unsized) > 3 else ""  # noqa: PLR2004 - three are shown
        yield f"containers without requests count as nothing: {', '.join(unsized[:3])}{more}"
