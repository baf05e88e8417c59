"""``services.toml`` as values: which services and releases the catalogue covers, and what it is made of."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

_HERE: Final = Path(__file__).parent
DATA: Final = _HERE / "data"
"""What ``build`` writes: a directory for each release."""

LOCKS: Final = _HERE / "locks"
"""The packages of each release, with their hashes."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release of OpenStack: its libraries are those of the day ``before``, its services the newest of ``series``."""

    name: str
    before: str
    until: str
    series: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Dynamic:
    """Sections that the value of an option names: each item of it, up to ``separator`` and behind ``prefix``.

    They have the options of the section ``like``; so have the sections ``also``, which are always there.
    """

    section: str
    option: str
    like: str
    prefix: str = ""
    separator: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """A service: the distributions that it is made of, and the names of its configuration files."""

    name: str
    distributions: tuple[str, ...]
    files: tuple[str, ...]
    needs: tuple[str, ...] = ()
    privileged: tuple[str, ...] = ()
    dynamic: tuple[Dynamic, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """The whole table."""

    default: str
    releases: Mapping[str, Release]
    services: Mapping[str, Service]


@cache
def table() -> Table:
    """The table, read once."""
    written = tomllib.loads((_HERE / "services.toml").read_text(encoding="utf-8"))
    return Table(
        default=written["default"],
        releases={name: Release(name, **given) for name, given in written["releases"].items()},
        services={name: _service(name, given) for name, given in written["services"].items()},
    )


def _service(name: str, given: Mapping[str, Any]) -> Service:
    return Service(
        name=name,
        distributions=tuple(given["distributions"]),
        files=tuple(given["files"]),
        needs=tuple(given.get("needs", ())),
        privileged=tuple(given.get("privileged", ())),
        dynamic=tuple(_dynamic(one) for one in given.get("dynamic", ())),
    )


def _dynamic(given: Mapping[str, Any]) -> Dynamic:
    section, option = given["from"]
    others = {key: value for key, value in given.items() if key not in {"from", "also"}}
    return Dynamic(section, option, also=tuple(given.get("also", ())), **others)
