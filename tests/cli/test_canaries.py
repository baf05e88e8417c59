"""No credential reaches any output, cache, log or argument: canaries are planted, and everything is searched."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import World

CANARY: Final = "c4n4ry-9f31b7"
ENVIRONMENT: Final = {
    "OS_PASSWORD": f"{CANARY}-env",
    "VAULT_TOKEN": f"{CANARY}-vault",
    "SOPS_AGE_KEY": f"{CANARY}-sops",
    "HELM_KUBETOKEN": f"{CANARY}-kube",
}


def searched(root: Path) -> list[str]:
    """Every file below ``root`` that holds the canary."""
    return [
        str(path.relative_to(root))
        for path in sorted(root.rglob("*"))
        if path.is_file() and CANARY.encode() in path.read_bytes()
    ]


@pytest.fixture
def recording_helm(tmp_path: Path, helm_programs: Mapping[str, Path]) -> Path:
    """The real helm, which writes down its arguments and its environment before it works."""
    log, script = tmp_path / "helm.log", tmp_path / "helm"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {log}\nexec {helm_programs["helm4"]} "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


@pytest.mark.parametrize("renderer", ["embedded", "helm"])
def test_what_the_machine_knows_never_reaches_the_output_the_cache_or_a_log(
    shipped_world: World, tmp_path: Path, recording_helm: Path, renderer: str
) -> None:
    home = tmp_path / "home"
    (home / ".config" / "helm").mkdir(parents=True)
    (home / ".config" / "helm" / "repositories.yaml").write_text(f"password: {CANARY}-home\n")
    (home / ".vault-token").write_text(f"{CANARY}-token")
    environment = {**ENVIRONMENT, "HOME": str(home), "HELM_BIN": str(recording_helm)}
    done = shipped_world.run("site-a", "--renderer", renderer, environment=environment)
    assert done.returncode == 0, done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert searched(shipped_world.root) == []
    if renderer == "helm":
        assert CANARY not in (tmp_path / "helm.log").read_text()


PLANTED: Final = {
    "a password in a value": "{global: {admin_password: %s}}",
    "a URL with a password": "{conf: {keystone: {database: {connection: 'mysql://keystone:%s@db/keystone'}}}}",
    "a private key": '{global: {certificate: "-----BEGIN PRIVATE KEY-----\\n%s\\n-----END PRIVATE KEY-----"}}',
}


@pytest.mark.parametrize("values", PLANTED.values(), ids=PLANTED)
@pytest.mark.parametrize("renderer", ["embedded", "helm"])
def test_a_credential_in_a_layer_is_refused_unseen_and_stored_nowhere(
    shipped_world: World, tmp_path: Path, recording_helm: Path, values: str, renderer: str
) -> None:
    layer = shipped_world.root / "environments/site-a/environment.yaml"
    planted = f"\n  keystone: {{values: {values % CANARY}}}\n"
    layer.write_text(layer.read_text() + planted)
    done = shipped_world.run("site-a", "--renderer", renderer, environment={"HELM_BIN": str(recording_helm)})
    assert done.returncode == 1
    assert "error [OS036]: " in done.stderr
    assert "environments/site-a/environment.yaml:" in done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert searched(shipped_world.root) == [os.path.relpath(layer, shipped_world.root)]
    assert not (tmp_path / "helm.log").exists()


def test_no_rendered_file_of_a_production_site_is_a_secret(shipped_world: World) -> None:
    shipped_world.run("site-a")
    kinds = {path.rpartition("/")[2].partition(".")[0] for path in shipped_world.tree("rendered/site-a")}
    assert "externalsecret" in kinds
    assert "secret" not in kinds
