"""What was planned is what the engines do: every edge is held by a construct that the emitted files alone show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from compiler.model.chart import Role
from compiler.model.site import ArgoCD
from tests.delivery.argocd import ArgoCD as ArgoReader
from tests.delivery.files import members, written
from tests.delivery.flux import Flux as FluxReader
from tests.delivery.order import constructs
from tests.graph.worlds import KEYSTONE, MARIADB, MEMCACHED, SITE_OBJECTS, Part, Thing, World, control_plane, world

WORLDS: dict[str, Callable[[], World]] = {
    "a control plane": control_plane,
    "two namespaces": lambda: world(
        MARIADB,
        MEMCACHED,
        KEYSTONE,
        Thing("tool", (Part("web"), Part("node", Role.AGENT, after=("web",))), namespace="tools"),
        site_objects=SITE_OBJECTS,
    ),
    "definitions and what they define": lambda: world(
        Thing(
            "operator",
            (Part("operator"),),
            objects=("CustomResourceDefinition prometheuses.monitoring.coreos.com operator", "Prometheus own operator"),
        ),
    ),
}


@pytest.fixture(params=WORLDS, ids=str)
def site(request: pytest.FixtureRequest) -> World:
    return WORLDS[request.param]()


def argocd(site: World, granularity: str, root: Path) -> ArgoReader:
    how = site.delivered(argocd=ArgoCD(granularity=granularity))
    return ArgoReader(written(how, root), root / "rendered/tiny/argocd/application.argoproj.io.tiny.yaml")


def flux(site: World, root: Path) -> FluxReader:
    return FluxReader(written(site, root), root / "rendered/tiny/flux")


def test_waves_of_one_application_hold_every_edge(site: World, tmp_path: Path) -> None:
    """Granularity ``site``: nothing is left to the pods."""
    plan = site.plan()
    found = constructs(plan, argocd(site, "site", tmp_path).held)
    assert set(found) <= {"wave", "kind"}
    assert sum(found.values()) >= len(plan.edges)


def test_waves_of_one_application_each_hold_the_edges_of_their_instance(site: World, tmp_path: Path) -> None:
    """Granularity ``instance``, inside each."""
    assert set(constructs(site.plan(), argocd(site, "instance", tmp_path).held, between=False)) <= {"wave", "kind"}


def test_between_applications_the_pods_wait_themselves(tmp_path: Path) -> None:
    """Granularity ``instance``, between them: no workload is left without a wait for the address it is bound to."""
    site = control_plane()
    found = constructs(site.plan(), argocd(site, "instance", tmp_path).held, between=True)
    assert set(found) - {""} == {"the pods' own wait", "refused by the API server until then, and retried"}


def test_an_edge_that_nothing_holds_is_noticed(tmp_path: Path) -> None:
    """The checker checks: without the wait in its pods, keystone would start beside its database."""
    site = control_plane()
    reader = argocd(site, "instance", tmp_path)
    path = tmp_path / "rendered/tiny/openstack/keystone/deployment.apps.keystone-api.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("mariadb-server.openstack.svc", "elsewhere.openstack.svc"), encoding="utf-8")
    reader = ArgoReader(tmp_path, tmp_path / "rendered/tiny/argocd/application.argoproj.io.tiny.yaml")
    with pytest.raises(
        AssertionError, match="nothing holds openstack/Deployment keystone-api after openstack/Job mariadb"
    ):
        constructs(site.plan(), reader.held, between=True)


def test_argo_cd_applies_every_object_once_and_nothing_else(site: World, tmp_path: Path) -> None:
    """Both granularities apply exactly the site's objects: no delivery object, no index."""
    for granularity in ("site", "instance"):
        reader = argocd(site, granularity, tmp_path / granularity)
        assert set(reader.of) == set(site.plan().waves)


def test_the_root_applies_the_project_and_the_applications(site: World, tmp_path: Path) -> None:
    reader = argocd(site, "instance", tmp_path)
    assert {one.id.kind for one in reader.root.objects} == {"AppProject", "Application"}
    assert reader.root.name not in {application.name for application in reader.applications}


def test_the_project_permits_what_its_applications_apply(site: World, tmp_path: Path) -> None:
    """Source, destination and kind of every object, as Argo CD checks them before it syncs."""
    for granularity in ("site", "instance"):
        reader = argocd(site, granularity, tmp_path / granularity)
        spec = reader.project["spec"]
        allowed = {
            True: {(kind["group"], kind["kind"]) for kind in spec["namespaceResourceWhitelist"]},
            False: {(kind["group"], kind["kind"]) for kind in spec["clusterResourceWhitelist"]},
        }
        namespaces = {destination["namespace"] for destination in spec["destinations"]}
        for application in reader.applications:
            assert application.spec["project"] == reader.project["metadata"]["name"]
            assert application.spec["destination"]["namespace"] in namespaces
            for one in application.objects:
                assert (one.id.group, one.id.kind) in allowed[bool(one.id.namespace)]
                assert not one.id.namespace or one.id.namespace in namespaces


def test_kustomizations_hold_every_edge(site: World, tmp_path: Path) -> None:
    """Flux: a dependency that is awaited, or a stage inside a Kustomization."""
    plan = site.plan()
    found = constructs(plan, flux(site, tmp_path).held)
    assert set(found) <= {"dependsOn", "stage"}


def test_kustomizations_depend_on_exactly_what_the_plan_says(site: World, tmp_path: Path) -> None:
    """No dependency is missing, and none is invented: each is the Kustomization of an edge."""
    plan, reader = site.plan(), flux(site, tmp_path)
    of = {vertex: {reader.of[one] for one in members(plan, vertex)} for vertex in plan.levels}
    assert all(len(names) == 1 for names in of.values())
    name = {vertex: min(names) for vertex, names in of.items()}
    expected = {vertex: {name[edge.before] for edge in plan.edges if edge.after == vertex} for vertex in plan.levels}
    assert {vertex: reader.depends_on(name[vertex]) for vertex in plan.levels} == expected


def test_nothing_depends_on_what_gates_nothing(site: World, tmp_path: Path) -> None:
    """And such a Kustomization is ready once it is applied: a broken agent does not even show as a failed sync."""
    plan, reader = site.plan(), flux(site, tmp_path)
    ungated = {reader.of[one] for vertex in set(plan.levels) - plan.gating for one in members(plan, vertex)}
    assert all(reader.spec(name)["wait"] is False for name in ungated)
    assert all(reader.spec(name)["wait"] is True for name in set(reader.objects) - ungated)
    assert not [name for name in reader.objects if reader.depends_on(name) & ungated]


def test_flux_applies_every_object_once(site: World, tmp_path: Path) -> None:
    reader = flux(site, tmp_path)
    assert set(reader.of) == set(site.plan().waves)
    assert set(reader.order()) == set(reader.objects)
    assert all("postBuild" not in reader.spec(name) for name in reader.kustomizations)


def test_the_root_kustomization_applies_itself_from_git(site: World, tmp_path: Path) -> None:
    """Whoever applies the directory once has handed it over."""
    reader = flux(site, tmp_path)
    assert reader.path("tiny") == (tmp_path / "rendered/tiny/flux").resolve()
    assert reader.spec("tiny")["sourceRef"]["name"] == reader.source["metadata"]["name"]
