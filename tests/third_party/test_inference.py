"""What is known of a chart that has no contract: from its values, and from what it renders."""

from __future__ import annotations

import pytest

from compiler.errors import InputError
from compiler.model.data import Data
from compiler.pipeline import Compiled, Request, judge_site
from compiler.relations.credentials import contents
from tests.third_party.conftest import Portfolio, manifests

PINNED = "{conf: {cache: {secret_key: '$(secret:cache/key)'}}}"
SITE = f"""\
  db: {{chart: third-party/store}}
  mq: {{chart: third-party/broker}}
  signin: {{chart: third-party/signin}}
  pictures: {{chart: third-party/pictures, values: {PINNED}}}
  machines: {{chart: third-party/machines, values: {{pod: {{replicas: {{api: 1}}}}}}}}
"""
ALL = ("store", "broker", "signin", "pictures", "machines")


@pytest.fixture
def whole(portfolio: Portfolio) -> Compiled:
    """The miniature portfolio as one site."""
    return portfolio.shelve(*ALL).site(SITE).compile()


def waits_for(compiled: Compiled, vertex: str) -> set[str]:
    """What a component waits for directly, but for what the compiler itself supplies."""
    edges = (edge for edge in compiled.plan.edges if str(edge.after) == vertex)
    return {str(edge.before) for edge in edges if edge.before.instance and edge.before.component != "shared"}


def value(compiled: Compiled, name: str, path: str) -> Data:
    """A finished value of an instance."""
    instance = next(instance for instance in compiled.instances if instance.name == name)
    node = instance.values.get(*path.split("."))
    return None if node is None else node.data()


def test_the_pods_say_who_waits_for_whom(whole: Compiled) -> None:
    assert waits_for(whole, "signin/signin-api") == {"db/store-server", "signin/signin-db-sync"}
    assert waits_for(whole, "signin/signin-db-sync") == {"db/store-server", "signin/signin-db-init"}
    assert waits_for(whole, "pictures/pictures-api") == {
        "db/store-server",
        "mq/mq-broker",
        "signin/signin-api",
        "pictures/pictures-db-sync",
        "pictures/pictures-users",
    }


def test_a_job_that_waits_for_its_own_charts_service_comes_after_it(whole: Compiled) -> None:
    """As a post-install hook it would; as a hook of Argo CD it would never run. A hook of a lower weight is before it."""
    assert waits_for(whole, "pictures/pictures-bootstrap") == {"pictures/pictures-api", "pictures/pictures-users"}
    assert waits_for(whole, "mq/broker-cluster-wait") == {"mq/mq-broker"}


def test_what_waits_for_an_agent_comes_last_with_the_agents(whole: Compiled) -> None:
    """One broken host must not stop a sync: a DaemonSet gates nothing, and neither does a Job that waits for one."""
    assert waits_for(whole, "machines/machines-setup") == set()
    assert waits_for(whole, "machines/machines-agent") == {"machines/machines-api", "pictures/pictures-api"}
    waves = manifests(whole, "machines")
    assert whole.plan.waves[waves["Job/machines-setup"].id] == whole.plan.waves[waves["DaemonSet/machines-agent"].id]
    dropped = {(str(edge.before), str(edge.after)) for edge in whole.plan.dropped}
    assert ("machines/machines-agent", "machines/machines-setup") in dropped


def test_providers_have_the_names_that_the_site_gave_them(whole: Compiled) -> None:
    """The broker's StatefulSet begins with its release name, and its members are counted once: there."""
    assert value(whole, "pictures", "endpoints.oslo_messaging.statefulset") == {"name": "mq-broker", "replicas": 2}
    found = contents(manifests(whole, "pictures")["Secret/pictures-etc"].data())
    assert b"mq-broker-0.broker:5672,mq-broker-1.broker:5672" in found["transport_url"]


def test_more_members_of_the_provider_reach_every_client(portfolio: Portfolio) -> None:
    site = SITE.replace("third-party/broker", "third-party/broker, values: {pod: {replicas: {server: 5}}}")
    compiled = portfolio.shelve(*ALL).site(site).compile()
    assert value(compiled, "pictures", "endpoints.oslo_messaging.statefulset.replicas") == 5


def test_a_provider_in_another_namespace_is_found_there(portfolio: Portfolio) -> None:
    site = SITE.replace("{chart: third-party/store}", "{chart: third-party/store, namespace: data, default: true}")
    compiled = portfolio.shelve(*ALL).site(site).compile()
    assert value(compiled, "signin", "endpoints.oslo_db.namespace") == "data"
    assert "db/store-server" in waits_for(compiled, "signin/signin-api")


def test_a_provider_under_another_name_is_found_by_that_name(portfolio: Portfolio) -> None:
    site = SITE.replace(
        "{chart: third-party/store}",
        "{chart: third-party/store, values: {endpoints: {oslo_db: {hosts: {default: maria, discovery: maria-all}}}}}",
    )
    compiled = portfolio.shelve(*ALL).site(site).compile()
    assert value(compiled, "signin", "endpoints.oslo_db.hosts.default") == "maria"
    assert "db/store-server" in waits_for(compiled, "signin/signin-api")


