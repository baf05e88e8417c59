"""Findings get the place of the value that decides the field which they are about.

A rule sees rendered objects, and knows which template rendered them; it cannot know where somebody set the value that
is wrong. All fields of an instance are asked about at once, and what was found is kept by content: a site with
hundreds of findings is traced once, and within a bound on renders.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from compiler.cache import Store
from compiler.errors import InputError
from compiler.model.data import Data
from compiler.model.diagnostic import Diagnostic, Related, Severity
from compiler.model.instance import Instance
from compiler.model.manifest import ObjectId
from compiler.model.names import Digest, InstanceName
from compiler.model.node import Origin, at, dotted
from compiler.model.site import Site
from compiler.model.trace import Cause, Decision, Given, ValuePath
from compiler.trace.alike import alike
from compiler.trace.experiment import Bench, Experiment
from compiler.trace.marks import shown
from compiler.trace.search import Target, decide
from compiler.trace.supply import of_chart, supply
from compiler.trace.written import holds, written

TOTAL: Final = 1000
"""How many renders the findings of one site may take."""

_EACH: Final = 200
"""How many those of one instance may take."""

_LINES: Final = 12
"""For how many fields of one instance the line of the template is looked for: each takes several renders."""


@dataclass(frozen=True, slots=True)
class Means:
    """What tracing findings needs: a bench for each instance, and a store of what earlier compiles found out.

    ``key`` is the digest of an instance's render and of a question about it.
    """

    bench: Callable[[Instance], Bench]
    store: Store | None
    key: Callable[[Instance, str], Digest]


def placed(
    site: Site, instances: Sequence[Instance], findings: Sequence[Diagnostic], means: Means, total: int = TOTAL
) -> tuple[Diagnostic, ...]:
    """``findings``, those on a field at the value that decides it; the template that renders it becomes related.

    Errors come first, and each instance has its share of the renders.

    Where no value does, at the line of the template that writes the field. Where the bound on renders is reached, the
    rest keeps its places, and a warning says how many that are.
    """
    named = {instance.name: instance for instance in instances}
    found: dict[tuple[InstanceName, Target], Decision] = {}
    for severity in Severity:
        asked = _asked(named, [each for each in findings if each.severity is severity])
        for waiting, (name, wanted) in zip(range(len(asked), 0, -1), asked.items(), strict=True):
            targets = tuple(target for target in wanted if (name, target) not in found)
            decisions, used = _decisions(named[name], targets, means, min(_EACH, -(-total // waiting)))
            total -= used
            found |= {(name, target): decision for target, decision in decisions.items()}
    if means.store is not None:
        means.store.retire()
    out = tuple(_at_value(site, named, finding, found) for finding in findings)
    return (*out, *_unfinished(findings, found))


def _asked(
    named: Mapping[InstanceName, Instance], findings: Sequence[Diagnostic]
) -> Mapping[InstanceName, Mapping[Target, None]]:
    """Which fields of which instance to ask about."""
    asked: dict[InstanceName, dict[Target, None]] = defaultdict(dict)
    for finding in findings:
        if finding.field is not None and _is_asked(finding, named.get(finding.field.instance)):
            asked[finding.field.instance][finding.field.object, finding.field.path] = None
    return asked


def _is_asked(finding: Diagnostic, instance: Instance | None) -> bool:
    """Whether the value is to be found: a rule that has seen more than the render has named its place already."""
    if instance is None or finding.field is None or not finding.field.path:
        return False
    file, chart = finding.origin.file if finding.origin is not None else "", instance.chart.path
    return not file or file == chart or "/templates/" in file


def _decisions(
    instance: Instance, targets: tuple[Target, ...], means: Means, limit: int
) -> tuple[Mapping[Target, Decision], int]:
    """What decides each target, and how many renders that takes: as many where it is known, lest others get more."""
    question = json.dumps([limit, *([*_row(target[0]), *target[1]] for target in targets)])
    key = means.key(instance, question) if means.store is not None else Digest("")
    known = means.store.get(key) if means.store is not None else None
    if known is not None:
        taken, *rows = json.loads(known)
        return dict(zip(targets, map(_read, rows), strict=True)), taken
    try:
        experiment = Experiment(instance.values, means.bench(instance), limit)
    except InputError:
        return {}, 1
    wanted = {target[0] for target in targets}
    experiment.narrow(found.template for found in experiment.base if found.id in wanted)
    decisions = _decided(experiment, targets)
    taken = limit - experiment.left
    if means.store is not None:
        means.store.put(key, json.dumps([taken, *(_written(decisions[target]) for target in targets)]).encode())
    return decisions, taken


def _decided(experiment: Experiment, targets: tuple[Target, ...]) -> dict[Target, Decision]:
    """Those first in which a value shows, or that are called as one is: two renders tell most. Others are searched for.

    What is not there can be there only for a value that is empty, or deleted: the others decide no more than whether
    there is an object at all.
    """
    seen = {target: Decision(causes) for target, causes in shown(experiment, targets).items()}
    unseen = [target for target in targets if target not in seen]
    seen |= {target: Decision(causes) for target, causes in alike(experiment, unseen).items()}
    rest = [target for target in targets if target not in seen]
    there = [target for target in rest if holds(experiment, target) is not None]
    found = dict(decide(experiment, there, switches=False)) if there else {}
    absent = [target for target in rest if target not in found]
    if absent:
        found |= decide(experiment, absent, _empty(experiment), switches=False)
    return {**seen, **_with_lines(experiment, found)}


def _empty(experiment: Experiment) -> list[Cause]:
    """The values that are nothing, or deleted."""
    values = (cause for cause in experiment.causes() if not isinstance(cause, Given))
    return [path for path in values if experiment.value(path) in (None, "", [], {})]


def _with_lines(experiment: Experiment, decisions: Mapping[Target, Decision]) -> dict[Target, Decision]:
    """``decisions``, those of fields that a template alone decides with the line that writes them."""
    alone = [target for target, found in decisions.items() if found.complete and _value(found) is None]
    there = [target for target in alone if holds(experiment, target) is not None]
    lines = {target: written(experiment, target) for target in there[:_LINES]}
    return {target: replace(found, template=lines.get(target)) for target, found in decisions.items()}


def _value(decision: Decision) -> ValuePath | None:
    """The value that decides most likely."""
    return next((cause for cause in decision.causes if not isinstance(cause, Given)), None)


def _blamed(instance: Instance, decision: Decision) -> ValuePath | None:
    """The value to name: of several that stand together (requests, limits), one that somebody set over the chart."""
    first = _value(decision)
    for cause in decision.causes if first is not None else ():
        if first is None or isinstance(cause, Given) or cause[0] != first[0]:
            continue
        node = at(instance.values, cause)
        if node is not None and not of_chart(instance, node):
            return cause
    return first


def _at_value(
    site: Site,
    named: Mapping[InstanceName, Instance],
    finding: Diagnostic,
    found: Mapping[tuple[InstanceName, Target], Decision],
) -> Diagnostic:
    field = finding.field
    decision = found.get((field.instance, (field.object, field.path))) if field is not None else None
    if field is None or decision is None or not _is_asked(finding, named[field.instance]):
        return finding
    value = _blamed(named[field.instance], decision)
    if value is None or at(named[field.instance].values, value) is None:
        return replace(finding, origin=decision.template or finding.origin)
    what = f"`{dotted(value)}` of `{field.instance}` decides it, which is rendered here"
    related = (Related(what, finding.origin),) if finding.origin is not None else ()
    origin = supply(site, named[field.instance], value).origin
    return replace(finding, origin=origin, related=(*finding.related, *related))


def _unfinished(
    findings: Sequence[Diagnostic], found: Mapping[tuple[InstanceName, Target], Decision]
) -> tuple[Diagnostic, ...]:
    fields = [finding.field for finding in findings if finding.field is not None]
    decisions = [found.get((field.instance, (field.object, field.path))) for field in fields]
    many = sum(decision is not None and not decision.complete for decision in decisions)
    if not many:
        return ()
    message = f"{many} more findings were not traced to the values that decide them: that would take too many renders"
    hint = "`oscompile explain ENV OBJECT FIELD` for one of them"
    return (Diagnostic(message, hint=hint, severity=Severity.WARNING),)


def _row(identity: ObjectId) -> tuple[str, str, str, str]:
    return identity.namespace, identity.kind, identity.group, identity.name


def _written(decision: Decision) -> Data:
    causes: list[Data] = [str(cause) if isinstance(cause, Given) else [*cause] for cause in decision.causes]
    place = decision.template
    return [causes, [place.file, place.line, place.column] if place is not None else None, decision.complete]


def _read(row: tuple[list[str | list[str | int]], tuple[str, int, int] | None, bool]) -> Decision:
    causes, place, complete = row
    read = tuple(Given(cause) if isinstance(cause, str) else tuple(cause) for cause in causes)
    return Decision(read, complete=complete, template=Origin(*place) if place is not None else None)
