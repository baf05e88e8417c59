"""The rule about quorums that become smaller."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compiler.model.chart import Component, Role
from compiler.model.diagnostic import Severity
from compiler.survival import Pods
from compiler.validate.previous import last_spec
from compiler.validate.rule import SITE_RULES, Finding, Subject, View, rule

_FEWEST: Final = 3
"""Members below which there is no minority to lose."""


@rule(SITE_RULES, "OS057", "a quorum keeps its majority when it becomes smaller")
def shrinks(view: View) -> Iterator[Finding]:
    """Check that a quorum is not left with half of the members of the last output, or with fewer.

    The output directory holds what was compiled last, and so how many members the cluster counts. A component that says
    how members leave (`leave` in component.yaml) may go from any number to any other. Other charts' StatefulSets of
    three or more, which no contract describes, are warned of.

    Why it matters: a controller stops the members that are too many; the cluster still counts them. Two that are gone
    of three, or four of five, are the majority: whoever is left answers nobody and takes no change, and cannot even
    forget the others.

    Example: `replicas: 1` for a broker that has run with three members.

    Use instead: smaller steps (five, three), each after its members have left; the chart's README says how they do. A
    waiver whose reason is that they have left, for the step from three to one; it is no mistake once the change is in
    the output, it simply ends.
    """
    if view.site.development:
        return
    for pods in view.survey.pods:
        subject = view.owner(pods.instance)
        component = _component(view, pods)
        counted = pods.kind == "StatefulSet" and pods.role in {Role.QUORUM, None}
        if subject is not None and counted and not (component and component.leave):
            yield from _shrunk(view, subject, pods)


def _shrunk(view: View, subject: Subject, pods: Pods) -> Iterator[Finding]:
    before = (last_spec(view, subject, pods.manifest) or {}).get("replicas")
    if not isinstance(before, int) or before < _FEWEST or pods.count > before // 2:
        return
    message = (
        f"`{pods.name}` is left with {pods.count} of the {before} members of the last output, which is no majority "
        "of them"
    )
    majority = before // 2 + 1
    step = majority + 1 - majority % 2
    hint = f"{step} members first" if step < before else "a waiver that says that the others have left"
    hint += "; `oscompile rule OS057` says how they leave"
    severity = None if pods.role is Role.QUORUM else Severity.WARNING
    yield Finding(message, subject.origin(pods.manifest), hint, pods.field_of_count, severity=severity)


def _component(view: View, pods: Pods) -> Component | None:
    """What the contract of the chart says of the component, where there is one."""
    contract = next((each.chart.contract for each in view.instances if each.name == pods.instance), None)
    return contract.component(pods.component) if contract is not None else None
