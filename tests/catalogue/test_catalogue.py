"""The catalogue's data: what it covers, that it is that of the locked packages, that its types are oslo.config's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from compiler.catalogue import covered, load, service_of, values
from compiler.catalogue.table import DATA, LOCKS, table

PAIRS = [(release, service) for release, services in covered() for service in services]


@pytest.mark.parametrize(("release", "service"), PAIRS)
def test_every_service_of_every_release_has_options_and_those_of_its_libraries(release: str, service: str) -> None:
    options = load(service, release)
    assert options is not None
    assert sum(len(below) for below in options.sections.values()) > 100
    assert service == "kolla" or "log_file" in options.sections["DEFAULT"]


@pytest.mark.parametrize("release", [release for release, _ in covered()])
def test_the_data_are_of_the_locked_packages(release: str) -> None:
    locked = dict(
        re.findall(r"^([a-z0-9-]+)==(\S+)", (LOCKS / f"{release}.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    found = {name: written["version"] for name, written in data(release) if "version" in written}
    assert found == {name: locked[name] for name in found}
    assert all(re.match(rf"{series}\.", locked[name]) for name, series in table().releases[release].series.items())


@pytest.mark.parametrize("release", [release for release, _ in covered()])
def test_every_type_in_the_data_is_one_of_oslo_config(release: str) -> None:
    options = {str(option.kinds): option for service in table().services for option in every(service, release)}
    assert len(options) > 100
    for option in options.values():
        assert values.fits(option, "$undefined")
        assert values.expected(option)
        values.fits(option, "1")  # raises where the data hold a type or an argument that oslo.config does not have


def test_what_is_not_covered_is_none() -> None:
    assert load("keystone", "2024.1") is None
    assert load("horizon", "2026.1") is None
    assert service_of("nova.conf") == "nova"
    assert service_of("uwsgi.ini") is None


def data(release: str) -> Iterator[tuple[str, Any]]:
    for path in sorted((DATA / release).glob("*.json")):
        yield path.stem, json.loads(path.read_text(encoding="utf-8"))


def every(service: str, release: str) -> list[Any]:
    options = load(service, release)
    assert options is not None
    return [option for below in options.sections.values() for option in below.values()]
