"""Where the pods of one workload may stand: the site's hosts in classes, and what the hard constraints make of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from compiler.model.topology import HOSTNAME, ZONE, Capacity, Hosts, Reach, Taint, Topology
from compiler.survival.pods import Pods, Spread
from compiler.survival.selectors import node_admits, tolerated
from compiler.survival.worst import Cell, Evenness, Law

_USUAL: Final = {"os": "linux", "arch": "amd64"}
"""What the kubelet says of every host that runs these charts."""


@dataclass(frozen=True, slots=True)
class HostClass:
    """Hosts that no constraint of this site tells apart. ``name`` is that of a single host whose name matters."""

    hosts: int
    zone: str
    labels: Mapping[str, str]
    taints: tuple[Taint, ...]
    capacity: Capacity
    name: str = ""

    def __str__(self) -> str:
        """As messages write one of them."""
        if self.name:
            return f"`{self.name}`"
        return f"a host of {self.zone}" if self.zone else "a host"


@dataclass(frozen=True, slots=True)
class Ground:
    """What the pods of one workload can stand on: ``cells[i]`` are hosts of the class ``classes[i]``."""

    cells: tuple[Cell, ...]
    classes: tuple[int, ...]
    law: Law

    @property
    def hosts(self) -> int:
        """How many hosts admit the pods."""
        return sum(cell.hosts for cell in self.cells if cell.cap)

    @property
    def zones(self) -> frozenset[str]:
        """The zones of these hosts."""
        return frozenset(cell.zone for cell in self.cells if cell.cap and cell.zone)


@dataclass(slots=True)
class Land:
    """All hosts of the site. Workloads that ask for the same stand on the same ground, which is found once."""

    topology: Topology
    classes: tuple[HostClass, ...]
    known: dict[tuple[object, ...], tuple[Ground, frozenset[int]]] = field(default_factory=dict)

    def ground(self, pods: Pods) -> Ground:
        """Where ``pods`` may stand."""
        return self._of(pods)[0]

    def admitted(self, pods: Pods) -> frozenset[int]:
        """The classes of hosts that admit ``pods``, for all that is not room."""
        return self._of(pods)[1]

    def _of(self, pods: Pods) -> tuple[Ground, frozenset[int]]:
        asked = (pods.count, pods.kind, pods.surge, pods.request, pods.apart, pods.spreads, pods.classes)
        key = (pods.stance, *asked)
        if key not in self.known:
            admitted = (index for index, each in enumerate(self.classes) if admits(pods, each, self.topology))
            self.known[key] = (ground(pods, self.classes, self.topology), frozenset(admitted))
        return self.known[key]


def _usual(group: Hosts) -> Mapping[str, str]:
    """What the kubelet says of each host by itself, by its old names too: Linux on amd64, unless the site says else."""
    said = {name: group.labels.get(f"kubernetes.io/{name}", usual) for name, usual in _USUAL.items()}
    return {f"{prefix}kubernetes.io/{name}": value for name, value in said.items() for prefix in ("", "beta.")}


def host_classes(topology: Topology, pods: Iterable[Pods]) -> tuple[HostClass, ...]:
    """The hosts of the site in classes: a group each, or each host by itself where a selector names hosts."""
    apart = any(
        HOSTNAME in str(each.spec.get("nodeSelector")) or "nodeAffinity" in str(each.spec.get("affinity"))
        for each in pods
    )
    found = []
    for group in topology.hosts:
        labels = {**_usual(group), **({ZONE: group.zone} if group.zone else {}), **group.labels}
        if apart and group.names:
            found += [
                HostClass(1, group.zone, {**labels, HOSTNAME: name}, group.taints, group.capacity, name)
                for name in group.names
            ]
        else:
            found.append(HostClass(group.count, group.zone, labels, group.taints, group.capacity))
    return tuple(found)


def ground(pods: Pods, classes: Sequence[HostClass], topology: Topology) -> Ground:
    """The hosts that admit ``pods``, how many of them one can hold, and what binds their placement.

    A constraint that is not understood here is left out, so that more placements are considered than there are, never
    fewer: anti-affinity and affinity to other workloads, and domains other than hosts and zones.
    """
    cells, members = [], []
    for index, each in enumerate(classes):
        cap = _cap(pods, each, topology)
        if cap or any(_counted(spread, pods, each) for spread in pods.spreads):
            cells.append(Cell(each.hosts, cap, each.zone))
            members.append(index)
    return _bound(pods, cells, members)


def without(pods: Pods, ground: Ground, lost: Mapping[int, int]) -> Ground:
    """The ground after ``lost[i]`` hosts of ``ground.cells[i]`` are gone.

    A dead host keeps its node for a while: a spread that does not honour taints still counts it as an empty domain.
    """
    stays = any(not spread.taints for spread in pods.spreads)
    cells, members = [], []
    for index, cell in enumerate(ground.cells):
        gone = lost.get(index, 0)
        for hosts, cap in ((cell.hosts - gone, cell.cap), (gone if stays else 0, 0)):
            if hosts:
                cells.append(Cell(hosts, cap, cell.zone))
                members.append(ground.classes[index])
    return _bound(pods, cells, members)


def _bound(pods: Pods, cells: list[Cell], members: list[int]) -> Ground:
    """What binds ``pods`` on these cells."""
    hosts, zones = sum(cell.hosts for cell in cells), len({cell.zone for cell in cells})
    over_hosts, most_host = _evenness(pods, _spread(pods, HOSTNAME), hosts)
    over_zones, most_zone = _evenness(pods, _spread(pods, ZONE), zones)
    if most_host is not None:
        cells = [Cell(cell.hosts, min(cell.cap, most_host), cell.zone) for cell in cells]
    zone = 1 if ZONE in pods.apart else most_zone
    return Ground(tuple(cells), tuple(members), Law(pods.count, over_hosts, over_zones, zone))


def admits(pods: Pods, host: HostClass, topology: Topology) -> bool:
    """Whether the scheduler may put one of ``pods`` on ``host``, for all that is not room."""
    if not node_admits(pods.spec, host.labels, host.name) or not tolerated(host.taints, pods.spec):
        return False
    zoned = ZONE in pods.apart or _spread(pods, ZONE) is not None
    if zoned and not host.zone:
        return False
    return all(host.zone in zones for zones in _volume_zones(pods, topology))


def _volume_zones(pods: Pods, topology: Topology) -> list[tuple[str, ...]]:
    known = [topology.storage_class(name) for name in pods.classes]
    return [each.zones for each in known if each is not None and each.zones]


def bound_to(pods: Pods, topology: Topology) -> Reach:
    """How far a pod can move once it has run: as far as its volumes; of a class that nobody described, nowhere."""
    reaches = []
    for name in pods.classes:
        known = topology.storage_class(name)
        reaches.append(known.reach if known is not None else Reach.HOST)
    return min(reaches, key=list(Reach).index, default=Reach.SITE)


def _cap(pods: Pods, host: HostClass, topology: Topology) -> int:
    if not admits(pods, host, topology):
        return 0
    caps = [pods.count, host.capacity.pods]
    if host.capacity.cpu is not None and pods.request.cpu:
        caps.append(host.capacity.cpu // pods.request.cpu)
    if host.capacity.memory is not None and pods.request.memory:
        caps.append(host.capacity.memory // pods.request.memory)
    return min([*caps, 1] if HOSTNAME in pods.apart else caps)


def _counted(spread: Spread, pods: Pods, host: HostClass) -> bool:
    """Whether the scheduler counts ``host`` as a domain of ``spread`` even where it admits no pod."""
    affinity = not spread.affinity or node_admits(pods.spec, host.labels, host.name)
    return (
        affinity
        and (not spread.taints or tolerated(host.taints, pods.spec))
        and (spread.key != ZONE or bool(host.zone))
    )


def _spread(pods: Pods, key: str) -> Spread | None:
    """The narrowest constraint over domains of ``key``."""
    return min((each for each in pods.spreads if each.key == key), key=lambda each: each.skew, default=None)


def _evenness(pods: Pods, spread: Spread | None, domains: int) -> tuple[Evenness | None, int | None]:
    """What a spread comes to when everything has rolled out: evenness, or only a most for each domain.

    A Deployment whose revisions are counted together places new pods by counts in which old ones stand, and these go
    away: the k-th pod of a domain can be placed while every other domain holds k - skew, old ones included.
    """
    if spread is None:
        return None, None
    floored = domains < spread.domains
    if pods.kind != "Deployment" or spread.apart or floored:
        return Evenness(spread.skew, floored), None
    others, most = pods.count + pods.surge - 1, spread.skew
    while most + (domains - 1) * (most + 1 - spread.skew) <= others:
        most += 1
    return None, most
