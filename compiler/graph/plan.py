"""From rendered objects to the wave of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import chain

from compiler.graph.circles import refuse_circles
from compiler.graph.edges import awaited, declared, implied
from compiler.graph.gates import gating, pass_over, without_followers
from compiler.graph.homes import Homes, settle
from compiler.graph.hooks import admit, hooked
from compiler.graph.levels import levels, longest_chain
from compiler.graph.places import Places
from compiler.model.circles import groups
from compiler.model.instance import Instance
from compiler.model.manifest import Bundle, ObjectId
from compiler.model.names import InstanceName, Wave
from compiler.model.plan import Edge, Plan, Vertex
from compiler.model.site import Site


def plan(site: Site, instances: tuple[Instance, ...], bundles: tuple[Bundle, ...]) -> Plan:
    """The order of a site: a wave for every object of ``bundles``, and why.

    A vertex is a component of an instance that has an object; it waits for what its contract, its bindings and its
    objects' references, kinds and hooks say. Waves are global to the site and as few as possible; what gates nothing is
    in the last one. Equal input gives an equal plan, whatever the order of instances and bundles.

    Raises ``InputError`` with a drawing of every circle.
    """
    homes = settle(instances, bundles)
    present, gates = homes.vertices, gating(instances, bundles, homes)
    places = Places(site, instances)
    waited = awaited(instances, bundles, homes, places)
    gates = without_followers(gates, waited)
    asked, dropped = pass_over(declared(instances, bundles, homes), present, gates)
    asked = (*asked, *(edge for edge in waited if edge.before in gates))
    dropped = (*dropped, *(edge for edge in waited if edge.before not in gates))
    told = _in_order((*asked, *implied(bundles, homes, places)))
    kept, yielded = admit((edge for edge in hooked(bundles, homes, places) if edge.before in gates), told)
    edges = _in_order((*told, *kept))
    before = _predecessors(present, edges)
    depth = levels(before)
    if len(depth) < len(present):
        refuse_circles([edge for edge in edges if edge.after not in depth])
    last = max(depth.values(), default=0)
    at = {vertex: Wave(depth[vertex] if vertex in gates else last) for vertex in sorted(present)}
    of = _with_claims(homes, at)
    return Plan(
        waves={object_id: at[of[object_id]] for object_id in sorted(of)},
        levels=at,
        edges=edges,
        gating=gates,
        critical_path=longest_chain(before, depth),
        homes=of,
        dropped=_in_order(dropped),
        yielded=_in_order(yielded),
        ranks=_ranks(edges, bundles),
    )


def _in_order(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    """In order, and without edges to oneself."""
    return tuple(sorted({edge for edge in edges if edge.before != edge.after}, key=_place))


def _place(edge: Edge) -> tuple[str, ...]:
    before, after = edge.before, edge.after
    return (
        *(before.instance, before.component, before.consumer),
        *(after.instance, after.component, after.consumer),
        *(edge.why, str(edge.origin)),
    )


def _predecessors(vertices: Iterable[Vertex], edges: Iterable[Edge]) -> Mapping[Vertex, set[Vertex]]:
    before: dict[Vertex, set[Vertex]] = {vertex: set() for vertex in vertices}
    for edge in edges:
        before[edge.after].add(edge.before)
    return before


def _with_claims(homes: Homes, at: Mapping[Vertex, Wave]) -> Mapping[ObjectId, Vertex]:
    claims = {claim: min(users, key=lambda vertex: (at[vertex], vertex)) for claim, users in homes.claims.items()}
    return {**homes.of, **claims}


def _ranks(edges: Iterable[Edge], bundles: tuple[Bundle, ...]) -> Mapping[InstanceName, Wave]:
    """Levels of whole instances; a circle of instances is one vertex."""
    waits_for: dict[InstanceName, set[InstanceName]] = {bundle.instance: set() for bundle in bundles}
    for edge in edges:
        waits_for[edge.after.instance].add(edge.before.instance)
    circles = tuple(groups(waits_for))
    circle_of = {name: circle for circle in circles for name in circle}
    before: defaultdict[tuple[InstanceName, ...], set[tuple[InstanceName, ...]]] = defaultdict(set)
    for circle in circles:
        others = chain.from_iterable(waits_for[name] for name in circle)
        before[circle] = {circle_of[name] for name in others} - {circle}
    depth = levels(before)
    return {name: Wave(depth[circle_of[name]]) for name in sorted(circle_of)}
