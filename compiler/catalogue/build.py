"""Make the catalogue anew: ``python -m compiler.catalogue.build``; with ``--lock``, choose its packages anew.

Each release's packages are installed, by hash, into a virtual environment that is thrown away; ``dump`` asks them there
what options they have. The same packages give the same bytes. Needs Python 3.11 and a package index; ``--lock`` needs
uv.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import venv
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final

from compiler.catalogue.table import DATA, LOCKS, Release, Service, table
from compiler.errors import OscompileError, UsageError
from compiler.process import Command, run

_PATIENCE: Final = 1800.0
_PYTHON: Final = (3, 11)
_PROGRAM: Final = Path(__file__).with_name("dump.py")


def main(arguments: list[str]) -> None:
    """Choose the packages of every release, or make the catalogue from those that are chosen."""
    for release in table().releases.values():
        if arguments == ["--lock"]:
            lock(release)
        else:
            build(release)


def lock(release: Release) -> None:
    """Choose the newest packages that ``release`` allows, and write them down with their hashes."""
    newest = [f"--exclude-newer-package={name}={release.until}" for name in release.series]
    options = ("--quiet", "--generate-hashes", "--no-header", "--no-annotate", "--python-version", "3.11")
    chosen = run(
        Command(
            ("uv", "pip", "compile", *options, f"--exclude-newer={release.before}", *newest, "-"),
            purpose=f"choose the packages of {release.name}",
            stdin="\n".join(_requirements(release)).encode(),
            timeout=_PATIENCE,
        )
    )
    LOCKS.mkdir(exist_ok=True)
    _lock(release).write_bytes(chosen.stdout)


def build(release: Release) -> None:
    """Write what the packages of ``release`` say of their options; files that nothing says any more are removed."""
    with tempfile.TemporaryDirectory(prefix="oscompile-catalogue-") as directory:
        files = dict(_files(_said(_environment(release, Path(directory)))))
    home = DATA / release.name
    home.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (home / name).write_text(text, encoding="utf-8")
    for path in home.iterdir():
        if path.name not in files:
            path.unlink()


def _requirements(release: Release) -> list[str]:
    """The services in their series, and what they import besides."""
    services = table().services.values()
    wanted = {name for service in services for name in (*service.distributions, *service.needs)}
    return sorted(f"{name}=={release.series[name]}.*" if name in release.series else name for name in wanted)


def _lock(release: Release) -> Path:
    return LOCKS / f"{release.name}.txt"


def _environment(release: Release, directory: Path) -> Path:
    """A virtual environment with the packages of ``release``: its Python."""
    if sys.version_info[:2] != _PYTHON:
        found = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise UsageError(
            f"error: the packages are locked for Python 3.11, but this is {found}\n  try: PYTHON=python3.11"
        )
    venv.create(directory, with_pip=True)
    python = directory / "bin" / "python"
    install = ("-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", str(_lock(release)))
    run(Command((str(python), *install), purpose=f"install the packages of {release.name}", timeout=_PATIENCE))
    return python


def _said(python: Path) -> Mapping[str, Mapping[str, Any]]:
    """What ``dump`` says of every service, by its name."""
    services = list(table().services.values())
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        said = list(pool.map(partial(_dumped, python), services))
    return dict(zip((service.name for service in services), said, strict=True))


def _dumped(python: Path, service: Service) -> Mapping[str, Any]:
    """What ``dump`` says of ``service``."""
    others = {name for other in table().services.values() for name in other.distributions}
    dynamic = [{**asdict(one), "from": [one.section, one.option]} for one in service.dynamic]
    question = {**asdict(service), "dynamic": dynamic, "foreign": sorted(others - set(service.distributions))}
    command = Command(
        (str(python), str(_PROGRAM)),
        purpose=f"read the options of {service.name}",
        stdin=json.dumps(question).encode(),
        environment={"PYTHONWARNINGS": "ignore", "PYTHONHASHSEED": "0"},  # some choices are sets
    )
    said: Mapping[str, Any] = json.loads(run(command).stdout)
    return said


def _files(said: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Every file of a release, by name."""
    distributions: dict[str, Any] = {}
    plugins: dict[str, Any] = {}
    for one in said.values():
        distributions |= one["distributions"]
        plugins |= one["plugins"]
    for name, found in distributions.items():
        yield f"{name}.json", _text({"version": found["version"], "sections": found["sections"]})
    yield "plugins.json", _text({"sections": plugins})
    services = {
        name: {"distributions": sorted(one["distributions"]), "sections": one["sections"]} for name, one in said.items()
    }
    yield "services.json", _lines(services, 2)


def _text(found: Mapping[str, Any]) -> str:
    return _lines(found, 3)


def _lines(value: Any, depth: int, indent: str = "") -> str:  # noqa: ANN401 - any JSON
    """JSON whose maps take a line for each entry down to ``depth``, so that a review shows one option a line."""
    if depth == 0 or not isinstance(value, dict) or not value:
        return json.dumps(value, separators=(",", ":"), sort_keys=True) + ("" if indent else "\n")
    rows = [
        f"{indent} {json.dumps(key)}: {_lines(below, depth - 1, indent + ' ')}" for key, below in sorted(value.items())
    ]
    return "{\n" + ",\n".join(rows) + f"\n{indent}}}" + ("" if indent else "\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OscompileError as error:
        sys.exit(str(error))
