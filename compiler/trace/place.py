"""Findings get the place of the value that decides the field which they are about.

A rule sees rendered objects, and knows which template rendered them; it cannot know where somebody set the value that
is wrong. All fields of an instance are asked about at once, and what was found is kept by content: a site with
hundreds of findings is traced once, and within a bound on renders.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from compiler.errors import InputError
from compiler.model.data import Data
from compiler.model.diagnostic import Diagnostic, Related, Severity
from compiler.model.instance import Instance
from compiler.model.manifest import ObjectId
from compiler.model.names import InstanceName
from compiler.model.node import MapNode, Origin, at, dotted
from compiler.model.render import RenderRequest
from compiler.model.site import Site
from compiler.model.trace import Cause, Decision, Given, ValuePath
from compiler.trace.alike import alike
from compiler.trace.experiment import Bench, Experiment
from compiler.trace.marks import shown
from compiler.trace.means import Means
from compiler.trace.search import Target, decide
from compiler.trace.supply import of_chart, supply
from compiler.trace.written import holds, is_option, written

TOTAL: Final = 2000
"""How many renders the findings of one site may take."""

_EACH: Final = 200
"""How many those of one instance may take."""

_LINES: Final = 12
"""For how many fields of one instance the line of the template is looked for: each takes several renders."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Fields of one instance, and how many renders may go into what decides them. Can be pickled."""

    values: MapNode
    request: RenderRequest
    bench: Callable[[RenderRequest], Bench]
    targets: tuple[Target, ...]
    limit: int

    @property
    def question(self) -> str:
        """The same in words, to know it again."""
        return json.dumps([self.limit, *([*_row(target[0]), *target[1]] for target in self.targets)])


def placed(
    site: Site, instances: Sequence[Instance], findings: Sequence[Diagnostic], means: Means, total: int = TOTAL
) -> tuple[Diagnostic, ...]:
    """``findings``, those on a field at the value that decides it; the template that renders it becomes related.

    Errors come first, and each instance has the same share of the renders.

    Where no value does, at the line of the template that writes the field. Where the bound on renders is reached, the
    rest keeps its places, and a warning says how many that are.
    """
    named = {instance.name: instance for instance in instances}
    found: dict[tuple[InstanceName, Target], Decision] = {}
    for severity in Severity:
        wanted = _wanted(named, [each for each in findings if each.severity is severity])
        share = min(_EACH, -(-total // max(1, len(wanted))))
        asked = {
            name: _asked(named[name], tuple(target for target in targets if (name, target) not in found), means, share)
            for name, targets in wanted.items()
        }
        for (name, each), (decisions, used) in zip(asked.items(), _answers(list(asked.values()), means), strict=True):
            total = max(0, total - used)
            found |= {(name, target): decision for target, decision in zip(each.targets, decisions, strict=True)}
    if means.store is not None:
        means.store.retire()
    out = tuple(_at_value(site, named, finding, found) for finding in findings)
    return (*out, *_unfinished(findings, found))


def _wanted(
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


def _asked(instance: Instance, targets: tuple[Target, ...], means: Means, limit: int) -> _Asked:
    return _Asked(instance.values, means.request(instance), means.bench, targets, limit)


def _answers(asked: Sequence[_Asked], means: Means) -> Iterator[tuple[tuple[Decision, ...], int]]:
    """What decides the targets of each, and how many renders it took: as many where it is known, for others' sake."""
    questions = [(each.request, each.question) for each in asked]
    for answer in means.answers(questions, asked.__getitem__, _answer):
        taken, *rows = json.loads(answer)
        yield tuple(map(_read, rows)), taken


def _answer(asked: _Asked) -> bytes:
    """What decides the targets, written down, behind how many renders it took."""
    try:
        experiment = Experiment(asked.values, asked.bench(asked.request), asked.limit)
    except InputError:
        return json.dumps([1, *(_written(Decision(())) for _ in asked.targets)]).encode()
    wanted = {target[0] for target in asked.targets}
    experiment.narrow(found.template for found in experiment.base if found.id in wanted)
    decisions = _decided(experiment, asked.targets)
    taken = asked.limit - experiment.left
    return json.dumps([taken, *(_written(decisions[target]) for target in asked.targets)]).encode()


def _decided(experiment: Experiment, targets: tuple[Target, ...]) -> dict[Target, Decision]:
    """Those first in which a value shows, or that are called as one is: two renders tell most. Others are searched for.

    An option of a configuration file that no value is called as comes of a template, whatever values it makes it of.

    What is not there can be there only for a value that is empty, or deleted: the others decide no more than whether
    there is an object at all.
    """
    seen = {target: Decision(causes) for target, causes in shown(experiment, targets).items()}
    unseen = [target for target in targets if target not in seen]
    seen |= {target: Decision(causes) for target, causes in alike(experiment, unseen).items()}
    seen |= {target: Decision(()) for target in targets if target not in seen and is_option(experiment, target)}
    rest = [target for target in targets if target not in seen]
    there = [target for target in rest if holds(experiment, target) is not None]
    found = dict(decide(experiment, there, switches=False)) if there else {}
    absent = [target for target in rest if target not in found]
    if absent:
        found |= decide(experiment, absent, _empty(experiment), switches=False)
    return _with_lines(experiment, {**seen, **found})


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
