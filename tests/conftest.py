"""What every test can use: the real programs, and small worlds made of real files."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

settings.register_profile(
    "ours", deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile("ours")
"""The same examples everywhere, and no clock: a slow machine fails no test."""

ROOT: Final = Path(__file__).parent.parent
PROGRAMS: Final = ROOT / ".venv" / "programs"


class Lanes(LoadScopeScheduling):  # type: ignore[misc]
    """Tests go to any worker, but those of one module on real servers all to one: they share a cluster.

    The groups of ``--dist loadgroup`` would say so, but pytest-xdist 3.8 cannot write them into the ids of pytest 9.
    """

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return module if module.startswith("tests/servers/") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Lanes:
    """Called by pytest-xdist."""
    return Lanes(config, log)


@pytest.fixture(scope="session")
def repository() -> Path:
    """This repository: the charts, environments and overlays that we ship."""
    return ROOT


@pytest.fixture(scope="session")
def helm_programs() -> Mapping[str, Path]:
    """The real helm programs by name, ``helm3`` and ``helm4`` (laid there by ``make test``)."""
    found = {name: PROGRAMS / name for name in ("helm3", "helm4")}
    missing = [name for name, path in found.items() if not path.is_file()]
    assert not missing, f"{', '.join(missing)} are not in {PROGRAMS}: run `make test`, which fetches them"
    return found


@dataclass(frozen=True)
class World:
    """A repository of one's own: files in, the program run on them as a user runs it."""

    root: Path

    def write(self, files: Mapping[str, str]) -> World:
        """Write each text to its path."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return self

    def run(self, *words: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run ``oscompile`` with these words in the root of the world."""
        return subprocess.run(
            [str(ROOT / ".venv" / "bin" / "oscompile"), *words],
            cwd=self.root,
            env={**os.environ, "NO_COLOR": "1", **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    def tree(self, below: str) -> dict[str, str]:
        """Every file below a directory with its text."""
        base = self.root / below
        return {
            path.relative_to(base).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(base.rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An empty repository."""
    root = tmp_path / "sites"
    root.mkdir()
    return World(root)


@pytest.fixture
def shipped_world(tmp_path: Path) -> World:
    """A repository whose charts, environments and overlays are ours (links to what we ship; output goes to the world)."""
    root = tmp_path / "sites"
    root.mkdir()
    for name in ("charts", "environments", "overlays"):
        copy_tree(ROOT / name, root / name)
    return World(root)


def copy_tree(source: Path, target: Path) -> None:
    """Copy a directory, links as links."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
