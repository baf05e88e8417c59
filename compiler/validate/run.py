"""Run the rules."""

from __future__ import annotations

from compiler.model.diagnostic import Diagnostic
from compiler.model.instance import SITE, Instance
from compiler.model.manifest import Bundle
from compiler.model.plan import Plan
from compiler.model.site import Site
from compiler.validate import rules
from compiler.validate.rule import BUNDLE_RULES, INPUT_RULES, SITE_RULES, Subject, View

assert rules.LOADED  # noqa: S101 - importing the package registers its rules


def inputs(instances: tuple[Instance, ...]) -> tuple[Diagnostic, ...]:
    """What the rules say of finished values, before anything is rendered from them."""
    return tuple(found for instance in instances for rule in INPUT_RULES for found in rule.run(instance))


def bundle(instance: Instance, rendered: Bundle) -> tuple[Diagnostic, ...]:
    """What the rules say of one instance's rendered objects alone."""
    subject = Subject(instance, rendered)
    return tuple(found for rule in BUNDLE_RULES for found in rule.run(subject))


def check(
    site: Site, instances: tuple[Instance, ...], bundles: tuple[Bundle, ...], plan: Plan
) -> tuple[Diagnostic, ...]:
    """What the rules say of the whole site."""
    by_name = {bundle.instance: bundle for bundle in bundles}
    subjects = tuple(Subject(instance, by_name[instance.name]) for instance in instances)
    view = View(site, subjects, by_name.get(SITE, Bundle(SITE, ())), plan)
    return tuple(found for rule in SITE_RULES for found in rule.run(view))
