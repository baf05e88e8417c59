"""Every edge of a plan, against what an engine does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from compiler.model.manifest import ObjectId
from compiler.model.plan import Plan
from tests.delivery.files import members


def constructs(plan: Plan, held: Callable[[ObjectId, ObjectId], str], *, between: bool | None = None) -> Counter[str]:
    """What holds each edge; ``between`` instances, inside one, or (None) all of them. Fails on one that nothing holds."""
    found: Counter[str] = Counter()
    for edge in plan.edges:
        if between is None or between == (edge.before.instance != edge.after.instance):
            for before in members(plan, edge.before):
                for after in members(plan, edge.after):
                    construct = held(before, after)
                    assert construct or _after_its_pods(before, after), (
                        f"nothing holds {after} after {before}: {edge.why}"
                    )
                    found[construct] += 1
    return found


def _after_its_pods(before: ObjectId, after: ObjectId) -> bool:
    """Only pods wait, and only for what serves or runs; Applications apply everything else at once, which is harmless."""
    runs = {"Deployment", "StatefulSet", "DaemonSet", "Job"}
    return after.kind not in runs or before.kind not in runs
