"""One object: what it is called, and why it is in its wave."""

from __future__ import annotations

import pytest

from compiler import graph
from compiler.errors import InputError
from tests.graph.worlds import control_plane, thing_object

PLAN = control_plane().plan()


@pytest.mark.parametrize(
    "words",
    [
        "keystone-api",
        "deployment/keystone-api",
        "Deployment keystone-api",
        "openstack/Deployment keystone-api",
        "openstack/deployment/keystone-api",
        "deployment.apps.keystone-api",
        "rendered/site-a/openstack/keystone/deployment.apps.keystone-api.yaml",
    ],
)
def test_an_object_has_every_name_that_people_use(words: str) -> None:
    """By kind and name, as messages write it, by its file; by its name alone it is the one that runs."""
    assert str(graph.find(PLAN, words)) == "openstack/Deployment keystone-api"


def test_the_chain_leads_from_wave_0_with_the_place_of_every_edge() -> None:
    story = graph.why(PLAN, graph.find(PLAN, "keystone-api"))
    assert story.text() == (
        "openstack/Deployment keystone-api is in wave 5, with keystone/api\n"
        "\n"
        "wave 0  site/namespaces\n"
        "wave 1  mariadb/secrets\n"
        "        because it lies in Namespace `openstack`\n"
        "        --> environments/tiny/mariadb.yaml:1:1\n"
        "wave 2  mariadb/server\n"
        "        because openstack/StatefulSet mariadb-server needs openstack/ExternalSecret mariadb-root\n"
        "        --> charts/mariadb/templates/server.yaml:1:1\n"
        "wave 3  mariadb/provision (keystone-database)\n"
        "        because its contract puts it after `server`\n"
        "        --> charts/mariadb/component.yaml:11:3\n"
        "wave 4  keystone/db-sync\n"
        "        because its requirement `database` is bound to `mariadb` (bound explicitly)\n"
        "        --> environments/tiny/keystone.yaml:20:5\n"
        "wave 5  keystone/api\n"
        "        because its contract puts it after `db-sync`\n"
        "        --> charts/keystone/component.yaml:11:3\n"
        "\n"
        "keystone/api also comes after\n"
        "  site/namespaces, because it lies in Namespace `openstack`\n"
        "    --> environments/tiny/keystone.yaml:3:1\n"
        "  keystone/secrets, because openstack/Deployment keystone-api needs openstack/ExternalSecret keystone-database\n"
        "    --> charts/keystone/templates/api.yaml:1:1\n"
        "  keystone/shared, because openstack/Deployment keystone-api needs openstack/ConfigMap keystone-etc\n"
        "    --> charts/keystone/templates/api.yaml:1:1\n"
        "  mariadb/provision (keystone-database), "
        "because its requirement `database` is bound to `mariadb` (bound explicitly)\n"
        "    --> environments/tiny/keystone.yaml:20:5"
    )
    assert story.data()["wave"] == 5


def test_what_gates_nothing_says_why_it_is_last() -> None:
    story = graph.why(PLAN, graph.find(PLAN, "cronjob/keystone-rotate"))
    assert "it gates nothing, so it is in the last wave, whatever comes before it" in story.text()


def test_an_unknown_object_is_answered_with_near_names() -> None:
    with pytest.raises(InputError) as caught:
        graph.find(PLAN, "keystone-apy")
    (said,) = caught.value.diagnostics
    assert said.message == "the site has no object `keystone-apy`"
    assert "`openstack/Deployment keystone-api`" in said.hint


def test_a_name_that_several_objects_have_is_answered_with_all_of_them() -> None:
    """None of them runs, so none of them is meant more than the other."""
    site = control_plane().with_objects("keystone", thing_object("keystone", "openstack", "Role keystone-etc api"))
    with pytest.raises(InputError) as caught:
        graph.find(site.plan(), "keystone-etc")
    (said,) = caught.value.diagnostics
    assert said.message == "`keystone-etc` could be any of 2 objects"
    assert said.hint == "`openstack/ConfigMap keystone-etc`, `openstack/Role keystone-etc`"
