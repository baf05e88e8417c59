"""A site of our charts that speaks TLS throughout: what `tls: {enabled: true}` in its defaults comes to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import ROOT, World, copy_tree

BASE = "environments/base/environment.yaml"
PLAIN, ENCRYPTED = "tls: {enabled: false}", "tls: {enabled: true}"


@pytest.fixture(scope="module")
def site_a(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The site that we ship, with TLS where it is offered."""
    world = World(tmp_path_factory.mktemp("encrypted"))
    for name in ("charts", "environments", "overlays"):
        copy_tree(ROOT / name, world.root / name)
    base = (world.root / BASE).read_text(encoding="utf-8")
    assert base.count(PLAIN) == 2
    done = world.write({BASE: base.replace(PLAIN, ENCRYPTED)}).run("site-a")
    assert done.returncode == 0, done.stderr
    return world


def test_it_passes_every_rule(site_a: World) -> None:
    """Errors there are none, or there would be no tree; the one warning asks for cert-manager's own definition."""
    answer = json.loads(site_a.run("validate", "site-a", "--format", "json").stdout)
    assert {found["code"] for found in answer["findings"]} == {"OS074"}


def test_a_consumer_elsewhere_has_the_authority_in_its_own_namespace(site_a: World) -> None:
    """The database is in `openstack`, its consumer in `telemetry`: no Secret can be read from there."""
    tree = Path(site_a.root / "rendered/site-a")
    certificates = {path.name for path in tree.glob("telemetry/*/certificate.*.yaml")}
    assert certificates == {"certificate.cert-manager.io.keystone-telemetry-client-tls.yaml"}
    api = (tree / "telemetry/keystone-telemetry/deployment.apps.keystone-telemetry-api.yaml").read_text()
    assert "secretName: keystone-telemetry-client-tls" in api
    assert "&ssl_ca=/etc/keystone/authority/ca.crt" in api


def test_flux_waits_for_certificates_and_argocd_lets_people_see_what_they_make(site_a: World) -> None:
    tree = site_a.root / "rendered/site-a"
    waits = [path for path in (tree / "flux/objects").glob("*.yaml") if "kind: Certificate" in path.read_text()]
    assert waits, "a Certificate without a status counts as healthy, unless an expression says otherwise"
    project = next((tree / "argocd").rglob("*appproject*")).read_text()
    assert "kind: CertificateRequest" in project
