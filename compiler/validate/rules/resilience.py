"""Rules about how many there are, and how many may be away: replicas and budgets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from compiler.model.chart import Component, Role
from compiler.model.diagnostic import Severity
from compiler.model.instance import Instance
from compiler.model.node import Node, Origin, ScalarNode
from compiler.relations.untyped import mapping
from compiler.survival import Budget, Pods, Protection, Row
from compiler.validate.rule import SITE_RULES, Finding, View, rule

_LEAST: Final = {Role.QUORUM: 3, Role.API: 2, Role.WORKER: 2}
_USUAL: Final = 3
"""Replicas of an API: with two, the loss of a host during a rollout leaves nobody."""

_STATELESS: Final = frozenset({Role.API, Role.WORKER})


@rule(SITE_RULES, "OS018", "API servers and workers have a second replica", promise=True)
def second_replica(view: View) -> Iterator[Finding]:
    """Check that components of the roles `api` and `worker` have at least two replicas, outside development.

    An API of two is a warning: three are what it takes to lose a host while another one is drained.

    Why it matters: one replica is gone for as long as its host is.

    Example: `replicas: {api: 1}` for keystone in a production site.

    Use instead: three for an API; a component that may only run once is a `singleton` and says why that is harmless.
    """
    for pods in _production(view):
        least = _LEAST[Role.API]
        if pods.plays in _STATELESS and pods.count < least:
            yield Finding(
                f"`{pods.name}` must have at least {least} replicas, but has {pods.count}",
                _written(view, pods),
                "3",
                pods.field_of_count,
            )
        elif pods.plays is Role.API and pods.count < _USUAL:
            message = (
                f"the API `{pods.name}` must have {_USUAL} replicas to lose a host while another one is drained, but "
                f"has {pods.count}"
            )
            yield Finding(message, _written(view, pods), "3", pods.field_of_count, severity=Severity.WARNING)


@rule(SITE_RULES, "OS019", "a quorum is odd, at least three, and fits its hosts", promise=True)
def quorum_counts(view: View) -> Iterator[Finding]:
    """Check that a component of the role `quorum` has an odd number of members, at least three, on as many hosts.

    Why it matters: an even member adds a failure and no tolerance; two members on one host are lost together.

    Example: `replicas: 4`, or five members where three hosts of the topology admit them.

    Use instead: 3, 5 or 7 members, and no more than there are hosts that admit them.
    """
    hosts = {row.pods.manifest.id: row.hosts for row in view.survey.rows if view.survey.topology is not None}
    for pods in _production(view):
        if pods.plays is not Role.QUORUM:
            continue
        least, count, room = _LEAST[Role.QUORUM], pods.count, hosts.get(pods.manifest.id)
        if count % 2 == 0 or count < least:
            hint = str(least) if count < least else f"{count - 1} or {count + 1}"
            message = f"`{pods.name}` must have an odd number of members, at least {least}, but has {count}"
            yield Finding(message, _written(view, pods), hint, pods.field_of_count)
        elif room and count > room:
            many = f"{room} host" + "s" * (room > 1)
            message = f"`{pods.name}` has {count} members, but the site's topology has {many} to put them on"
            fewer = f"{room - 1 + room % 2}, or " if room >= least else ""
            hint = f"{fewer}more hosts in `topology`"
            yield Finding(message, _written(view, pods), hint, pods.field_of_count)


@rule(SITE_RULES, "OS021", "a disruption budget protects, and lets hosts be drained", promise=True)
def budgets(view: View) -> Iterator[Finding]:
    """Check that each workload of several pods has one disruption budget, which allows a drain something, not too much.

    A quorum must keep its majority, an API and workers somebody. Two budgets for one pod are none: the eviction API
    refuses such a pod.

    Why it matters: without a budget, draining hosts one after another for an upgrade of Kubernetes takes the pods
    faster than they come back. A budget that allows nothing stops every drain, until somebody deletes it in a
    hurry.

    Example: `minAvailable: 3` of three replicas; `maxUnavailable: 2` of a quorum of three.

    Use instead: `maxUnavailable: 1` (`common.pdb`).
    """
    if view.site.development:
        return
    guards: defaultdict[tuple[str, str], list[Budget]] = defaultdict(list)
    for budget in view.survey.budgets:
        for pods in budget.selected:
            guards[pods.instance, str(pods.manifest.id)].append(budget)
    for row in view.survey.rows:
        yield from _guarded(view, row, guards[row.pods.instance, str(row.pods.manifest.id)])


def _guarded(view: View, row: Row, found: list[Budget]) -> Iterator[Finding]:
    pods = row.pods
    if not found and pods.count > 1 and row.needed:
        message = f"`{pods.name}` must have a disruption budget for its {pods.count} pods, but has none"
        yield Finding(message, _template(view, pods), "`maxUnavailable: 1`", pods.at())
    if len(found) > 1:
        names = ", ".join(budget.manifest.id.name for budget in found)
        message = (
            f"`{pods.name}` must have one disruption budget, but has {len(found)} ({names}): none of "
            "its pods can be evicted"
        )
        yield Finding(message, _template(view, pods), "one of them", pods.at())
    for budget in found:
        said = _said(row, budget)
        if said:
            yield _about(view, budget, f"{budget.manifest.id} {said}")


def _said(row: Row, budget: Budget) -> str:
    """What is wrong with the budget, for this workload."""
    match budget.protection(row.needed):
        case Protection.BLOCKS:
            return f"allows no pod of `{row.pods.name}` to be away: it blocks every drain"
        case Protection.IDLE if row.needed and row.pods.count > 1:
            left = max(0, budget.count - budget.allowed)
            return (
                f"protects nothing: it allows {budget.allowed} of the {budget.count} pods of `{row.pods.name}` to be "
                f"away, which leaves {left}, and {row.needed} must stay"
            )
        case _:
            return ""


def _about(view: View, budget: Budget, message: str) -> Finding:
    spec = mapping(budget.manifest.data(), "spec")
    key = "maxUnavailable" if "maxUnavailable" in spec else "minAvailable"
    subject = view.owner(budget.owner)
    origin = subject.origin(budget.manifest) if subject else None
    field = subject.field(budget.manifest, "spec", key) if subject else None
    return Finding(message, origin, "`maxUnavailable: 1`", field)


def _production(view: View) -> Iterator[Pods]:
    """Every workload of a site that is not a development one."""
    if not view.site.development:
        yield from view.survey.pods


def _template(view: View, pods: Pods) -> Origin | None:
    subject = view.owner(pods.instance)
    return subject.origin(pods.manifest) if subject else None


def _written(view: View, pods: Pods) -> Origin | None:
    """Where the count is written: in the values, where the contract says so, else in the template."""
    for instance, component, node in _counts(view):
        if instance.name == pods.instance and component.name == pods.component:
            return node.origin
    return _template(view, pods)


def _counts(view: View) -> Iterator[tuple[Instance, Component, Node]]:
    """Every component whose replicas are counted in the values, with the node that says it."""
    for instance in view.instances:
        contract = instance.chart.contract
        for component in contract.components if contract else ():
            path = component.replicas
            node = instance.values.get(*path) if isinstance(path, tuple) else None
            if isinstance(node, ScalarNode) and isinstance(node.value, int):
                yield instance, component, node
