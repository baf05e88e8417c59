"""What may be waited for: one broken hypervisor must not stop a sync.

Node agents, cron jobs and jobs that follow a rollout gate nothing, and a component that is switched off renders
nothing. An edge that begins at one of them passes over it, to what it waits for itself: whoever comes after a component
that is not there still comes after that component's own predecessors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from compiler.graph.homes import SUPPLIED, Homes
from compiler.model.instance import Instance
from compiler.model.manifest import UNGATED, Bundle
from compiler.model.plan import Edge, Vertex

_UNGATED_KINDS: Final = frozenset({"DaemonSet", "CronJob"})


def gating(instances: tuple[Instance, ...], bundles: tuple[Bundle, ...], homes: Homes) -> frozenset[Vertex]:
    """The vertices that something may wait for.

    A contract says so of its components (``Component.gates``); a component that no contract knows gates unless all that
    it runs are DaemonSets and CronJobs.
    """
    contracts = {instance.name: instance.chart.contract for instance in instances}
    kinds: defaultdict[Vertex, set[str]] = defaultdict(set)
    for bundle in bundles:
        for manifest in bundle.manifests:
            if manifest.workload is not None:
                kinds[homes.of[manifest.id]].add(manifest.id.kind)

    def gates(vertex: Vertex) -> bool:
        if vertex.component in SUPPLIED or vertex.component in UNGATED:
            return vertex.component in SUPPLIED
        contract = contracts.get(vertex.instance)
        component = contract.component(vertex.component) if contract else None
        if component is not None:
            return component.gates
        return not kinds[vertex] or not kinds[vertex] <= _UNGATED_KINDS

    return frozenset(vertex for vertex in homes.vertices if gates(vertex))


def without_followers(gates: Collection[Vertex], waited: Iterable[Edge]) -> frozenset[Vertex]:
    """``gates`` without what waits, in its own pods, for something that gates nothing; directly or not.

    A Job that looks for an agent on some node cannot be done before the agents are there, and those come last: an
    engine that awaited the Job first would wait for ever.
    """
    after: defaultdict[Vertex, list[Vertex]] = defaultdict(list)
    for edge in waited:
        after[edge.before].append(edge.after)
    left = set(gates)
    ahead = [vertex for vertex in after if vertex not in left]
    while ahead:
        for follower in after.get(ahead.pop(), ()):
            if follower in left:
                left.remove(follower)
                ahead.append(follower)
    return frozenset(left)


def pass_over(
    edges: Iterable[Edge], present: Collection[Vertex], gates: Collection[Vertex]
) -> tuple[tuple[Edge, ...], tuple[Edge, ...]]:
    """``edges`` between vertices that are ``present``, every one beginning at one of ``gates``; and what was dropped.

    Dropped are the edges that begin at a vertex that is present and gates nothing.
    """
    into: defaultdict[Vertex, list[Edge]] = defaultdict(list)
    for edge in edges:
        into[edge.after].append(edge)
    kept: list[Edge] = []
    dropped: list[Edge] = []
    for after in present:
        for edge in into.get(after, ()):
            if edge.before in gates:
                kept.append(edge)
                continue
            if edge.before in present:
                dropped.append(edge)
            passed = "gates nothing" if edge.before in present else "renders nothing"
            why = f"{edge.why}, and `{edge.before}`, which {passed}, waits for it"
            kept += [Edge(before, after, why, edge.origin) for before in _gates_before(edge.before, into, gates)]
    return tuple(kept), tuple(dropped)


def _gates_before(
    vertex: Vertex, into: Mapping[Vertex, Collection[Edge]], gates: Collection[Vertex]
) -> tuple[Vertex, ...]:
    """The nearest vertices that gate, on every way that leads to ``vertex``."""
    found: set[Vertex] = set()
    seen = {vertex}
    queue = [vertex]
    while queue:
        for before in {edge.before for edge in into.get(queue.pop(), ())} - seen:
            seen.add(before)
            if before in gates:
                found.add(before)
            else:
                queue.append(before)
    return tuple(sorted(found))
