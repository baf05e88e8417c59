"""The two questions that people ask: what a value does, and who decides a field."""

from __future__ import annotations

from dataclasses import replace

from compiler.errors import InputError
from compiler.model.data import Data, canonical
from compiler.model.instance import Instance
from compiler.model.manifest import Field
from compiler.model.node import Origin, at
from compiler.model.render import Trial
from compiler.model.site import Site
from compiler.model.trace import Decision, Effect, FieldTrace, Given, ValuePath, ValueTrace
from compiler.trace.experiment import Bench, Experiment
from compiler.trace.perturb import places
from compiler.trace.reach import effects, reach
from compiler.trace.search import Target, decide
from compiler.trace.supply import supply
from compiler.trace.written import written


def value(site: Site, instance: Instance, path: ValuePath, bench: Bench) -> ValueTrace:
    """Where the values at ``path`` come from, and which fields of the instance they reach.

    Where the chart does not render as it is, the trace says why, and where the values come from all the same.
    """
    node = at(instance.values, path)
    assert node is not None  # noqa: S101 - the caller found it there
    found = ValueTrace(instance.name, path, tuple(supply(site, instance, place) for place in places(node, path)))
    if not path:
        return found
    try:
        experiment = Experiment(instance.values, bench)
    except InputError as error:
        return replace(found, trouble=error.diagnostics)
    return replace(found, reach=reach(experiment, instance.name, path))


def elsewhere(instance: Instance, changed: Instance, bench: Bench) -> tuple[Effect, ...]:
    """What differs in what ``instance`` renders where its values are those of ``changed``."""
    try:
        experiment = Experiment(instance.values, bench)
    except InputError:
        return ()
    changes = experiment.compared(Trial(values=canonical(changed.values.data()))) or ()
    return tuple(effects(changes, instance.name, ""))


def field(site: Site, instance: Instance, asked: Field, held: Data, bench: Bench) -> FieldTrace:
    """Who decides the field ``asked`` of an object of ``instance``, which holds ``held``.

    Raises ``InputError`` where the chart does not render.
    """
    experiment = Experiment(instance.values, bench)
    templates = [found.template for found in experiment.base if found.id == asked.object]
    experiment.narrow(templates)
    target = (asked.object, asked.path)
    decision = decide(experiment, [target])[target]
    place = bench.origin(templates[0].partition("/")[2]) if templates else None
    decision = replace(decision, template=_written(experiment, decision, target))
    supplies = tuple(supply(site, instance, cause) for cause in decision.causes)
    return FieldTrace(asked, held, place, supplies, decision)


def _written(experiment: Experiment, decision: Decision, target: Target) -> Origin | None:
    """The line of the template, where no value decides the field."""
    values = [cause for cause in decision.causes if not isinstance(cause, Given)]
    return None if values else written(experiment, target)
