"""A plan in words and pictures, component by component, with the critical path marked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise

from compiler.model.data import Data
from compiler.model.names import InstanceName, Wave
from compiler.model.plan import Plan, Vertex


def describe(plan: Plan) -> dict[str, Data]:
    """The plan for machines: every component with its wave, every edge with its reason and place."""
    return {
        "waves": plan.last + 1,
        "components": [_component(plan, vertex) for vertex in _by_wave(plan)],
        "edges": [
            {"before": str(edge.before), "after": str(edge.after), "why": edge.why, "place": str(edge.origin)}
            for edge in plan.edges
        ],
        "dropped": [
            {"before": str(edge.before), "after": str(edge.after), "why": edge.why, "place": str(edge.origin)}
            for edge in plan.dropped
        ],
        "criticalPath": [str(vertex) for vertex in plan.critical_path],
    }


def _component(plan: Plan, vertex: Vertex) -> dict[str, Data]:
    return {
        "component": str(vertex),
        "instance": vertex.instance,
        "wave": plan.levels[vertex],
        "gates": vertex in plan.gating,
        "critical": vertex in plan.critical_path,
    }


def text(plan: Plan) -> str:
    """One line a component, under its wave: what it comes after, ``*`` on the critical path, ``~`` if it gates nothing.

    Ends in the critical path, first to last, and in the edges that were dropped.
    """
    before = _before(plan)
    width = max((len(str(vertex)) for vertex in plan.levels), default=0)
    lines: list[str] = []
    for wave, vertices in _waves(plan):
        lines.append(f"wave {wave}")
        for vertex in vertices:
            after = ", ".join(str(one) for one in before[vertex])
            lines.append(f"  {_mark(plan, vertex)} {vertex!s:<{width}}  {f'after {after}' if after else ''}".rstrip())
    path = " -> ".join(str(vertex) for vertex in plan.critical_path)
    dropped = [f"dropped: {edge.after} after {edge.before}, which gates nothing" for edge in plan.dropped]
    return "\n".join([*lines, f"critical path: {path}", *dropped, ""])


def _mark(plan: Plan, vertex: Vertex) -> str:
    if vertex in plan.critical_path:
        return "*"
    return " " if vertex in plan.gating else "~"


def mermaid(plan: Plan) -> str:
    """A Mermaid flowchart: a box an instance, thick along the critical path, dashed frames for what gates nothing."""
    names = _names(plan)
    critical = set(pairwise(plan.critical_path))
    lines = ["flowchart LR"]
    for instance, vertices in _instances(plan):
        lines.append(f'  subgraph {names[vertices[0]]}i["{instance or "site"}"]')
        lines += [f'    {names[vertex]}["{_label(vertex)}"]' for vertex in vertices]
        lines.append("  end")
    for pair in _pairs(plan):
        lines.append(f"  {names[pair[0]]} {'==>' if pair in critical else '-->'} {names[pair[1]]}")
    lines.append("  classDef critical stroke-width:3px")
    lines.append("  classDef ungated stroke-dasharray:4")
    lines += [f"  class {names[vertex]} critical" for vertex in plan.critical_path]
    lines += [f"  class {names[vertex]} ungated" for vertex in sorted(plan.levels) if vertex not in plan.gating]
    return "\n".join([*lines, ""])


def dot(plan: Plan) -> str:
    """A Graphviz digraph: a cluster an instance, bold along the critical path, dashed frames for what gates nothing."""
    names = _names(plan)
    critical = set(pairwise(plan.critical_path))
    lines = ["digraph site {", "  rankdir=LR", "  node [shape=box]"]
    for instance, vertices in _instances(plan):
        lines.append(f"  subgraph cluster_{names[vertices[0]]} {{")
        lines.append(f'    label="{instance or "site"}"')
        lines += [f'    {names[vertex]} [label="{_label(vertex)}"{_style(plan, vertex)}]' for vertex in vertices]
        lines.append("  }")
    for pair in _pairs(plan):
        lines.append(f"  {names[pair[0]]} -> {names[pair[1]]}{' [style=bold]' if pair in critical else ''}")
    return "\n".join([*lines, "}", ""])


def _style(plan: Plan, vertex: Vertex) -> str:
    if vertex in plan.critical_path:
        return ", style=bold"
    return "" if vertex in plan.gating else ", style=dashed"


def _label(vertex: Vertex) -> str:
    return str(vertex).partition("/")[2]


def _names(plan: Plan) -> Mapping[Vertex, str]:
    return {vertex: f"v{number}" for number, vertex in enumerate(sorted(plan.levels))}


def _by_wave(plan: Plan) -> list[Vertex]:
    return sorted(plan.levels, key=lambda vertex: (plan.levels[vertex], vertex))


def _waves(plan: Plan) -> Iterator[tuple[Wave, list[Vertex]]]:
    found: defaultdict[Wave, list[Vertex]] = defaultdict(list)
    for vertex in _by_wave(plan):
        found[plan.levels[vertex]].append(vertex)
    yield from found.items()


def _instances(plan: Plan) -> Iterator[tuple[InstanceName, list[Vertex]]]:
    found: defaultdict[InstanceName, list[Vertex]] = defaultdict(list)
    for vertex in sorted(plan.levels):
        found[vertex.instance].append(vertex)
    yield from found.items()


def _before(plan: Plan) -> Mapping[Vertex, list[Vertex]]:
    found: defaultdict[Vertex, list[Vertex]] = defaultdict(list)
    for before, after in _pairs(plan):
        found[after].append(before)
    return found


def _pairs(plan: Plan) -> list[tuple[Vertex, Vertex]]:
    return sorted({(edge.before, edge.after) for edge in plan.edges})
