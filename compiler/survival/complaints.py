"""What is wrong with a site that would not survive, workload by workload, and what to change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Final

from compiler.model.diagnostic import Severity
from compiler.model.manifest import Field
from compiler.model.quantity import cpu_text, memory_text, whole
from compiler.model.topology import HOSTNAME, ZONE
from compiler.relations.untyped import items, mapping
from compiler.survival.pods import Pods
from compiler.survival.room import Shortage
from compiler.survival.survey import Loss, Row, Survey

_NOWHERE: Final = "runs nowhere"


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is lost: ``word`` is its verdict in a table, ``field`` what of the rendered object decides it."""

    pods: Pods
    word: str
    message: str
    hint: str
    field: Field
    severity: Severity


def complaints(survey: Survey) -> tuple[Complaint, ...]:
    """Everything that a loss takes from the site for good or for too long. Warnings where no contract gives a role."""
    found = [each for row in survey.rows for each in of_row(row, survey)]
    told = {id(each.pods) for each in found if each.word == _NOWHERE}
    short = (each for each in survey.shortages if id(each.demand.pods) not in told)
    return (*found, *(_no_room(each) if each.demand.classes else _homeless(each.demand.pods, survey) for each in short))


def of_row(row: Row, survey: Survey) -> Iterator[Complaint]:
    """What is wrong with one workload: that it cannot be placed, or else what a host or a zone takes from it."""
    if survey.topology is None or survey.development:
        return
    if not row.hosts:
        yield _homeless(row.pods, survey)
    elif row.placed < row.pods.count:
        yield _cramped(row)
    elif row.host is not None and not row.host.survives:
        yield _lost(row, row.host, HOSTNAME)
    elif row.zone is not None and not row.zone.survives and (row.zone.avoidable or len(row.zones) > 1):
        yield _lost(row, row.zone, ZONE)
    elif row.zone is not None and not row.zone.survives and len(_all_zones(survey)) > 1:
        yield _one_zone(row, row.zone)


def _severity(row: Row, *, avoidable: bool = True) -> Severity:
    return Severity.ERROR if row.pods.role is not None and avoidable else Severity.WARNING


def _homeless(pods: Pods, survey: Survey) -> Complaint:
    hosts = f"none of the {survey.topology.count} hosts of the topology" if survey.topology else "no host"
    wants, where, hint = _wants(pods, survey)
    message = f"`{pods.name}` can run nowhere: {hosts} admits it; {wants}"
    return Complaint(pods, _NOWHERE, message, hint, where, Severity.ERROR if pods.role else Severity.WARNING)


def _wants(pods: Pods, survey: Survey) -> tuple[str, Field, str]:
    """What keeps the pods off every host, the field that says it, and what to change."""
    asked = [f"`{key}: {value}`" for key, value in mapping(pods.spec, "nodeSelector").items()]
    sizes = [group.capacity for group in survey.topology.hosts] if survey.topology else []
    if not any((each.cpu or inf) >= pods.request.cpu and (each.memory or inf) >= pods.request.memory for each in sizes):
        size = _sum(pods.request.cpu, pods.request.memory)
        return f"each pod asks for {size}", _weighing(pods), "smaller `resources.requests`, or a larger host"
    if asked:
        hint = "the labels in `topology.hosts[].labels`, or another `nodeSelector`"
        return f"its node selector asks for {', '.join(asked)}", pods.at("nodeSelector"), hint
    return "affinity, taints or volumes keep it off each", pods.at(), "`topology.hosts`"


def _cramped(row: Row) -> Complaint:
    away = row.pods.count - row.placed
    message = (
        f"only {row.placed} of the {row.pods.count} pods of `{row.pods.name}` can be placed on the {_hosts(row.hosts)} "
        f"that admit them: {away} would wait for ever"
    )
    hint = f"at most {row.placed} replicas, or more hosts, or a spread that binds less"
    return Complaint(row.pods, f"{away} cannot start", message, hint, _deciding(row.pods), _severity(row))


