"""What was planned is what the engines do: every edge is held by a construct that the emitted files alone show.

The files are written as the pipeline writes them, and read as each engine reads them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from compiler import engines, write
from compiler.engines import Application, Kustomization, Revision
from compiler.engines.files import revision
from compiler.model.chart import Role
from compiler.model.index import INDEX
from compiler.model.manifest import ObjectId
from compiler.model.plan import Vertex
from compiler.model.site import ArgoCD
from tests.graph.worlds import KEYSTONE, MARIADB, MEMCACHED, SITE_OBJECTS, Part, Thing, World, control_plane, world

WORLDS: Final[dict[str, Callable[[], World]]] = {
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
INSIDE: Final = {"wave", "kind", "through others"}
BETWEEN: Final = {"the pods' own wait", "the API server", "its own attempts", "through others"}


@pytest.fixture(params=WORLDS, ids=str)
def site(request: pytest.FixtureRequest) -> World:
    return WORLDS[request.param]()


def files(site: World, granularity: str = "instance") -> Revision:
    """The site as it lies in Git, delivered by both engines."""
    how = site.delivered(argocd=ArgoCD(granularity=granularity))
    tree = write.lay_out(how.site, how.instances, how.annotated(), how.plan(), how.documents())
    output = how.site.delivery.output
    return revision("commit", {f"{output}/{path}": text.decode() for path, text in tree.files.items() if path != INDEX})


def constructs(site: World, granularity: str, engine: str, *, between: bool | None = None) -> set[str]:
    """What holds the edges ``between`` instances, inside one, or (None) all of them."""
    return {
        proof.construct
        for proof in engines.prove(site.plan(), files(site, granularity))
        if proof.engine == engine
        and (between is None or between == (proof.edge.before.instance != proof.edge.after.instance))
    }


def applications(site: World, granularity: str = "instance") -> list[Application]:
    """Every Application that applies objects of the site."""
    found = engines.owners(files(site, granularity))["Application"]
    return [one for one in found if isinstance(one, Application) and not any(each.spec for each in one.objects)]


def kustomizations(site: World) -> dict[str, Kustomization]:
    """Every Kustomization that applies objects of the site."""
    found = engines.owners(files(site))["Kustomization"]
    return {one.name: one for one in found if isinstance(one, Kustomization) and one.name != "tiny"}


def applied(owners: list[Application] | list[Kustomization]) -> dict[ObjectId, str]:
    """Who applies each object. No object has two."""
    found: dict[ObjectId, str] = {}
    for owner in owners:
        for one in owner.objects:
            assert one.id not in found, f"{one.id} is in {found[one.id]} and in {owner.name}"
            found[one.id] = owner.name
    return found


def of_kind(site: World, kind: str, granularity: str = "instance") -> Mapping[str, Any]:
    """The spec of the one delivery object of a kind."""
    found = [one.spec for objects in files(site, granularity).files.values() for one in objects if one.id.kind == kind]
    assert len(found) == 1
    return found[0]


def test_waves_of_one_application_hold_every_edge(site: World) -> None:
    """Granularity ``site``: nothing is left to the pods."""
    assert constructs(site, "site", "Argo CD") <= INSIDE


def test_waves_of_one_application_each_hold_the_edges_of_their_instance(site: World) -> None:
    """Granularity ``instance``, inside each."""
    assert constructs(site, "instance", "Argo CD", between=False) <= INSIDE


def test_between_applications_the_pods_wait_themselves(site: World) -> None:
    """Granularity ``instance``, between them: no workload is left without a wait for the address it is bound to.

    What an address cannot tell is that a Job of its provider has run. A Job that needs it is tried again; a Deployment
    without a Job of its own before it is what rule OS049 refuses.
    """
    proofs = [
        proof
        for proof in engines.prove(site.plan(), files(site))
        if proof.engine == "Argo CD" and proof.edge.before.instance != proof.edge.after.instance
    ]
    assert {proof.construct for proof in proofs} - {engines.NOTHING} <= BETWEEN
    unheld = {(str(proof.edge.before), str(proof.edge.after)) for proof in proofs if proof.construct == engines.NOTHING}
    assert unheld <= {
        ("keystone/bootstrap (neutron-identity)", "neutron/server"),
        ("keystone/bootstrap (nova-identity)", "nova/api"),
        ("mariadb/provision (neutron-database)", "neutron/server"),
    }


def test_kustomizations_hold_every_edge(site: World) -> None:
    """Flux: a dependency that is awaited, or a stage inside a Kustomization."""
    assert constructs(site, "instance", "Flux") <= {"dependsOn", "stage"}


@pytest.mark.parametrize("granularity", ["site", "instance"])
def test_argo_cd_applies_every_object_once_and_nothing_else(site: World, granularity: str) -> None:
    """Both granularities apply exactly the site's objects: no delivery object, no index."""
    assert set(applied(applications(site, granularity))) == set(site.plan().waves)