OWN = {
    "charts/own/Chart.yaml": "{apiVersion: v2, name: own, version: 1.0.0}\n",
    "charts/own/values.yaml": "bindings: {database: null}\nsecrets: {}\n",
    "charts/own/component.yaml": """\
apiVersion: oscompile/v1alpha1
kind: Component
requires: {database: {interface: mysql, gate: ready, secret: database}}
secrets: {database: {keys: {password: {generate: password}}}}
components: {api: {role: api}}
""",
    "charts/own/templates/api.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: own-api, labels: {app.kubernetes.io/component: api}}
spec:
  selector: {matchLabels: {app: own}}
  template:
    metadata: {labels: {app: own}}
    spec:
      initContainers:
        - {name: wait, command: [wait, "{{ .Values.bindings.database.host }}:{{ .Values.bindings.database.port }}"]}
      containers: [{name: main, image: "registry.example.org/own:1"}]
""",
}


@pytest.mark.parametrize("service", ["store", "maria"])
def test_a_requirement_that_gates_waits_for_what_is_behind_the_inferred_service(
    portfolio: Portfolio, service: str
) -> None:
    """The Service is called as its values say, and the workload behind it otherwise: the edge leads to the workload."""
    hosts = f"{{endpoints: {{oslo_db: {{hosts: {{default: {service}}}}}}}}}"
    instances = f"  db: {{chart: third-party/store, values: {hosts}}}\n  own: {{chart: own}}\n"
    root = portfolio.shelve("store").site(instances, OWN).world.root
    plan = judge_site(Request("site", root, cached=False)).plan
    (edge,) = (edge for edge in plan.edges if str(edge.before) == "db/store-server" and str(edge.after) == "own/api")
    assert edge.why == "its requirement `database` is bound to `db` (the only one in its namespace)"


def test_what_the_site_itself_writes_lies_above_what_is_inferred(portfolio: Portfolio) -> None:
    mine = "values: {endpoints: {oslo_messaging: {statefulset: {replicas: 7}}}, conf: {cache: {secret_key: '$(secret:a/b)'}}}"
    compiled = portfolio.shelve(*ALL).site(SITE.replace(f"values: {PINNED}", mine)).compile()
    assert value(compiled, "pictures", "endpoints.oslo_messaging.statefulset") == {"name": "mq-broker", "replicas": 7}


def test_an_address_remembers_what_it_replaced(whole: Compiled) -> None:
    instance = next(instance for instance in whole.instances if instance.name == "pictures")
    node = instance.values.get("endpoints", "oslo_messaging", "statefulset", "name")
    assert node is not None
    assert [str(lost.origin.file) for lost in node.overrode] == ["third-party/pictures/values.yaml"]


def test_two_providers_are_a_question(portfolio: Portfolio) -> None:
    with pytest.raises(InputError) as asked:
        portfolio.shelve(*ALL).site(SITE + "  other: {chart: third-party/store}\n").compile()
    said = str(asked.value)
    assert "the requirement `oslo_db` of `signin` (interface `mysql`) has 2 possible providers" in said
    assert "try: `bindings: {oslo_db: db}` for `signin`, or `default: true` for one of them" in said


def test_two_instances_that_share_an_object_are_refused(portfolio: Portfolio) -> None:
    site = "  one: {chart: third-party/store}\n  two: {chart: third-party/store}\n"
    said = portfolio.shelve("store").site(site).run("site").stderr
    assert "error [OS009]: openstack/StatefulSet store-server is rendered by `one` and by `two`" in said


ENDLESS = {
    "a job that nobody renders": (
        "  m: {chart: third-party/machines, values: {dependencies: {static: {api: {services: null, jobs: [users]}, agent: null, setup: null}}}}\n",
        "the pods of openstack/Deployment machines-api wait for the Job `users` in `openstack`, which nothing in the site provides",
        "  try: remove it from `dependencies.static.api.jobs` in the values of `m`",
    ),
    "a service that nobody renders": (
        "  m: {chart: third-party/machines, values: {dependencies: {static: {agent: null, setup: null}}}}\n",
        "the pods of openstack/Deployment machines-api wait for the Service `signin-api` in `openstack`, which nothing in the site provides",
        "  try: an instance that provides `identity`, `endpoints.identity.hosts` of one that is there, or remove it from `dependencies.static.api.services`",
    ),
}


@pytest.mark.parametrize(("site", "message", "hint"), ENDLESS.values(), ids=ENDLESS)
def test_what_would_wait_for_ever_is_an_error_that_names_what_to_set(
    portfolio: Portfolio, site: str, message: str, hint: str
) -> None:
    said = portfolio.shelve("machines").site(site).run("site").stderr
    assert f"error [OS015]: {message}" in said
    assert hint in said


def test_a_namespace_that_templates_leave_out_is_written_without_a_word(whole: Compiled) -> None:
    assert {manifest.id.namespace for manifest in manifests(whole, "db").values()} == {"openstack"}
    assert [said for said in whole.report.findings if said.code == "OS004"] == []


def test_nothing_that_depends_on_chance_is_let_through(portfolio: Portfolio) -> None:
    said = portfolio.shelve(*ALL).site(SITE.replace(f", values: {PINNED}", "")).run("site").stderr
    assert "error [OS001]: the chart `pictures` must render the same each time" in said
    assert "  --> third-party/pictures/templates/api.yaml:21:" in said
    assert "  try: a value for `conf.cache.secret_key` in the values of the instance `pictures`" in said
