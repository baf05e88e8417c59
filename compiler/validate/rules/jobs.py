"""Rules about Jobs, and about what rolls pods."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from compiler.model.chart import Component, Contract, Phase, Role
from compiler.model.diagnostic import Severity
from compiler.model.instance import Instance
from compiler.model.manifest import Manifest
from compiler.model.names import ComponentName
from compiler.relations.untyped import Map, mapping
from compiler.validate.pods import pod
from compiler.validate.rule import BUNDLE_RULES, ELSEWHERE, SITE_RULES, Finding, Judged, Subject, View, rule

_DIGEST: Final = re.compile(r"-[0-9a-f]{10}$")
_RETRIES: Final = 10
_Fault: TypeAlias = tuple[str, str, tuple[str, ...]]
"""What is wrong, what to do, and in which field."""

_ROLLING: Final = frozenset({"DaemonSet", "Deployment", "StatefulSet"})


@rule(BUNDLE_RULES, "OS044", "a Job is named for what it runs, and ends", promise=True)
def jobs_end(subject: Subject) -> Iterator[Finding]:
    """Check that a Job's name ends in a digest, and that it has a deadline, at most ten retries, and no TTL.

    A Job starts its pod again where it is (`restartPolicy: OnFailure`). Of what a CronJob makes the same is asked, but
    for the digest; and that one run of it ends before the next begins.

    Why it matters: a Job's template is immutable, so a Job whose name does not change with its content cannot be
    applied again; one without a deadline can hang a sync for ever; one with a TTL is deleted, and run again by
    self-heal. With `Never` each retry leaves a pod behind. A backup that overtakes the last one is two halves.

    Example: `name: keystone-db-sync` with `backoffLimit: 1000`.

    Use instead: `common.job`, which does all of it.
    """
    for manifest in subject.bundle.manifests:
        if manifest.id.group == "batch" and manifest.id.kind in {"Job", "CronJob"}:
            for wrong, hint, path in _of_kind(manifest, mapping(manifest.data(), "spec")):
                where = subject.field(manifest, *path)
                yield Finding(f"{manifest.id} {wrong}", subject.origin(manifest), hint, where)


def _of_kind(manifest: Manifest, spec: Map) -> Iterator[_Fault]:
    if manifest.id.kind == "CronJob":
        if spec.get("concurrencyPolicy") not in {"Forbid", "Replace"}:
            wrong = "must not run beside its last run, but may"
            yield wrong, "`concurrencyPolicy: Forbid`", ("spec", "concurrencyPolicy")
        yield from _faults(mapping(spec, "jobTemplate", "spec"), ("spec", "jobTemplate", "spec"))
        return
    if not _DIGEST.search(manifest.id.name):
        wrong = "must have a name that ends in a digest of what it runs, but has not"
        yield wrong, "`common.job.name`", ("metadata", "name")
    yield from _faults(spec, ("spec",))


@rule(BUNDLE_RULES, "OS043", "what a pod reads rolls it when it changes", promise=True)
def checksums(subject: Subject) -> Iterator[Finding]:
    """Check that pods that mount a ConfigMap of their instance carry a checksum in an annotation.

    Nothing is asked of Jobs, whose names carry it. That the checksum covers
    exactly what is mounted, so that one component's option rolls that component alone, is proved by the charts' tests.

    Why it matters: a new configuration that rolls nothing is found at the next restart, long after its review.

    Example: a Deployment that mounts `keystone-api` without `checksum/config`.

    Use instead: `config:` of `common.pod.template`.
    """
    own = {each.id.name for each in subject.bundle.manifests if each.id.kind == "ConfigMap"}
    for manifest in subject.bundle.manifests:
        if manifest.id.kind not in _ROLLING:
            continue
        read = sorted({each.name for each in manifest.references if each.kind == "ConfigMap"} & own)
        made = pod(manifest.id.group, manifest.id.kind, subject.data(manifest))
        if read and made is not None and not any("checksum" in key or "hash" in key for key in made.annotations):
            message = (
                f"{manifest.id} reads {', '.join(f'`{name}`' for name in read)}, but does not roll when that changes"
            )
            where = subject.field(manifest, "spec", "template", "metadata", "annotations")
            yield Finding(message, subject.origin(manifest), "`config:` of `common.pod.template`", where)


@rule(ELSEWHERE, "OS045", "a Job may run twice", Severity.WARNING, judged=Judged.TESTS)
def idempotent(_: Instance) -> Iterator[Finding]:
    """Check that a Job that has run can run again, and changes nothing.

    Why it matters: a node dies, a sync is repeated, a pruned Job is made anew: each Job runs twice some day.

    Example: a Job that creates a user and fails where there is one.

    Use instead: a program that looks first. What a Job does is seen only when it runs, so a compile cannot judge this:
    the tests of our charts run theirs twice, against real servers.
    """
    return iter(())


@rule(BUNDLE_RULES, "OS046", "who waits for a Job waits for that very Job", promise=True)
def that_very_job(subject: Subject) -> Iterator[Finding]:
    """Check that a Job that pods wait for is named with the digest of what it runs.

    Why it matters: a Job of a fixed name that succeeded a year ago satisfies everybody who waits for it today, before
    this release's migration has even begun.

    Example: `DEPENDENCY_JOBS: keystone-db-sync`

    Use instead: `after:` in `component.yaml`, which the compiler turns into an edge to the Job of this very content.
    """
    for manifest in subject.bundle.manifests:
        for wait in manifest.workload.waits if manifest.workload is not None else ():
            if wait.kind == "Job" and not _DIGEST.search(wait.name):
                message = f"{manifest.id} waits for the Job `{wait.name}`, which an older run of it satisfies"
                where = subject.field(manifest, "spec")
                yield Finding(message, subject.origin(manifest), "a digest in its name (`common.job.name`)", where)


@rule(SITE_RULES, "OS047", "whoever keeps tables says when they change", promise=True)
def phases(view: View) -> Iterator[Finding]:
    """Check that an API or worker of a chart that needs a database comes after a Job of the phase `expand`.

    Jobs of the phases `online` and `contract` gate nothing: see the contract.

    Why it matters: a rollout is without downtime only where the tables grow before it, and shrink long after it.

    Example: `db-sync: {role: job}`, which does all of it at once.

    Use instead: `db-expand: {role: job, phase: expand}`, and `after: [db-expand]` for whoever reads the tables.
    """
    for instance, subject in zip(view.instances, view.subjects, strict=True):
        contract = instance.chart.contract
        if contract is None or not any(need.interface == "mysql" and not need.optional for need in contract.requires):
            continue
        expands = {each.name for each in contract.components if each.phase is Phase.EXPAND}
        serves = {each.name: each for each in contract.components if each.role in {Role.API, Role.WORKER}}
        for manifest in subject.bundle.manifests:
            component = serves.get(manifest.component) if manifest.workload and manifest.component else None
            if component is not None and not _before(contract, component) & expands:
                message = f"`{instance.name}/{component.name}` reads tables, but is after no Job of the phase `expand`"
                hint = "`after:` a Job with `phase: expand`"
                yield Finding(message, component.origin, hint, subject.field(manifest))


def _before(contract: Contract, component: Component) -> set[ComponentName]:
    """Everything that comes before ``component``, however far."""
    found: set[ComponentName] = set()
    left = list(component.after)
    while left:
        name = left.pop()
        above = contract.component(name)
        if name not in found and above is not None:
            found.add(name)
            left += above.after
    return found


def _faults(spec: Map, path: tuple[str, ...]) -> Iterator[_Fault]:
    """What is wrong with the Job whose ``spec`` stands at ``path``, whoever makes it."""
    retries = spec.get("backoffLimit")
    if isinstance(retries, int) and retries > _RETRIES:
        wrong = f"must have a `backoffLimit` of at most {_RETRIES}, but has {retries}"
        yield wrong, f"`backoffLimit: {_RETRIES}`", (*path, "backoffLimit")
    if not isinstance(spec.get("activeDeadlineSeconds"), int):
        yield "must have a deadline, but has none", "`activeDeadlineSeconds`", (*path, "activeDeadlineSeconds")
    if "ttlSecondsAfterFinished" in spec:
        hint = "remove `ttlSecondsAfterFinished`"
        yield "must not have a TTL, but has one", hint, (*path, "ttlSecondsAfterFinished")
    restarts = mapping(spec, "template", "spec").get("restartPolicy")
    if restarts != "OnFailure":
        wrong = f"must start its pod again where it is, but has the `restartPolicy` {restarts}"
        yield wrong, "`restartPolicy: OnFailure`", (*path, "template", "spec", "restartPolicy")
