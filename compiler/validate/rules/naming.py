"""Rules about names, labels and identity."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from compiler.model.diagnostic import Severity
from compiler.model.manifest import Manifest, ObjectId
from compiler.model.names import NAME_LIMIT, object_name
from compiler.validate.rule import BUNDLE_RULES, SITE_RULES, Finding, Subject, View, rule

_LABELS: Final = tuple(
    f"app.kubernetes.io/{label}" for label in ("name", "instance", "component", "version", "part-of", "managed-by")
)
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_LABEL_LIMIT: Final = 63
_RBAC: Final = frozenset({"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})
_DEFINITION: Final = "CustomResourceDefinition"
_SHORT: Final = frozenset({"StatefulSet", "CronJob"})
_PREFIX: Final = NAME_LIMIT - 9


@rule(BUNDLE_RULES, "OS005", "every name begins with the name of its instance", promise=True)
def begins_with_instance(subject: Subject) -> Iterator[Finding]:
    """Check that the name of every object begins with the name of its instance.

    Why it matters: two instances of a chart in one namespace must share no object. A fixed name makes the second
    instance overwrite the first one's Secret, or adopt its volume, and nothing says so.

    Example: `name: mariadb-root` in a chart that is installed as `mariadb` and as `mariadb-telemetry`; `keystonedb` in
    one that is installed as `keystone`.

    Use instead: `common.names.name`, which begins with the release name and stays within 52 characters.
    """
    prefix = object_name(subject.owner.name)[:_PREFIX]
    whole = len(subject.owner.name) <= len(prefix)
    for manifest in subject.bundle.manifests:
        name = manifest.id.name
        if not name.startswith(prefix) or (whole and name[len(prefix) : len(prefix) + 1].isalnum()):
            yield Finding(
                f"the name of {manifest.id} must begin with `{subject.owner.name}`, but does not",
                subject.origin(manifest),
                "`common.names.name`",
                subject.field(manifest, "metadata", "name"),
            )


@rule(BUNDLE_RULES, "OS006", "cluster-scoped names hold namespace and instance", promise=True)
def cluster_scoped(subject: Subject) -> Iterator[Finding]:
    """Check that the name of a cluster-scoped object holds its instance's namespace and name.

    A CustomResourceDefinition, which has one name everywhere, must be in a chart that renders nothing else.

    Why it matters: a cluster knows one ClusterRole of a name. The same chart in two namespaces would rewrite the
    binding to whichever was applied last. A definition that leaves with an instance takes every resource of its kind
    along, those of all other instances too.

    Example: `kind: ClusterRole` with `name: nova-cell-setup`.

    Use instead: a Role; where that cannot be, `<namespace>-<instance>-...` in the name.
    """
    yield from _definitions_apart(subject)
    for manifest in subject.bundle.manifests:
        owner = subject.owner
        if manifest.id.namespace or manifest.id.kind == _DEFINITION:
            continue
        if owner.namespace not in manifest.id.name or owner.name not in manifest.id.name:
            yield Finding(
                f"{manifest.id} is cluster-scoped, so its name must hold `{owner.namespace}` and `{owner.name}`",
                subject.origin(manifest),
                f"`{owner.namespace}-{owner.name}-...`",
                subject.field(manifest, "metadata", "name"),
            )


def _definitions_apart(subject: Subject) -> Iterator[Finding]:
    """The definitions of a chart that renders something else as well, told of the first of them."""
    definitions = [each for each in subject.bundle.manifests if each.id.kind == _DEFINITION]
    if definitions and len(definitions) < len(subject.bundle.manifests):
        first, more = definitions[0], f" and {len(definitions) - 1} more" if definitions[1:] else ""
        message = (
            f"{first.id}{more} must be in a chart of its own, but `{subject.owner.name}` renders other objects too"
        )
        where = subject.field(first, "metadata", "name")
        yield Finding(message, subject.origin(first), "a chart that renders definitions alone", where)


@rule(BUNDLE_RULES, "OS007", "names are legal and short enough for what is derived from them")
def legal_names(subject: Subject) -> Iterator[Finding]:
    """Check that names are DNS names of at most 63 characters, and of StatefulSets and CronJobs of at most 52.

    Why it matters: the controllers derive labels, pod names and Job names from these; a name that is legal itself can
    make illegal ones, and the object then sits there and does nothing.

    Example: a StatefulSet whose name has 60 characters: its pods' `controller-revision-hash` label is refused.

    Use instead: `common.names.name`, or a shorter instance name.
    """
    for manifest in subject.bundle.manifests:
        name, kind = manifest.id.name, manifest.id.kind
        limit = NAME_LIMIT if kind in _SHORT else _LABEL_LIMIT
        if kind in _RBAC:
            continue
        if not _SUBDOMAIN.fullmatch(name):
            yield Finding(
                f"the name of {manifest.id} must be a DNS name, but is not",
                subject.origin(manifest),
                "lower-case letters, digits and `-`",
                subject.field(manifest, "metadata", "name"),
            )
        elif len(name) > limit:
            yield Finding(
                f"the name of {manifest.id} must have at most {limit} characters, but has {len(name)}",
                subject.origin(manifest),
                "`common.names.name`, or a shorter instance name",
                subject.field(manifest, "metadata", "name"),
            )


@rule(BUNDLE_RULES, "OS008", "no Helm hooks")
def no_hooks(subject: Subject) -> Iterator[Finding]:
    """Check that no object is a Helm hook.

    Why it matters: Argo CD maps `post-install` to a phase that begins when every Deployment is healthy, while the
    Deployments wait for those very Jobs; Flux's kustomize-controller does not know hooks at all.

    Example: a database Job with `helm.sh/hook: post-install,post-upgrade`.

    Use instead: an ordinary Job whose name carries a digest of what it runs (`common.job`), and an `after` in the
    contract. Charts that ship no contract are not held to this: their hooks get a lifecycle for each engine.
    """
    for manifest in subject.bundle.manifests:
        if manifest.hooks and subject.owner.contracted:
            yield Finding(
                f"{manifest.id} is a Helm hook (`{', '.join(manifest.hooks)}`), and hooks never reach the output",
                subject.origin(manifest),
                "an ordinary Job with a digest in its name, and `after:` in component.yaml",
                subject.field(manifest),
            )


@rule(SITE_RULES, "OS009", "no object twice")
def no_object_twice(view: View) -> Iterator[Finding]:
    """Check that no two instances render the same object.

    Why it matters: the cluster keeps one of the two, and the engines take turns overwriting it.

    Example: two instances of a chart that names its ConfigMap without the instance.

    Use instead: names that begin with the instance's name.
    """
    owners: dict[ObjectId, list[tuple[Subject, Manifest]]] = defaultdict(list)
    for subject in view.subjects:
        for manifest in subject.bundle.manifests:
            owners[manifest.id].append((subject, manifest))
    for identity, found in owners.items():
        if len(found) > 1:
            names = " and by ".join(f"`{subject.owner.name}`" for subject, _ in found)
            subject, manifest = found[0]
            message = f"{identity} is rendered by {names}"
            yield Finding(message, subject.origin(manifest), "another name for one", subject.field(manifest))


@rule(BUNDLE_RULES, "OS010", "the recommended labels on every object", Severity.WARNING, promise=True)
def recommended_labels(subject: Subject) -> Iterator[Finding]:
    """Check that every object carries the labels that Kubernetes recommends.

    Why it matters: `kubectl get -l`, dashboards, network policies and this compiler find a component by them.

    Example: a Service without `app.kubernetes.io/component`.

    Use instead: `common.metadata`, which writes all six.
    """
    for manifest in subject.bundle.manifests:
        missing = [label for label in _LABELS if label not in _labels(manifest)]
        if missing and not manifest.template.startswith("oscompile:"):
            yield Finding(
                f"{manifest.id} must carry the label{'s' if len(missing) > 1 else ''} "
                + ", ".join(f"`{label}`" for label in missing),
                subject.origin(manifest),
                "`common.metadata`",
                subject.field(manifest, "metadata", "labels"),
            )


def _labels(manifest: Manifest) -> dict[str, object]:
    labels = manifest.metadata_data().get("labels")
    return dict(labels) if isinstance(labels, dict) else {}