def test_flux_applies_every_object_once(site: World) -> None:
    found = kustomizations(site)
    assert set(applied(list(found.values()))) == set(site.plan().waves)
    assert all("postBuild" not in one.spec for one in found.values())


def test_kustomizations_depend_on_exactly_what_the_plan_says(site: World) -> None:
    """No dependency is missing, and none is invented: each is the Kustomization of an edge."""
    plan, found = site.plan(), kustomizations(site)
    owner = applied(list(found.values()))
    names: defaultdict[Vertex, set[str]] = defaultdict(set)
    for one, home in plan.homes.items():
        names[home].add(owner[one])
    assert all(len(each) == 1 for each in names.values())
    name = {vertex: min(each) for vertex, each in names.items()}
    expected = {vertex: {name[edge.before] for edge in plan.edges if edge.after == vertex} for vertex in plan.levels}
    assert {vertex: set(found[name[vertex]].depends_on) for vertex in plan.levels} == expected


def test_nothing_depends_on_what_gates_nothing(site: World) -> None:
    """And such a Kustomization is ready once it is applied: a broken agent does not even show as a failed sync."""
    plan, found = site.plan(), kustomizations(site)
    owner = applied(list(found.values()))
    ungated = {owner[one] for one, home in plan.homes.items() if home not in plan.gating}
    assert {name for name, one in found.items() if one.spec["wait"] is False} == ungated
    assert not [name for name, one in found.items() if set(one.depends_on) & ungated]


@pytest.mark.parametrize("granularity", ["site", "instance"])
def test_the_project_permits_what_its_applications_apply(site: World, granularity: str) -> None:
    """Source, destination and kind of every object, as Argo CD checks them before it syncs."""
    spec = of_kind(site, "AppProject", granularity)
    allowed = {
        True: {(kind["group"], kind["kind"]) for kind in spec["namespaceResourceWhitelist"]},
        False: {(kind["group"], kind["kind"]) for kind in spec["clusterResourceWhitelist"]},
    }
    namespaces = {destination["namespace"] for destination in spec["destinations"]}
    for application in applications(site, granularity):
        destination = application.spec["destination"]
        assert isinstance(destination, dict)
        assert destination["namespace"] in namespaces
        for one in application.objects:
            assert one.kind in allowed[bool(one.id.namespace)]
            assert not one.id.namespace or one.id.namespace in namespaces


def test_the_roots_apply_the_rest(site: World) -> None:
    """Argo CD's: the project and the Applications. Flux's: itself among the others, from Git from then on."""
    found = engines.owners(files(site))
    (root,) = [one for one in found["Application"] if one.name == "tiny"]
    assert {one.id.kind for one in root.objects} == {"AppProject", "Application"}
    (root_of_flux,) = [one for one in found["Kustomization"] if one.name == "tiny"]
    assert {one.id.kind for one in root_of_flux.objects} == {"GitRepository", "Kustomization"}
    assert "tiny" in {one.id.name for one in root_of_flux.objects if one.id.kind == "Kustomization"}
