"""Rules about what is too large for a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compiler.model.manifest import Manifest
from compiler.relations.untyped import mapping
from compiler.validate.rule import BUNDLE_RULES, Finding, Subject, rule

_OBJECT: Final = 1 << 20
_ANNOTATIONS: Final = 256 << 10


@rule(BUNDLE_RULES, "OS075", "objects and annotations fit into the cluster's store")
def fits_the_store(subject: Subject) -> Iterator[Finding]:
    """Check that a ConfigMap or Secret is below 1 MiB, any other object below 1.5 MiB, its annotations below 256 KiB.

    Why it matters: etcd takes no request above 1.5 MiB, and Kubernetes no ConfigMap above 1 MiB; annotations hold
    256 KiB together, of which client-side apply takes a copy of the whole object.

    Example: a ConfigMap with the dashboards of every service.

    Use instead: one ConfigMap for each component or dashboard; a volume or an image for what is really large.
    """
    for manifest in subject.bundle.manifests:
        size = len(manifest.content.encode()) + len(manifest.metadata.encode())
        limit = _OBJECT if manifest.id.kind in {"ConfigMap", "Secret"} else _OBJECT * 3 // 2
        if size > limit:
            message = f"{manifest.id} must have less than {limit >> 10} KiB, but has {size >> 10}"
            yield Finding(message, subject.origin(manifest), "several objects", subject.field(manifest))
        if (noted := _annotations(manifest)) > _ANNOTATIONS:
            message = f"the annotations of {manifest.id} must have less than 256 KiB together, but have {noted >> 10}"
            where = subject.field(manifest, "metadata", "annotations")
            yield Finding(message, subject.origin(manifest), "a ConfigMap", where)


def _annotations(manifest: Manifest) -> int:
    if len(manifest.metadata) <= _ANNOTATIONS:
        return 0
    annotations = mapping(manifest.metadata_data(), "annotations")
    return sum(len(key.encode()) + len(str(value).encode()) for key, value in annotations.items())