def _lost(row: Row, loss: Loss, key: str) -> Complaint:
    """A quorum without its majority, or an API with nobody left."""
    kind = "host" if key == HOSTNAME else "zone"
    where = loss.what if kind == "host" else f"the zone {loss.what}"
    result = f"{loss.left} would be left, and it needs {row.needed}" if row.quorum else "nobody would be left"
    message = (
        f"`{row.pods.name}` does not survive the loss of {where}: {loss.taken} of its {row.pods.count} pods may be "
        f"there, {result}"
    )
    if row.pods.count == row.needed:
        hint = "more replicas: " + ("3" if row.pods.count < 3 else str(row.pods.count + 1))  # noqa: PLR2004 - a quorum
    elif loss.avoidable and any(spread.key == key for spread in row.pods.spreads):
        hint = "`matchLabelKeys: [pod-template-hash]` in the spread: it counts old pods of a rollout that then go away"
    elif loss.avoidable:
        hint = f"a topology spread over `{key}` with `whenUnsatisfiable: DoNotSchedule`; a preferred one is not kept"
    else:
        count = row.hosts if kind == "host" else len(row.zones)
        hint = f"more {kind}s in `topology` that admit it ({count} do)"
    field = _deciding(row.pods) if row.pods.count > row.needed else row.pods.field_of_count
    return Complaint(
        row.pods,
        f"lost with a {kind}",
        message,
        hint,
        field,
        _severity(row, avoidable=loss.avoidable or kind == "host"),
    )


def _one_zone(row: Row, loss: Loss) -> Complaint:
    volumes = [name or "the default class" for name in row.pods.classes]
    why = f"its volumes, of {', '.join(volumes)}, keep it there" if volumes else "its selectors keep it there"
    message = f"`{row.pods.name}` does not survive the loss of the zone {loss.what}: all of it must be there; {why}"
    hint = "a storage class that reaches every zone, or hosts of other zones for it"
    return Complaint(row.pods, "lost with a zone", message, hint, _deciding(row.pods), _severity(row))


def _no_room(shortage: Shortage) -> Complaint:
    pods, request = shortage.demand.pods, shortage.demand.pods.request
    when = f"after the loss of {shortage.loss}" if shortage.loss else "even while every host is up"
    cpu, memory = shortage.asked
    pieces = all(asked <= offered for asked, offered in zip(shortage.asked, shortage.offered, strict=True))
    message = (
        f"{shortage.count} of the pods of `{pods.name}` ({_sum(request.cpu, request.memory)} each) "
        f"find no room {when}: "
        f"the {_hosts(shortage.hosts)} that admit them offer {_sum(*shortage.offered)}, "
        f"and {_sum(cpu, memory)} are asked of them"
        f"{', in pieces that do not fit together' * pieces}"
    )
    hint = "smaller `resources.requests`, fewer replicas, or more hosts in `topology`"
    return Complaint(
        pods, "does not fit", message, hint, _weighing(pods), Severity.ERROR if pods.role else Severity.WARNING
    )


def _sum(cpu: float, memory: float) -> str:
    parts = [f"{cpu_text(int(cpu))} processors"] if cpu != inf else []
    parts += [f"{memory_text(int(memory))} of memory"] if memory != inf else []
    return " and ".join(parts)


def _weighing(pods: Pods) -> Field:
    """The field that decides how large a pod is: the requests of its largest container."""
    sizes = [
        (whole(mapping(each, "resources", "requests").get("memory")) or 0, -index)
        for index, each in enumerate(items(pods.spec, "containers"))
    ]
    return pods.at("containers", -max(sizes, default=(0, 0))[1], "resources", "requests")


def _deciding(pods: Pods) -> Field:
    """The field that decides where the pods may stand."""
    for key in ("topologySpreadConstraints", "affinity"):
        if pods.spec.get(key):
            return pods.at(key)
    return pods.at()


def _all_zones(survey: Survey) -> set[str]:
    return {group.zone for group in survey.topology.hosts if group.zone} if survey.topology else set()


def _hosts(count: int) -> str:
    return "1 host" if count == 1 else f"{count} hosts"
