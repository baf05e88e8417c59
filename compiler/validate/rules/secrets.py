"""Rules about who may read and write Secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compiler.model.manifest import Manifest
from compiler.relations.untyped import Map, items
from compiler.validate.rule import SITE_RULES, Finding, Subject, View, rule

_WRITING: Final = frozenset({"update", "patch", "delete", "*"})
_ONCE: Final = "create-once"
_ANY: Final = "*"
"""Stands for the name of a Secret, where a Role names none."""


@rule(SITE_RULES, "OS037", "a Secret that is changed in the cluster is made once")
def made_once(view: View) -> Iterator[Finding]:
    """Check that a Secret that a Role of its instance lets somebody write is created once and never written again.

    A Role that lets somebody write Secrets of any name is meant for those that the chart renders with nothing in them.

    Why it matters: keys that a Job rotates, and a sync then overwrites with what Git holds, log everybody out, or make
    what they encrypted unreadable.

    Example: a chart that renders `keystone-fernet-keys` with empty data, and a Job that fills it.

    Use instead: `owner: runtime` under `secrets:` in `component.yaml`; the compiler then protects it from both engines.
    """
    for subject in view.subjects:
        written = {name for manifest in subject.bundle.manifests for name in _written(subject, manifest)}
        for manifest in subject.bundle.manifests if written else ():
            names = {each.name for each in manifest.provides if each.kind == "Secret"}
            names |= {manifest.id.name} if manifest.id.kind == "Secret" else set()
            if (names & written or (_ANY in written and _is_empty(subject, manifest))) and manifest.lifecycle != _ONCE:
                message = f"{manifest.id} is changed in the cluster, and each sync would overwrite it"
                hint = "`owner: runtime` for this Secret in component.yaml"
                yield Finding(message, subject.origin(manifest), hint, subject.field(manifest))


@rule(SITE_RULES, "OS038", "nobody reads another instance's Secret")
def own_secrets(view: View) -> Iterator[Finding]:
    """Check that pods read no Secret that another instance declares or renders.

    A consumer has credentials of its own, which its provider's Job puts into place; those of the database's root or of
    the broker's administrator stay with the provider.

    Why it matters: one consumer that knows the root password of the database is every consumer's problem.

    Example: thirty charts that each mount `mariadb-dbadmin-password`.

    Use instead: `secret:` in the requirement, and `prepare:` in the provision, of `component.yaml`.
    """
    owners = {
        (manifest.id.namespace, name): subject.owner.name
        for subject in view.subjects
        for manifest in subject.bundle.manifests
        for name in _secrets(manifest)
    }
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            for reference in manifest.references if manifest.workload is not None else ():
                owner = owners.get((reference.namespace, reference.name)) if reference.kind == "Secret" else None
                if owner is not None and owner != subject.owner.name:
                    message = f"{manifest.id} reads the Secret `{reference.name}` of the instance `{owner}`"
                    hint = "a Secret of its own, which the provider's Job makes valid"
                    yield Finding(message, subject.origin(manifest), hint, subject.field(manifest, "spec"))


def _secrets(manifest: Manifest) -> tuple[str, ...]:
    made = (manifest.id.name,) if manifest.id.kind == "Secret" else ()
    return (*made, *(each.name for each in manifest.provides if each.kind == "Secret"))


def _written(subject: Subject, manifest: Manifest) -> Iterator[str]:
    if manifest.id.kind != "Role":
        return
    for allowed in items(subject.data(manifest), "rules"):
        verbs, resources, names = (_texts(allowed, key) for key in ("verbs", "resources", "resourceNames"))
        if resources & {"secrets", "*"} and _WRITING & verbs:
            yield from names or {_ANY}


def _is_empty(subject: Subject, manifest: Manifest) -> bool:
    """Whether it is a Secret that holds nothing yet."""
    data = subject.data(manifest)
    return manifest.id.kind == "Secret" and not (data.get("data") or data.get("stringData"))


def _texts(allowed: Map, key: str) -> frozenset[str]:
    listed = allowed.get(key)
    return frozenset(str(each) for each in listed) if isinstance(listed, list) else frozenset()
