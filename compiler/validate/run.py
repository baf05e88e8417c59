"""Run the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from compiler import survival
from compiler.documents.schema import FORGETFUL, Memory
from compiler.engines import Emitted
from compiler.model.data import digest
from compiler.model.diagnostic import Diagnostic, Severity
from compiler.model.instance import SITE, Instance
from compiler.model.manifest import Bundle
from compiler.model.names import InstanceName
from compiler.model.plan import Plan
from compiler.model.site import Site
from compiler.validate import rules
from compiler.validate.rule import (
    BUNDLE_RULES,
    INPUT_RULES,
    NOTHING,
    RULES,
    SCHEMA_RULES,
    SITE_RULES,
    Owner,
    Subject,
    View,
)
from compiler.validate.schemas import Definitions

assert rules.LOADED  # noqa: S101 - importing the package registers its rules

SCHEMA: Final = "OS003"
"""The code of the rule that Helm enforces too, when it renders."""

_CREDENTIALS: Final = "OS036"
"""The code of the rule that keeps what breaks it out of every cache."""

SURVIVAL: Final = frozenset({"OS018", "OS019", "OS021", "OS029"})
"""The codes of the rules that say what a site does not survive."""


def inputs(instances: tuple[Instance, ...]) -> tuple[Diagnostic, ...]:
    """What the rules say of finished values, before anything is rendered from them."""
    said = (found for instance in instances for rule in INPUT_RULES for found in rule.run(instance))
    return tuple(dict.fromkeys(said))


def values(instances: tuple[Instance, ...]) -> tuple[Diagnostic, ...]:
    """Every value that breaks its chart's schema, with its place. For when Helm has said that there is one."""
    said = (found for instance in instances for rule in SCHEMA_RULES for found in rule.run(instance))
    return tuple(dict.fromkeys(said))


@dataclass(frozen=True, slots=True)
class Judge:
    """The rules on what one instance rendered alone: pure and picklable, so that it runs where it was rendered."""

    owners: Mapping[InstanceName, Owner]
    vendored: str = "{}"

    @classmethod
    def of(cls, site: Site, instances: tuple[Instance, ...], vendored: str = "{}") -> Judge:
        """The judge of what ``instances`` render; ``vendored`` is the text of the repository's definitions."""
        return cls({instance.name: Owner.of(instance, site) for instance in instances}, vendored)

    @property
    def salt(self) -> str:
        """What its verdicts depend on that a render does not: contracts, credentials, registries, definitions."""
        said = {
            f"{one.chart_path} {one.contracted} {one.default_credentials} {sorted(one.agents)} {one.registries} "
            f"{one.configuration} {sorted(one.reloading)}"
            for one in self.owners.values()
        }
        return "\n".join((*sorted(said), digest(self.vendored)))

    def __call__(self, rendered: Bundle) -> tuple[Diagnostic, ...]:
        """What the rules say of ``rendered``."""
        subject = Subject(self.owners[rendered.instance], rendered, Definitions.of_text(self.vendored))
        return tuple(_weighed(found, self.owners) for rule in BUNDLE_RULES for found in rule.run(subject))

    def may_keep(self, said: tuple[Diagnostic, ...]) -> bool:
        """Whether the render may be stored: not where it holds a credential."""
        return all(found.code != _CREDENTIALS for found in said)


def check(  # noqa: PLR0913, PLR0917 - a site, and all that is known of it
    site: Site,
    instances: tuple[Instance, ...],
    bundles: tuple[Bundle, ...],
    plan: Plan,
    emitted: Emitted = NOTHING,
    memory: Memory = FORGETFUL,
    vendored: str = "{}",
) -> tuple[Diagnostic, ...]:
    """What the rules say of the whole site, and of what engines will do with it.

    ``vendored`` is the text of the repository's definitions of custom kinds.
    """
    defined = Definitions.of_text(vendored)
    by_name = {bundle.instance: bundle for bundle in bundles}
    owners = {instance.name: Owner.of(instance, site) for instance in instances}
    subjects = tuple(Subject(owners[instance.name], by_name[instance.name], defined) for instance in instances)
    proved = survival.survey(site, instances, bundles)
    view = View(site, instances, subjects, by_name.get(SITE, Bundle(SITE, ())), plan, proved, emitted, memory)
    return tuple(_weighed(found, owners) for rule in SITE_RULES for found in rule.run(view))


def _weighed(found: Diagnostic, owners: Mapping[InstanceName, Owner]) -> Diagnostic:
    """A chart that promised nothing is only warned of what a contract promises."""
    owner = owners.get(found.field.instance) if found.field is not None else None
    if owner is None or owner.contracted or not RULES[found.code].promise:
        return found
    return replace(found, severity=Severity.WARNING)
