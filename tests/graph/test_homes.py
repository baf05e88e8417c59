"""Which component an object is applied with."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from compiler.model.manifest import ObjectId, Reference
from tests.graph.worlds import GROUPS, Part, Thing, control_plane, manifest, vertex, waves, world


def homes(*parts: Part, objects: tuple[str, ...]) -> Mapping[str, str]:
    """The home of every object of an instance ``a`` that is no workload."""
    plan = world(Thing("a", parts, objects=objects)).plan()
    return {
        f"{one.kind} {one.name}": str(home)
        for one, home in plan.homes.items()
        if one.namespace and home.instance == "a"
    }


CASES = {
    "nobody names it: with its own component": ((Part("x"),), "Service s x", "a/x"),
    "its own component names it": ((Part("x", uses=("ConfigMap s",)),), "ConfigMap s x", "a/x"),
    "one other component names it: with that one": (
        (Part("x", after=("y",)), Part("y", uses=("ConfigMap s",))),
        "ConfigMap s x",
        "a/y",
    ),
    "several name it: before all of them": (
        (Part("x", uses=("ConfigMap s",)), Part("y", uses=("ConfigMap s",))),
        "ConfigMap s x",
        "a/shared",
    ),
    "no label, one user": ((Part("x", uses=("ConfigMap s",)),), "ConfigMap s", "a/x"),
    "a claim: with the first of its users": (
        (Part("x", after=("y",), uses=("PersistentVolumeClaim s",)), Part("y", uses=("PersistentVolumeClaim s",))),
        "PersistentVolumeClaim s x",
        "a/y",
    ),
    "a Namespace needs nothing": ((Part("x", after=("y",)), Part("y")), "Namespace s x", "a/definitions"),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_where_a_support_object_is_applied(case: str) -> None:
    parts, text, expected = CASES[case]
    kind, name, *_ = text.split()
    plan = world(Thing("a", parts, objects=(text,))).plan()
    found = {str(home) for one, home in plan.homes.items() if (one.kind, one.name) == (kind, name)}
    assert found == {expected}


def test_no_object_is_applied_later_than_a_workload_that_needs_it() -> None:
    site = control_plane()
    plan = site.plan()
    by_name = {(one.id.kind, one.id.name): one.id for bundle in site.bundles for one in bundle.manifests}
    for bundle in site.bundles:
        for one in bundle.manifests:
            for reference in one.references if one.workload else ():
                target = by_name.get((reference.kind, reference.name))
                assert target is None or plan.waves[target] <= plan.waves[one.id]


def test_the_secrets_that_the_site_supplies_stay_together() -> None:
    """The ExternalSecret that provides a Secret is what a pod waits for."""
    found = waves(control_plane().plan())
    assert found["openstack/ExternalSecret keystone-fernet"] < found["openstack/Deployment keystone-api"]


def test_what_serves_the_jobs_of_several_consumers_does_not_move_when_one_joins() -> None:
    """Even with one consumer, the scripts of a provisioning component stand before its Jobs, not with one of them."""
    plan = control_plane().plan()
    assert plan.homes[ObjectId("openstack", "ConfigMap", "", "mariadb-provision")] == vertex("mariadb/shared")


def test_a_policy_for_all_jobs_of_a_preparing_component_stands_before_them() -> None:
    """The NetworkPolicy that lets every provisioning Job through is there before the first of them runs."""
    policy = manifest(ObjectId("openstack", "NetworkPolicy", "networking.k8s.io", "p"), "mariadb", "provision")
    plan = control_plane().with_objects("mariadb", policy).plan()
    assert plan.homes[policy.id] == vertex("mariadb/shared")
    assert vertex("mariadb/provision") not in plan.levels


def test_a_role_binding_goes_with_the_account_that_it_is_for() -> None:
    """Otherwise a Job that needs the API would wait for a permission that comes with a later component."""
    binding = manifest(
        ObjectId("openstack", "RoleBinding", GROUPS["RoleBinding"], "r"),
        "a",
        "late",
        references=(Reference("Role", "openstack", "r"), Reference("ServiceAccount", "openstack", "s")),
    )
    parts = (Part("early", uses=("ServiceAccount s",)), Part("late", after=("early",)))
    site = world(Thing("a", parts, objects=("ServiceAccount s late", "Role r late")))
    plan = site.with_objects("a", binding).plan()
    assert {str(plan.homes[one]) for one in plan.homes if one.name in {"r", "s"}} == {"a/early"}


def test_homes_do_not_depend_on_depth() -> None:
    """Flux deletes what leaves a Kustomization: a chain put before a component leaves its objects where they are."""
    parts = (Part("x", uses=("ConfigMap s",)), Part("y", uses=("ConfigMap s", "ConfigMap t")))
    objects = ("ConfigMap s x", "ConfigMap t y", "Service x x")
    before = homes(*parts, objects=objects)
    deeper = (Part("p"), Part("q", after=("p",)), Part("x", after=("q",), uses=("ConfigMap s",)), parts[1])
    after = homes(*deeper, objects=objects)
    assert before.items() <= after.items()
