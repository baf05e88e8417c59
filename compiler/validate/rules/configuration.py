"""Rules about the configuration files of OpenStack's services."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from compiler.catalogue import Options, covered, libraries, load, release_of, service_of
from compiler.documents.schema import nearest
from compiler.model.data import Data
from compiler.model.diagnostic import Severity
from compiler.model.manifest import Manifest
from compiler.model.node import Origin
from compiler.relations.untyped import Map, items
from compiler.validate import texts
from compiler.validate.rule import BUNDLE_RULES, Finding, Subject, rule

if TYPE_CHECKING:
    from compiler.catalogue import Mistake

_Path: TypeAlias = tuple[str | int, ...]
_ANY: Final = ""
"""Stands for a service that the catalogue does not have, where a file has sections that every service shares."""

_SHARED: Final = re.compile(r"^\[oslo_\w+\]\s*$", re.MULTILINE)
_CONTAINERS: Final = ("initContainers", "containers")


@rule(BUNDLE_RULES, "OS042", "every option is one that its service has in this release")
def options_exist(subject: Subject) -> Iterator[Finding]:
    """Check that every option exists, in the configuration files of OpenStack's services and in their environment.

    Sections and options that the service does not have in the release that the instance runs are errors, and so are
    values of the wrong type, out of range, or not among the choices; deprecated options are warnings that name the
    replacement. Variables are checked where oslo.config reads them: `OS_<SECTION>__<OPTION>`. So is what options ask of
    one another: `rabbit_stream_fanout` needs a `rabbit_qos_prefetch_count` above 0.

    A chart with a contract declares its files under `configuration:`; in other charts, ConfigMaps and Secrets with keys
    that are called as the files usually are (`nova.conf`, `ml2_conf.ini`) are checked. The release is `image.release`,
    else `release` of the site, else the chart's application version, by the release (`2026.1`) or by the service's own
    version (keystone 29 is of 2026.1). Of services that are not known, and in files of any name, the sections
    `[oslo_*]` are checked, which are the same in all.

    Known are the options of the releases 2026.1 and 2026.2 of aodh, barbican, ceilometer, cinder, cloudkitty,
    designate, glance, gnocchi, heat, ironic, keystone, kolla, magnum, manila, masakari, masakari-monitors, neutron,
    nova, octavia, placement and tempest, with the libraries that they use. Of files of another release, only what all
    services share is checked, and a warning says so.

    Why it matters: a service ignores an option that it does not know, and says nothing. A cloud that sets
    `rabbit_quorum_queues` has no quorum queues, and learns so when the first broker is lost.

    Example: `conf: {nova: {oslo_messaging_rabbit: {rabbit_quorum_queues: true}}}`

    Use instead: the option that the message suggests: `rabbit_quorum_queue`.
    """
    held = list(_held(subject))
    for service in dict.fromkeys(service for _, service, _ in held):
        yield from _check_service(
            subject, service, [(manifest, files) for manifest, of, files in held if of == service]
        )
    services = {service for _, service in subject.owner.configuration} | {service for _, service, _ in held} - {_ANY}
    options = _options(subject, services.pop()) if len(services) == 1 else None
    if options is not None:
        yield from _check_environments(subject, options)


@rule(BUNDLE_RULES, "OS042", "every option is one that its service has in this release")
def files_are_declared(subject: Subject) -> Iterator[Finding]:
    """Check that a chart with a contract declares what is checked; the page is that of the rule on options."""
    declared = dict(subject.owner.configuration)
    services = {service for _, known in covered() for service in known}
    for file, reader in declared.items():
        if reader not in services:
            message = f"the contract says that `{file}` is a file of `{reader}`, which the catalogue of options lacks"
            yield Finding(
                message, Origin(f"{subject.owner.chart_path}/component.yaml"), nearest(reader, list(services))
            )
    for manifest in subject.bundle.manifests:
        for file in _texts(manifest) if subject.owner.contracted else ():
            service = service_of(file)
            if service is not None and file not in declared:
                message = f"{manifest.id} has a file `{file}`, which the contract does not declare, so nobody checks it"
                hint = f"`configuration: {{{file}: {{service: {service}}}}}` in component.yaml"
                yield Finding(message, subject.origin(manifest), hint, subject.field(manifest, *_place(manifest, file)))


def _held(subject: Subject) -> Iterator[tuple[Manifest, str, dict[str, str]]]:
    """Every object with files of oslo.config: those that one service reads, by name."""
    declared = dict(subject.owner.configuration)
    for manifest in subject.bundle.manifests:
        found: dict[str, dict[str, str]] = {}
        for file, text in _texts(manifest).items():
            service = declared.get(file) or (None if subject.owner.contracted else _recognised(file, text))
            if service is not None:
                found.setdefault(service, {})[file] = text
        for service, files in found.items():
            yield manifest, service, files


def _recognised(file: str, text: str) -> str | None:
    """The service that reads a file which no contract declares; ``_ANY`` where only its sections tell what it is."""
    return service_of(file) or (_ANY if _SHARED.search(text) else None)


def _texts(manifest: Manifest) -> dict[str, str]:
    return texts.files(manifest.id.kind, manifest.data())


def _place(manifest: Manifest, file: str) -> tuple[str, str]:
    return texts.place(manifest.id.kind, manifest.data(), file)


def _options(subject: Subject, service: str) -> Options | None:
    """What the service has in the release that the instance runs."""
    release = subject.owner.release
    return libraries(release) if service == _ANY else load(service, release_of(service, release))


def _check_service(subject: Subject, service: str, held: list[tuple[Manifest, dict[str, str]]]) -> Iterator[Finding]:
    options = _options(subject, service)
    if options is not None:
        yield from _check_files(subject, options, held)
    else:
        yield _not_covered(subject, service, *held[0])
        yield from _check_files(subject, libraries(subject.owner.release), held)


def _check_files(subject: Subject, options: Options, held: list[tuple[Manifest, dict[str, str]]]) -> Iterator[Finding]:
    """Every mistake once, at the first object that has it: components of a chart have much in common."""
    from compiler.catalogue.check import check_files  # noqa: PLC0415 - loads oslo.config: a tenth of a second

    found: dict[Mistake, list[Manifest]] = {}
    for manifest, files in held:
        for mistake in check_files(files, options):
            found.setdefault(replace(mistake, line=0), []).append(manifest)
    for mistake, manifests in found.items():
        manifest = manifests[0]
        others = f" and {len(manifests) - 1} more" if manifests[1:] else ""
        message = f"{mistake.message} (`{mistake.file}` in {manifest.id}{others})"
        steps = (step for step in (mistake.section, mistake.option) if step)
        where = subject.field(manifest, *_place(manifest, mistake.file), *steps)
        yield Finding(message, subject.origin(manifest), mistake.hint, where, severity=mistake.severity)


def _not_covered(subject: Subject, service: str, manifest: Manifest, files: Mapping[str, str]) -> Finding:
    release = subject.owner.release
    known = [name for name, services in covered() if service in services]
    message = f"the options of {manifest.id} are not checked: the catalogue has no {service} of the release `{release}`"
    hint = "`site: {release: ...}`, " + nearest(release, known)
    where = subject.field(manifest, *_place(manifest, next(iter(files))))
    return Finding(message, subject.origin(manifest), hint, where, severity=Severity.WARNING)


def _check_environments(subject: Subject, options: Options) -> Iterator[Finding]:
    from compiler.catalogue.check import check_environment  # noqa: PLC0415 - as above

    for manifest in subject.bundle.manifests:
        if manifest.workload is None:
            continue
        for path, container in _containers(manifest.data(), ()):
            variables = {str(entry.get("name")): _literal(entry) for entry in items(container, "env")}
            places = {name: number for number, name in enumerate(variables)}
            for mistake in check_environment(variables, options):
                where = subject.field(manifest, *path, "env", places[mistake.option], "value")
                message = f"{mistake.message} ({manifest.id}, container `{container.get('name')}`)"
                inside, severity = str(container.get("name")), mistake.severity
                yield Finding(message, subject.origin(manifest), mistake.hint, where, inside, severity)


def _containers(data: Data | Map, path: _Path) -> Iterator[tuple[_Path, Map]]:
    """Every container below ``data``, wherever the pod template lies."""
    steps = data.items() if isinstance(data, Mapping) else enumerate(data) if isinstance(data, list) else ()
    for step, below in steps:
        if step in _CONTAINERS and isinstance(below, list):
            for number, container in enumerate(below):
                if isinstance(container, Mapping):
                    yield (*path, step, number), container
        else:
            yield from _containers(below, (*path, step))


def _literal(entry: Map) -> str | None:
    value = entry.get("value")
    return value if isinstance(value, str) else None
