"""Rules about Jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from compiler.relations.untyped import Map, mapping
from compiler.validate.rule import BUNDLE_RULES, Finding, Subject, rule

_DIGEST: Final = re.compile(r"-[0-9a-f]{10}$")
_RETRIES: Final = 10


@rule(BUNDLE_RULES, "OS044", "a Job is named for what it runs, and ends", promise=True)
def jobs_end(subject: Subject) -> Iterator[Finding]:
    """Check that a Job's name ends in a digest, and that it has a deadline, at most ten retries, and no TTL.

    Why it matters: a Job's template is immutable, so a Job whose name does not change with its content cannot be
    applied again; one without a deadline can hang a sync for ever; one with a TTL is deleted, and run again by
    self-heal.

    Example: `name: keystone-db-sync` with `backoffLimit: 1000`.

    Use instead: `common.job`, which does all of it.
    """
    for manifest in subject.bundle.manifests:
        if manifest.id.kind == "Job":
            spec = mapping(manifest.data(), "spec")
            for wrong, hint, path in _faults(manifest.id.name, spec):
                where = subject.field(manifest, *path)
                yield Finding(f"{manifest.id} {wrong}", subject.origin(manifest), hint, where)


def _faults(name: str, spec: Map) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """What is wrong, what to do, and in which field."""
    if not _DIGEST.search(name):
        wrong = "must have a name that ends in a digest of what it runs, but has not"
        yield wrong, "`common.job.name`", ("metadata", "name")
    retries = spec.get("backoffLimit")
    if not isinstance(retries, int) or retries > _RETRIES:
        wrong = f"must have a `backoffLimit` of at most {_RETRIES}, but has {retries}"
        yield wrong, f"`backoffLimit: {_RETRIES}`", ("spec", "backoffLimit")
    if not isinstance(spec.get("activeDeadlineSeconds"), int):
        yield "must have a deadline, but has none", "`activeDeadlineSeconds`", ("spec", "activeDeadlineSeconds")
    if "ttlSecondsAfterFinished" in spec:
        yield (
            "must not have a TTL, but has one",
            "remove `ttlSecondsAfterFinished`",
            ("spec", "ttlSecondsAfterFinished"),
        )
