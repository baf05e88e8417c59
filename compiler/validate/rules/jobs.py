"""Rules about Jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from compiler.documents import parse_stream
from compiler.model.data import Data
from compiler.model.manifest import Manifest
from compiler.validate.rule import BUNDLE_RULES, Finding, Subject, rule

_DIGEST: Final = re.compile(r"-[0-9a-f]{10}$")
_RETRIES: Final = 10


@rule(BUNDLE_RULES, "OS044", "a Job is named for what it runs, and ends")
def jobs_end(subject: Subject) -> Iterator[Finding]:
    """Check that a Job's name ends in a digest, and that it has a deadline, at most ten retries, and no TTL.

    Why it matters: a Job's template is immutable, so a Job whose name does not change with its content cannot be
    applied again; one without a deadline can hang a sync for ever; one with a TTL is deleted, and run again by
    self-heal.

    Example: `name: keystone-db-sync` with `backoffLimit: 1000`.

    Use instead: `common.job`, which does all of it.
    """
    if not subject.owner.contracted:
        return
    for manifest in subject.bundle.manifests:
        if manifest.id.kind == "Job":
            for wrong, hint in _faults(manifest.id.name, _spec(manifest)):
                yield Finding(f"{manifest.id} {wrong}", subject.origin(manifest), hint)


def _faults(name: str, spec: Mapping[str, Data]) -> Iterator[tuple[str, str]]:
    if not _DIGEST.search(name):
        yield "must have a name that ends in a digest of what it runs, but has not", "`common.job.name`"
    retries = spec.get("backoffLimit")
    if not isinstance(retries, int) or retries > _RETRIES:
        yield f"must have a `backoffLimit` of at most {_RETRIES}, but has {retries}", f"`backoffLimit: {_RETRIES}`"
    if not isinstance(spec.get("activeDeadlineSeconds"), int):
        yield "must have a deadline, but has none", "`activeDeadlineSeconds`"
    if "ttlSecondsAfterFinished" in spec:
        yield "must not have a TTL, but has one", "remove `ttlSecondsAfterFinished`"


def _spec(manifest: Manifest) -> Mapping[str, Data]:
    body = next((data for _, data in parse_stream(manifest.body, manifest.template)), None)
    spec = body.get("spec") if isinstance(body, dict) else None
    return spec if isinstance(spec, dict) else {}
