"""Rules about what the site's own Kubernetes takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compiler.model.diagnostic import Severity
from compiler.model.manifest import Manifest
from compiler.model.node import Origin
from compiler.validate import schemas
from compiler.validate.rule import BUNDLE_RULES, SITE_RULES, Finding, Subject, View, rule
from compiler.validate.schemas.built_in import minor

_FIT: Final = "every object is what the site's Kubernetes takes"
_OURS: Final = "oscompile:"
_MOST: Final = 10
"""How many mistakes of one object are told: one that is wrong altogether is wrong at every field."""


@rule(BUNDLE_RULES, "OS071", _FIT)
def fits_schema(subject: Subject) -> Iterator[Finding]:
    """Check that every object fits the schema of its kind in the site's own version of Kubernetes.

    Strictly: a field that the version does not know is refused. Custom resources are held against the
    CustomResourceDefinitions of the site's charts and of `environments/crds/`. Rules in CEL are left to the cluster.

    Why it matters: the API server refuses what has a wrong type in the middle of a sync, and drops what it does not
    know without a word: the replicas, the limit or the probe that somebody wrote are simply not there.

    Example: `spec: {replica: 3}` in a Deployment.

    Use instead: the field that the message suggests; `kubectl explain` lists them.
    """
    own = subject.definitions
    yield from _broken(subject)
    for manifest in subject.bundle.manifests:
        if manifest.id.group in schemas.GROUPS:
            form = schemas.built_in(subject.owner.kubernetes, *_kind(manifest))
        else:
            form = own.form(manifest.api_version, manifest.id.kind)
        if form is not None:
            yield from _mistakes(subject, manifest, form)


@rule(SITE_RULES, "OS071", _FIT)
def fits_schema_of_another_chart(view: View) -> Iterator[Finding]:
    """Check custom resources against the definitions that other instances render."""
    others = view.definitions
    for subject, manifest in _custom(view):
        form = others.form(manifest.api_version, manifest.id.kind)
        if form is not None and not subject.defines(manifest):
            yield from _mistakes(subject, manifest, form)


@rule(BUNDLE_RULES, "OS072", "the site's Kubernetes serves every API version")
def served(subject: Subject) -> Iterator[Finding]:
    """Check that the site's version of Kubernetes serves the API version of every object of Kubernetes' own kinds.

    Why it matters: an API version that was removed is refused, and with it the whole sync that it is part of.

    Example: `apiVersion: policy/v1beta1` for a PodDisruptionBudget, on Kubernetes 1.25 or later.

    Use instead: the API version that the message names; its fields may differ, which OS071 then says.
    """
    version = subject.owner.kubernetes
    if not schemas.KNOWN[0] <= minor(version) <= schemas.KNOWN[1]:
        return
    for manifest in subject.bundle.manifests:
        if manifest.id.group not in schemas.GROUPS:
            continue
        fate = schemas.fate(version, manifest.api_version, manifest.id.kind)
        if fate is not None and fate.removed:
            message = (
                f"{manifest.id} is in {manifest.api_version}, which Kubernetes serves no more since 1.{fate.since}"
            )
            hint = f"`apiVersion: {fate.instead}`" if fate.instead else "there is no replacement: remove it"
        elif schemas.built_in(version, *_kind(manifest)) is None:
            message = f"{manifest.id} is in {manifest.api_version}, which Kubernetes {version} does not have"
            hint = "the API version and kind as `kubectl api-resources` writes them"
        else:
            continue
        yield Finding(message, subject.origin(manifest), hint, subject.field(manifest, "apiVersion"))


@rule(BUNDLE_RULES, "OS073", "no API version that is on its way out", Severity.WARNING)
def not_deprecated(subject: Subject) -> Iterator[Finding]:
    """Check that no object is in an API version that the site's Kubernetes still serves, but has deprecated.

    Why it matters: a later Kubernetes refuses it, and then a cluster cannot be upgraded before every site is.

    Example: `apiVersion: resource.k8s.io/v1beta1` on Kubernetes 1.34.

    Use instead: the API version that the message names.
    """
    for manifest in subject.bundle.manifests:
        fate = schemas.fate(subject.owner.kubernetes, manifest.api_version, manifest.id.kind)
        if fate is not None and not fate.removed:
            message = f"{manifest.id} is in {manifest.api_version}, which is deprecated since Kubernetes 1.{fate.since}"
            hint = f"`apiVersion: {fate.instead}`" if fate.instead else "remove it"
            yield Finding(message, subject.origin(manifest), hint, subject.field(manifest, "apiVersion"))


@rule(SITE_RULES, "OS074", "nothing is left without a schema", Severity.WARNING)
def all_have_schemas(view: View) -> Iterator[Finding]:
    """Check that there is a schema for every kind, so that OS071 can judge every object; says so once for each kind.

    Why it matters: what nobody holds against a schema may be misspelt, and the cluster is the first to look.

    Example: a ServiceMonitor in a site without the definitions of Prometheus' operator.

    Use instead: the CustomResourceDefinition, as its project publishes it, in `environments/crds/<name>.yaml`.
    """
    version = view.site.kubernetes.version
    if not schemas.KNOWN[0] <= minor(version) <= schemas.KNOWN[1]:
        known = f"1.{schemas.KNOWN[0]} to 1.{schemas.KNOWN[1]}"
        message = f"objects are not held against the schemas of Kubernetes {version}: there are those of {known}"
        yield Finding(message, Origin(view.site.file), "a release of oscompile that knows that version")
    told: set[tuple[str, str]] = set()
    for subject, manifest in _custom(view):
        kind = (manifest.api_version, manifest.id.kind)
        if kind in told or subject.defines(manifest):
            continue
        told.add(kind)
        if view.definitions.form(*kind) is None:
            message = f"{manifest.id.kind} of {manifest.api_version} is not validated: nothing in the site defines it"
            hint = "its CustomResourceDefinition in `environments/crds/`"
            yield Finding(message, subject.origin(manifest), hint, subject.field(manifest))


def _broken(subject: Subject) -> Iterator[Finding]:
    for manifest in subject.bundle.manifests:
        if manifest.id.kind == "CustomResourceDefinition":
            for key, why in schemas.rendered([subject.data(manifest)]).broken():
                message = f"in {manifest.id}, the schema of `{key}` must be a JSON schema, but is not: {why}"
                yield Finding(message, subject.origin(manifest), "", subject.field(manifest, "spec", "versions"))


def _kind(manifest: Manifest) -> tuple[str, str, str]:
    return manifest.id.group, manifest.api_version.rpartition("/")[2], manifest.id.kind


def _custom(view: View) -> Iterator[tuple[Subject, Manifest]]:
    """Custom resources that charts render; what the compiler itself makes is held to its schema by its tests."""
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            if manifest.id.group not in schemas.GROUPS and not manifest.template.startswith(_OURS):
                yield subject, manifest


def _mistakes(subject: Subject, manifest: Manifest, form: schemas.Form) -> Iterator[Finding]:
    found = sorted(schemas.mistakes(form, subject.data(manifest)), key=lambda each: (str(each.path), each.message))
    for mistake in found[:_MOST]:
        message = f"in {manifest.id}, {mistake.message}"
        yield Finding(message, subject.origin(manifest), mistake.hint, subject.field(manifest, *mistake.path))
