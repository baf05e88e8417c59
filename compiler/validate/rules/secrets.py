"""Rules about who may read and write Secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compiler.model.diagnostic import Severity
from compiler.model.instance import Instance
from compiler.model.manifest import Manifest
from compiler.model.names import ComponentName, object_name
from compiler.relations.untyped import Map, items, mapping
from compiler.validate.rule import SITE_RULES, Finding, Subject, View, rule

_WRITING: Final = frozenset({"update", "patch", "delete", "*"})
_READING: Final = frozenset({"get", "list", "watch", "*"})
_FOREIGN: Final = "nobody reads another instance's Secret"
_STEPS: Final = 3
"""Namespace, instance and name of a Secret: what follows the site in the path of the store."""

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


@rule(SITE_RULES, "OS038", _FOREIGN)
def own_secrets(view: View) -> Iterator[Finding]:
    """Check that pods read no Secret that another instance declares or renders, and Roles let nobody read one.

    A consumer has credentials of its own, which its provider's Job puts into place; those of the database's root or of
    the broker's administrator stay with the provider, and there with the `components` that the contract names for them.
    A third-party chart whose Secret is filled with a credential of an instance that it does not serve is a warning.

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
    for instance, subject in zip(view.instances, view.subjects, strict=True):
        kept = {object_name(instance.name, name): only for name, only in _kept(instance)}
        for manifest in subject.bundle.manifests:
            for namespace, name, place, verb in _read(subject, manifest):
                owner, where = owners.get((namespace, name)), subject.field(manifest, place)
                if owner is not None and owner != subject.owner.name:
                    message = f"{manifest.id} {verb} the Secret `{name}` of the instance `{owner}`"
                    hint = "a Secret of its own, which the provider's Job makes valid"
                    yield Finding(message, subject.origin(manifest), hint, where)
                elif name in kept and manifest.component not in kept[name]:
                    only = " and ".join(f"`{each}`" for each in kept[name])
                    message = f"{manifest.id} {verb} the Secret `{name}`, which the contract keeps for {only}"
                    yield Finding(message, subject.origin(manifest), "an account of its own, with less rights", where)


def _kept(instance: Instance) -> Iterator[tuple[str, tuple[ComponentName, ...]]]:
    """The Secrets that only some components of the instance may read."""
    for secret in instance.chart.contract.secrets if instance.chart.contract is not None else ():
        if secret.components is not None:
            yield secret.name, secret.components


def _read(subject: Subject, manifest: Manifest) -> Iterator[tuple[str, str, str, str]]:
    """The Secrets that an object reads or lets read: namespace, name, at which key, and the verb for it."""
    if manifest.workload is not None:
        for reference in manifest.references:
            if reference.kind == "Secret":
                yield reference.namespace, reference.name, "spec", "reads"
    elif manifest.id.kind == "Role":
        for allowed in items(subject.data(manifest), "rules"):
            if "secrets" in _texts(allowed, "resources") and _READING & _texts(allowed, "verbs"):
                for name in sorted(_texts(allowed, "resourceNames")):
                    yield manifest.id.namespace, name, "rules", "lets somebody read"


@rule(SITE_RULES, "OS038", _FOREIGN)
def own_credentials(view: View) -> Iterator[Finding]:
    """Check what Secrets are filled with; the page is that of the rule on who reads them."""
    serves = {(binding.provider, instance.name) for instance in view.instances for binding in instance.bindings}
    names = {subject.owner.name for subject in view.subjects}
    for subject in view.subjects:
        me = subject.owner.name
        for manifest in subject.bundle.manifests:
            for owner, secret in sorted(set(_fetched(view, subject, manifest))):
                if owner in names - {me} and (me, owner) not in serves:
                    message = f"{manifest.id} holds the credential `{secret}` of the instance `{owner}`"
                    severity = None if subject.owner.contracted else Severity.WARNING
                    hint = "an account of its own, which the provider makes for it"
                    yield Finding(message, subject.origin(manifest), hint, subject.field(manifest), severity=severity)


def _fetched(view: View, subject: Subject, manifest: Manifest) -> Iterator[tuple[str, str]]:
    """The instance and the name of each credential of the site's store that a Secret is filled with."""
    if manifest.id.kind != "ExternalSecret":
        return
    for entry in items(subject.data(manifest), "spec", "data"):
        site, *steps = str(mapping(entry, "remoteRef").get("key")).split("/")
        if site == view.site.name and len(steps) == _STEPS:
            yield steps[1], steps[2]


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
