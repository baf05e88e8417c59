"""Processes of their own, and disks of their own, for what a compile must survive."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parent.parent.parent

Run = Callable[..., Any]
"""Runs a command of ``tests/write/child.py``, and returns what it printed."""


def _run(argv: tuple[str, ...]) -> Any:  # noqa: ANN401 - any JSON
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def child() -> Run:
    """Run a command of ``tests/write/child.py`` in a process of its own."""
    return lambda *words: _run((sys.executable, "-m", "tests.write.child", *map(str, words)))


@pytest.fixture
def quick_path() -> Iterator[Path]:
    """A directory in memory where there is one: for what is done a thousand times, flushing to disk each time."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def private() -> tuple[str, ...]:
    """What to put before a command that mounts: root gets mounts of its own, others a user namespace with them."""
    mapped = ("env", "UNPRIVILEGED=1", "unshare", "--map-root-user", "--mount")
    own = ("unshare", "--mount") if os.geteuid() == 0 else mapped
    if shutil.which("unshare") is None or subprocess.run([*own, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a disk of their own")
    return own


@pytest.fixture
def on_disk(private: tuple[str, ...]) -> Run:
    """Run a command of ``child.py`` after a line of shell that mounts what it needs; ``$0`` is the directory."""

    def run(mounting: str, where: Path, *words: object) -> Any:  # noqa: ANN401 - any JSON
        script = f'{mounting}\nexec "$@"'
        command = (sys.executable, "-m", "tests.write.child", *map(str, words))
        return _run((*private, "sh", "-ec", script, str(where), *command))

    return run
