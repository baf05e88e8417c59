"""Whose object is whose, in a chart that does not say it."""

from __future__ import annotations

from tests.third_party.conftest import Portfolio, manifests

CONTRACT = """\
apiVersion: oscompile/v1alpha1
kind: Component
provides: {compute: {component: front, port: 8774, service: machines-api}}
components:
  front: {role: api, objects: ["*/machines-api"]}
  nodes: {role: agent, objects: [DaemonSet/machines-agent, DaemonSet/machines-helper]}
"""


def test_a_workload_is_a_component_and_what_selects_its_pods_goes_with_it(portfolio: Portfolio) -> None:
    compiled = portfolio.shelve("store").site("  db: {chart: third-party/store}\n").compile()
    assert {name: manifest.component for name, manifest in manifests(compiled, "db").items()} == {
        "PodDisruptionBudget/store-server": "store-server",
        "Service/store": "store-server",
        "Service/store-discovery": "store-server",
        "StatefulSet/store-server": "store-server",
    }


def test_a_contract_beside_the_environments_says_otherwise(portfolio: Portfolio) -> None:
    files = {"environments/contracts/machines.yaml": CONTRACT}
    compiled = portfolio.shelve("machines").site(MACHINES, files).compile()
    assert {name: manifest.component for name, manifest in manifests(compiled, "m").items()} == {
        "DaemonSet/machines-agent": "nodes",
        "DaemonSet/machines-helper": "nodes",
        "Deployment/machines-api": "front",
        "Job/machines-setup": "machines-setup",
        "Service/machines-api": "front",
    }


MACHINES = """\
  m:
    chart: third-party/machines
    values: {dependencies: {static: {api: null, agent: null, setup: null}}}
"""


def test_a_pattern_that_fits_nothing_is_a_warning_at_its_place(portfolio: Portfolio) -> None:
    files = {"environments/contracts/machines.yaml": CONTRACT.replace("DaemonSet/machines-helper", "DaemonSet/x")}
    compiled = portfolio.shelve("machines").site(MACHINES, files).compile()
    [said] = [warning for warning in compiled.report.warnings if not warning.code]
    assert str(said).splitlines()[:2] == [
        "warning: `DaemonSet/x` of the component `nodes` fits no object that `m` renders",
        "  --> environments/contracts/machines.yaml:6:10",
    ]


def test_a_directory_and_its_archive_give_the_same_site(portfolio: Portfolio) -> None:
    as_directory = portfolio.shelve("store").site("  db: {chart: third-party/store}\n").compile()
    archive = portfolio.world.root / "third-party" / "store-1.0.0.tgz"
    archive.write_bytes(portfolio.pack("store"))
    as_archive = portfolio.site("  db: {chart: third-party/store-1.0.0.tgz}\n").compile()
    assert [bundle.manifests for bundle in as_directory.bundles] == [bundle.manifests for bundle in as_archive.bundles]


def test_a_place_in_an_archive_is_named_as_if_it_were_a_directory(portfolio: Portfolio) -> None:
    portfolio.site("  p: {chart: third-party/pictures-1.0.0.tgz}\n")
    archive = portfolio.world.root / "third-party" / "pictures-1.0.0.tgz"
    archive.parent.mkdir()
    archive.write_bytes(portfolio.pack("pictures"))
    said = portfolio.run("site").stderr
    assert "`randAlphaNum` depends on chance" in said
    assert "  --> third-party/pictures-1.0.0.tgz/templates/api.yaml:21:" in said
    assert "  try: a value for `conf.cache.secret_key` in the values of the instance `p`" in said


def test_an_archive_that_leads_nowhere_says_so(portfolio: Portfolio) -> None:
    said = portfolio.site("  p: {chart: third-party/x-1.0.0.tgz}\n").run("site").stderr
    assert said == (
        "error: `chart` names the archive `third-party/x-1.0.0.tgz`, but there is no such file\n"
        "  --> environments/site/environment.yaml:9:14\n"
        "  try: a path from the root of the repository\n"
    )
