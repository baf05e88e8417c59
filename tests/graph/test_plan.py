"""What decides the wave of an object."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compiler.model.chart import Phase, Role
from compiler.model.manifest import ObjectId, Reference, Workload
from tests.graph.worlds import (
    KEYSTONE,
    MARIADB,
    MEMCACHED,
    NEUTRON,
    NOVA,
    SITE_OBJECTS,
    Need,
    Offer,
    Part,
    Thing,
    control_plane,
    levels,
    manifest,
    pairs,
    vertex,
    waves,
    world,
)


def test_a_control_plane_has_as_few_waves_as_its_longest_chain() -> None:
    """Nova and neutron wait for one another as charts, and yet there is an order, because their components do not."""
    plan = control_plane().plan()
    assert levels(plan) == {
        "site/namespaces": 0,
        "site/priorities": 0,
        "keystone/secrets": 1,
        "keystone/shared": 1,
        "mariadb/secrets": 1,
        "mariadb/shared": 1,
        "memcached/server": 1,
        "mariadb/server": 2,
        "mariadb/provision (keystone-database)": 3,
        "mariadb/provision (neutron-database)": 3,
        "mariadb/provision (nova-database)": 3,
        "keystone/db-sync": 4,
        "nova/db-sync": 4,
        "keystone/api": 5,
        "keystone/bootstrap (neutron-identity)": 6,
        "keystone/bootstrap (nova-identity)": 6,
        "neutron/server": 7,
        "nova/api": 7,
        "neutron/metadata": 8,
        "keystone/rotate": 8,
        "nova/compute": 8,
        "nova/migrate": 8,
    }
    assert plan.last == 8
    assert [str(one) for one in plan.critical_path] == [
        "site/namespaces",
        "mariadb/secrets",
        "mariadb/server",
        "mariadb/provision (keystone-database)",
        "keystone/db-sync",
        "keystone/api",
        "keystone/bootstrap (nova-identity)",
        "nova/api",
        "neutron/metadata",
    ]


def test_every_object_has_a_wave_and_a_home() -> None:
    site = control_plane()
    plan = site.plan()
    everything = {one.id for bundle in site.bundles for one in bundle.manifests}
    assert set(plan.waves) == everything
    assert set(plan.homes) == everything
    assert all(plan.waves[one] == plan.levels[plan.homes[one]] for one in everything)


def test_the_order_of_instances_and_bundles_changes_nothing() -> None:
    """Two runs over the same site, differently listed, are equal."""
    one = world(MARIADB, MEMCACHED, KEYSTONE, NOVA, NEUTRON, site_objects=SITE_OBJECTS)
    other = replace(one, instances=one.instances[::-1], bundles=one.bundles[::-1])
    assert other.plan() == one.plan()


def test_a_consumer_waits_for_its_own_job_alone() -> None:
    """What mariadb prepares for nova holds back nobody but nova."""
    found = pairs(control_plane().plan())
    assert ("mariadb/provision (keystone-database)", "keystone/db-sync") in found
    assert ("mariadb/provision (nova-database)", "keystone/db-sync") not in found


def test_a_requirement_concerns_the_components_that_it_names() -> None:
    """Nova's compute nodes do not wait for the database that only its API uses."""
    found = pairs(control_plane().plan())
    assert ("mariadb/provision (nova-database)", "nova/api") in found
    assert ("mariadb/provision (nova-database)", "nova/compute") not in found


def test_an_address_that_is_used_at_run_time_orders_nothing() -> None:
    """``gate: none``: keystone is told where memcached is, and does not wait for it."""
    assert not [pair for pair in pairs(control_plane().plan()) if pair[0].startswith("memcached")]


def test_every_edge_says_why_and_where() -> None:
    """A contract, a binding, a reference, a namespace: each with its own reason and place."""
    plan = control_plane().plan()
    reasons = {
        (str(edge.after), str(edge.origin)): edge.why for edge in plan.edges if edge.before.component != "secrets"
    }
    assert reasons["keystone/api", "charts/keystone/component.yaml:11:3"] == "its contract puts it after `db-sync`"
    assert reasons["nova/api", "environments/tiny/nova.yaml:21:5"] == (
        "its requirement `identity` is bound to `keystone` (bound explicitly)"
    )
    assert reasons["mariadb/server", "charts/mariadb/templates/server.yaml:1:1"] == (
        "openstack/StatefulSet mariadb-server needs PriorityClass quorum"
    )
    assert reasons["mariadb/server", "environments/tiny/mariadb.yaml:1:1"] == "it lies in Namespace `openstack`"


def test_a_component_that_renders_nothing_passes_its_order_on() -> None:
    """Without its migration, the API comes after what the migration came after."""
    parts = (Part("first"), Part("middle", Role.JOB, after=("first",), renders=False), Part("last", after=("middle",)))
    plan = world(Thing("a", parts)).plan()
    assert pairs(plan) >= {("a/first", "a/last")}
    assert [edge.why for edge in plan.edges if edge.before == vertex("a/first")] == [
        "its contract puts it after `middle`, and `a/middle`, which renders nothing, waits for it"
    ]
    assert plan.dropped == ()


