"""Find the options of a service in the catalogue's data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from compiler.catalogue.option import DEFAULT, Kind, Option, Options, folded
from compiler.catalogue.table import DATA, table

_AUTHENTICATION: Final = "auth_type"
"""A section that has this option takes those of keystoneauth's plugins too."""

_SHARED: Final = "oslo_"
"""What the sections of the libraries that every service shares begin with."""

_BUILT_IN: Final = {"config_file": "MultiString", "config_dir": "List"}
"""What oslo.config itself reads in every service, and lists nowhere."""


def covered() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Every release, with the services whose options are known in it."""
    return tuple((release, tuple(table().services)) for release in table().releases)


def service_of(file: str) -> str | None:
    """The service whose configuration files are called ``file``; None for every other name."""
    return _services_by_file().get(file)


def release_of(service: str, said: str) -> str:
    """The release that ``said`` means: its own name, or that in which ``service`` has this major version.

    ``said`` itself where it means none. A chart says in its application version what it runs: ``29.0.0`` is the
    keystone of 2026.1.
    """
    if said in table().releases or service not in table().services:
        return said
    major = said.removeprefix("v").partition(".")[0]
    return next((release for release in table().releases if _version(service, release) == major), said)


def _version(service: str, release: str) -> str:
    """The major version of ``service`` in ``release``."""
    distribution = table().services[service].distributions[0]
    version: str = _data(release, distribution)["version"]
    return version.partition(".")[0]


@cache
def libraries(release: str) -> Options:
    """The options in sections of the libraries that all services share (``[oslo_*]``), for services of any name.

    Those of the default release where ``release`` is not covered.
    """
    known = release if release in table().releases else table().default
    found = [load(service, known) for service in table().services]
    sections: dict[str, Mapping[str, Option]] = {}
    deprecated: dict[tuple[str, str], Option] = {}
    for one in filter(None, found):
        sections |= {name: below for name, below in one.sections.items() if name.startswith(_SHARED)}
        deprecated |= {place: option for place, option in one.deprecated.items() if place[0].startswith(_SHARED)}
    return Options("OpenStack", known, sections, deprecated, prefix=_SHARED)


@cache
def load(service: str, release: str) -> Options | None:
    """The options of ``service`` in ``release``; None where the catalogue does not cover them."""
    if release not in table().releases or service not in table().services:
        return None
    listed = _data(release, "services")[service]
    sections: dict[str, dict[str, Option]] = {}
    deprecated: dict[tuple[str, str], Option] = {}
    for source in (*(_data(release, name) for name in listed["distributions"]), listed):
        for section, options in source["sections"].items():
            _add(section, options, sections.setdefault(folded(section), {}), deprecated)
    _authenticate(release, sections, deprecated)
    built_in = {name: Option(DEFAULT, name, (kind,)) for name, kind in _BUILT_IN.items()}
    sections[DEFAULT] = {**built_in, **sections.get(DEFAULT, {})}
    return Options(service, release, sections, deprecated, table().services[service].dynamic)


@cache
def _services_by_file() -> Mapping[str, str]:
    return {file: service.name for service in table().services.values() for file in service.files}


@cache
def _data(release: str, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((DATA / release / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _add(
    section: str,
    given: Mapping[str, Any],
    options: dict[str, Option],
    deprecated: dict[tuple[str, str], Option],
) -> None:
    """Lay the options that one package lists for a section over those that others listed."""
    for name, written in given.items():
        entries = written if isinstance(written, list) else [written]
        before = options[name].kinds if name in options else ()
        option = Option(
            section,
            name,
            (*before, *(kind for entry in entries for kind in _kind(entry))),
            multi=any(entry.get("multi") for entry in entries),
            removed=next((entry["removed"] for entry in entries if entry.get("removed")), ""),
        )
        for entry in entries:
            options[name] = options[entry.get("name", name)] = option
            for group, old in entry.get("old", ()):
                deprecated[folded(group or section), old or name] = option


def _kind(entry: Mapping[str, Any]) -> Iterator[Kind]:
    written = entry.get("type", "String")
    yield (written[0], written[1]) if isinstance(written, list) else written


def _authenticate(
    release: str, sections: dict[str, dict[str, Option]], deprecated: dict[tuple[str, str], Option]
) -> None:
    """Give every section that authenticates the options of every plugin of keystoneauth."""
    plugins = _data(release, "plugins")["sections"].values()
    for own in sections.values():
        if _AUTHENTICATION in own:
            listed = set(own)
            for options in plugins:
                missing = {name: entry for name, entry in options.items() if name not in listed}
                _add(own[_AUTHENTICATION].section, missing, own, deprecated)
