"""``helm plugin install .`` and then ``helm oscompile``, with a real Helm 3 and a real Helm 4."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import ROOT, World, copy_tree

PARTS: Final = ("compiler", "plugin.yaml", "requirements.lock")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What somebody who clones the repository has, as far as the plugin needs it; nothing is set up yet."""
    directory = tmp_path_factory.mktemp("plugin") / "oscompile"
    directory.mkdir()
    for part in PARTS:
        copy_tree(ROOT / part, directory / part)
    return directory


@pytest.mark.parametrize("version", ["helm3", "helm4"])
def test_the_plugin_compiles_what_the_program_compiles(
    version: str, checkout: Path, helm_programs: Mapping[str, Path], shipped_world: World, tmp_path: Path
) -> None:
    helm = str(helm_programs[version])
    environment = {**os.environ, "HELM_DATA_HOME": str(tmp_path / "data"), "HELM_CACHE_HOME": str(tmp_path / "cache")}

    def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([helm, *words], cwd=cwd, env=environment, capture_output=True, text=True, check=False)

    installed = run("plugin", "install", ".", cwd=checkout)
    assert installed.returncode == 0, installed.stderr
    done = run("oscompile", "env/site-a", "--output", "json", cwd=shipped_world.root)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["instances"]) == 7
    again = shipped_world.run("env/site-a", "--output", "json")
    changes = json.loads(again.stdout)["changes"]
    assert [changes[key] for key in ("added", "changed", "removed")] == [[], [], []]
    with_helm = run("oscompile", "env/site-a", "--renderer", "helm", "--output", "json", cwd=shipped_world.root)
    changes = json.loads(with_helm.stdout)["changes"]
    assert [changes[key] for key in ("added", "changed", "removed")] == [[], [], []]
    failed = run("oscompile", "env/site-b", cwd=shipped_world.root)
    assert failed.returncode == 1
    assert "try: `site-a`" in failed.stderr