@pytest.mark.parametrize(
    "part",
    [
        Part("node", Role.AGENT),
        Part("node", Role.CRON),
        Part("node", Role.JOB, phase=Phase.ONLINE),
        Part("node", Role.JOB, phase=Phase.CONTRACT),
    ],
    ids=lambda part: f"{part.role}-{part.phase}",
)
def test_what_gates_nothing_goes_last_and_holds_nobody_back(part: Part) -> None:
    """One broken hypervisor must not stop a sync: whoever comes after an agent comes after the agent's own predecessors."""
    parts = (
        Part("first"),
        replace(part, after=("first",)),
        Part("last", after=("node",)),
        Part("end", after=("last",)),
    )
    plan = world(Thing("a", parts)).plan()
    assert levels(plan) == {"site/namespaces": 0, "a/first": 1, "a/last": 2, "a/end": 3, "a/node": 3}
    assert vertex("a/node") not in plan.gating
    assert not [pair for pair in pairs(plan) if pair[0] == "a/node"]
    assert [(str(edge.before), str(edge.after), edge.why) for edge in plan.dropped] == [
        ("a/node", "a/last", "its contract puts it after `node`")
    ]


def test_agents_that_wait_for_one_another_are_no_circle() -> None:
    """Their pods see to it; no sync depends on it."""
    one = Thing("libvirt", (Part("node", Role.AGENT),), needs={"n": Need("ovs")}, offer=Offer("node"))
    two = Thing("ovs", (Part("node", Role.AGENT),), needs={"n": Need("libvirt")}, offer=Offer("node"))
    assert levels(world(one, two).plan()) == {"site/namespaces": 0, "libvirt/node": 1, "ovs/node": 1}


def test_a_component_without_a_contract_gates_unless_it_runs_on_every_node() -> None:
    """A third-party chart says nothing of roles: its DaemonSets are taken for agents."""
    thing = Thing("foreign", ())
    objects = [
        manifest(ObjectId("openstack", kind, "apps", name), "foreign", name)
        for kind, name in (("DaemonSet", "exporter"), ("Deployment", "operator"))
    ]
    plan = world(thing).with_objects("foreign", *objects).plan()
    assert {str(one) for one in plan.gating} == {"site/namespaces", "foreign/operator"}


def test_objects_without_a_component_form_one() -> None:
    plan = world(Thing("plain", (), objects=("ConfigMap one", "Deployment two"))).plan()
    assert levels(plan) == {"site/namespaces": 0, "plain/objects": 1}


def test_a_definition_stands_before_the_objects_of_its_group() -> None:
    """A CustomResourceDefinition of one instance, a resource of that kind in another."""
    crd = "CustomResourceDefinition prometheuses.monitoring.coreos.com operator"
    operator = Thing("operator", (Part("operator"),), objects=(crd,))
    user = Thing("monitoring", (Part("web"),), objects=("Prometheus main server",))
    plan = world(operator, user).plan()
    assert ("operator/definitions", "monitoring/server") in pairs(plan)
    assert (
        waves(plan)["openstack/Prometheus main"]
        > waves(plan)["CustomResourceDefinition prometheuses.monitoring.coreos.com"]
    )


def test_a_namespace_stands_before_everything_in_it() -> None:
    plan = world(Thing("a", (Part("x"),)), Thing("b", (Part("x"),), namespace="telemetry")).plan()
    assert {edge.why for edge in plan.edges} == {"it lies in Namespace `openstack`", "it lies in Namespace `telemetry`"}
    assert levels(plan) == {"site/namespaces": 0, "a/x": 1, "b/x": 1}


def test_instances_that_wait_for_one_another_have_one_rank() -> None:
    """One Application each: nova and neutron, which form a circle as charts, stand side by side."""
    ranks = control_plane().plan().ranks
    assert dict(ranks) == {"": 0, "mariadb": 1, "memcached": 1, "keystone": 2, "neutron": 3, "nova": 3}


def test_an_empty_site_has_an_empty_plan() -> None:
    plan = world().plan()
    assert (dict(plan.waves), plan.critical_path, plan.last) == ({}, (), 0)


def test_what_a_workload_of_another_instance_needs_is_applied_early() -> None:
    """A ConfigMap that a neighbour mounts does not wait for its own component, which comes much later."""
    reader = manifest(
        ObjectId("openstack", "Deployment", "apps", "reader"),
        "b",
        "reader",
        references=(Reference("ConfigMap", "openstack", "common"),),
    )
    owner = Thing("a", (Part("first"), Part("last", after=("first",))), objects=("ConfigMap common last",))
    plan = world(owner, Thing("b", ())).with_objects("b", replace(reader, workload=Workload())).plan()
    assert plan.homes[ObjectId("openstack", "ConfigMap", "", "common")] == vertex("a/shared")
    assert ("a/shared", "b/reader") in pairs(plan)
