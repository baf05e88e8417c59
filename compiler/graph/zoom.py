"""A plan seen from afar or from near: its instances, its components, or its objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from compiler.graph.picture import Arrow, Box, Level, Picture, grouped
from compiler.model.manifest import ObjectId
from compiler.model.names import Wave
from compiler.model.plan import Edge, Plan, Vertex

RUNS: Final = frozenset(
    {"CronJob", "DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "ReplicationController", "StatefulSet"}
)
"""Kinds that make pods."""

_FEW: Final = 64
"""So many arrows between the objects of two components; where there would be more they go through one box."""


def picture(plan: Plan, level: Level = Level.COMPONENT) -> Picture:
    """What there is to draw of ``plan`` at ``level``."""
    return {Level.INSTANCE: _instances, Level.COMPONENT: _components, Level.OBJECT: _objects}[level](plan)


def _components(plan: Plan) -> Picture:
    boxes = {vertex: Box(vertex.instance or "site", vertex.short, str(vertex)) for vertex in plan.levels}
    return Picture(
        Level.COMPONENT,
        {boxes[vertex]: wave for vertex, wave in plan.levels.items()},
        frozenset(box for vertex, box in boxes.items() if vertex not in plan.gating),
        tuple(boxes[vertex] for vertex in plan.critical_path),
        grouped(((boxes[edge.before], boxes[edge.after]), edge) for edge in plan.edges),
        plan.dropped,
        plan.yielded,
    )


def _instances(plan: Plan) -> Picture:
    """Instances stand in their rank; those that wait for one another, through different components, share one."""
    boxes = {name: Box("", name or "site", name or "site") for name in plan.ranks}
    hard = {boxes[vertex.instance] for vertex in plan.gating}
    return Picture(
        Level.INSTANCE,
        {boxes[name]: rank for name, rank in plan.ranks.items()},
        frozenset(boxes.values()) - hard,
        tuple(dict.fromkeys(boxes[vertex.instance] for vertex in plan.critical_path)),
        grouped(
            ((boxes[edge.before.instance], boxes[edge.after.instance]), edge)
            for edge in plan.edges
            if edge.before.instance != edge.after.instance
        ),
        plan.dropped,
        plan.yielded,
    )


def _objects(plan: Plan) -> Picture:
    """Every object comes after what runs in the components before its own, or after all of such a component."""
    boxes = {one: Box(str(home), f"{one.kind} {one.name}", str(one)) for one, home in plan.homes.items()}
    members, heads = _members(plan), _heads(plan)
    waves: dict[Box, Wave] = {boxes[one]: wave for one, wave in plan.waves.items()}
    arrows = grouped(
        (arrow, edge)
        for edge in plan.edges
        for arrow in _between(edge, heads[edge.before], members[edge.after], boxes, waves)
    )
    soft = frozenset(boxes[one] for one, home in plan.homes.items() if home not in plan.gating)
    along = [[boxes[one] for one in heads[vertex]] for vertex in plan.critical_path]
    return Picture(Level.OBJECT, waves, soft, tuple(_chain(along, arrows)), arrows, plan.dropped, plan.yielded)


def _members(plan: Plan) -> Mapping[Vertex, tuple[ObjectId, ...]]:
    members: defaultdict[Vertex, list[ObjectId]] = defaultdict(list)
    for one, home in sorted(plan.homes.items()):
        members[home].append(one)
    return {vertex: tuple(found) for vertex, found in members.items()}


def _heads(plan: Plan) -> Mapping[Vertex, tuple[ObjectId, ...]]:
    """What runs in each component; where nothing runs, all of it."""
    return {
        vertex: tuple(one for one in found if one.kind in RUNS) or found for vertex, found in _members(plan).items()
    }


def _between(
    edge: Edge,
    before: Sequence[ObjectId],
    after: Sequence[ObjectId],
    boxes: Mapping[ObjectId, Box],
    waves: dict[Box, Wave],
) -> Iterator[Arrow]:
    """The arrows of one edge. A Namespace has none but to what lies in it; too many go through a box of their own."""
    if len(before) * len(after) > _FEW:
        hub = Box(str(edge.before), "all of it", f"all of {edge.before}")
        waves.setdefault(hub, waves[boxes[before[0]]])
        yield from ((boxes[one], hub) for one in before)
        yield from ((hub, boxes[other]) for other in after)
        return
    for one in before:
        for other in after:
            if one.kind != "Namespace" or other.namespace == one.name:
                yield boxes[one], boxes[other]


def _chain(along: Sequence[Sequence[Box]], arrows: Mapping[Arrow, object]) -> list[Box]:
    """One box for each step of the critical path, last to first: one with an arrow to the next, where there is one."""
    chain: list[Box] = []
    for boxes in reversed(along):
        led = [box for box in boxes if chain and (box, chain[0]) in arrows]
        chain.insert(0, (led or list(boxes))[0])
    return chain
