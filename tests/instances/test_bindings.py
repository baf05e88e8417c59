"""Who is bound to whom, and what each side is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler import instances
from compiler.documents import parse_node
from compiler.errors import InputError
from compiler.model.instance import Instance
from compiler.model.names import Digest, EnvironmentName, InstanceName, NamespaceName
from compiler.model.node import ListNode, MapNode, Node, Origin, ScalarNode
from compiler.model.site import Declaration, Delivery, Kubernetes, Secrets, Site

FILE = "environments/s/environment.yaml"
CONTRACTS = {
    "db": """
provides: {mysql: {component: server, port: 3306, members: true, prepare: provision, tls: server}}
components:
  server: {role: quorum, replicas: {value: replicas}}
  provision: {role: job, after: [server]}
""",
    "mq": """
provides: {amqp: {component: server, port: 5672}}
components: {server: {role: quorum, replicas: 3}}
""",
    "kv": """
provides: {redis: {component: server, port: 26379, members: true}}
components: {server: {role: quorum, replicas: 3}}
""",
    "app": """
provides: {identity: {component: api, port: 5000, scheme: http, path: /v3}}
requires:
  database: {interface: mysql, gate: ready, secret: database}
  events: {interface: amqp, gate: none, optional: true, secret: events}
  locks: {interface: redis, gate: none, optional: true, secret: locks}
components: {api: {role: api, replicas: 3}}
secrets:
  database: {keys: {password: {generate: password}}}
  events: {keys: {password: {generate: password}}}
  locks: {keys: {password: {generate: password}}}
""",
}


def digest(_directory: Path) -> Digest:
    """What the digest is does not matter here."""
    return Digest("0" * 64)


def site(root: Path, declared: str, *, development: bool = False) -> Site:
    """A site with the charts above and these instances: ``name: {chart, namespace, ...}`` in YAML."""
    for name, contract in CONTRACTS.items():
        chart = root / "charts" / name
        chart.mkdir(parents=True, exist_ok=True)
        (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n")
        (chart / "component.yaml").write_text(f"apiVersion: oscompile/v1alpha1\nkind: Component{contract}")
    node = parse_node(declared, FILE)
    assert isinstance(node, MapNode)
    return Site(
        name=EnvironmentName("s"),
        repository=root,
        file=FILE,
        document=node,
        kubernetes=Kubernetes("1.35"),
        secrets=Secrets("external-secrets", Origin(FILE), "vault"),
        delivery=Delivery("rendered/s"),
        globals=MapNode({}, Origin(FILE)),
        declarations=tuple(declaration(name, node) for name, node in node.entries.items()),
        development=development,
    )


def declaration(name: str, node: Node) -> Declaration:
    """One declared instance."""
    assert isinstance(node, MapNode)
    chart = str(node.entries["chart"].data())
    bindings, values = node.entries.get("bindings"), node.entries.get("values")
    return Declaration(
        name=InstanceName(name),
        namespace=NamespaceName(str(node.entries["namespace"].data()) if "namespace" in node.entries else "cloud"),
        chart=chart,
        chart_path=f"charts/{chart}",
        values=values if isinstance(values, MapNode) else MapNode({}, node.origin),
        origin=node.key_origin("chart"),
        default="default" in node.entries,
        bindings=bindings.entries if isinstance(bindings, MapNode) else {},
    )


def resolved(root: Path, declared: str, *, development: bool = False) -> dict[str, Instance]:
    """The instances by name."""
    return {
        str(found.name): found for found in instances.resolve(site(root, declared, development=development), digest)
    }


DB = "db: {chart: db, values: {replicas: 3}}\n"


def test_the_only_provider_in_the_namespace_is_bound(tmp_path: Path) -> None:
    found = resolved(tmp_path, DB + "app: {chart: app}\n")
    assert [(b.requirement.name, b.provider, b.reason) for b in found["app"].bindings] == [
        ("database", "db", "the only one in its namespace")
    ]


def test_a_provider_in_the_same_namespace_wins_over_the_default_of_the_site(tmp_path: Path) -> None:
    found = resolved(
        tmp_path,
        DB.replace("chart: db,", "chart: db, default: true, namespace: other,")
        + "near: {chart: db, values: {replicas: 3}}\napp: {chart: app}\n",
    )
    assert found["app"].bindings[0].provider == "near"


def test_the_default_decides_where_the_namespace_has_two_providers_or_none(tmp_path: Path) -> None:
    two = DB.replace("chart: db,", "chart: db, default: true,") + "second: {chart: db, values: {replicas: 3}}\n"
    assert resolved(tmp_path, two + "app: {chart: app}\n")["app"].bindings[0].provider == "db"
    assert resolved(tmp_path, two + "app: {chart: app, namespace: far}\n")["app"].bindings[0].provider == "db"


def test_an_explicit_binding_wins_and_is_the_origin(tmp_path: Path) -> None:
    found = resolved(
        tmp_path, DB + "second: {chart: db, values: {replicas: 3}}\napp: {chart: app, bindings: {database: second}}\n"
    )
    binding = found["app"].bindings[0]
    assert (binding.provider, str(binding.origin)) == ("second", f"{FILE}:3:40")


def test_the_consumer_reads_address_members_and_its_own_account(tmp_path: Path) -> None:
    found = resolved(
        tmp_path,
        DB.replace("replicas: 3", "replicas: 5") + "app-two: {chart: app, namespace: far, bindings: {database: db}}\n",
    )
    node = found["app-two"].values.get("bindings", "database")
    assert node is not None
    assert node.data() == {
        "interface": "mysql",
        "instance": "db",
        "namespace": "cloud",
        "chart": "db",
        "component": "server",
        "host": "db-server.cloud.svc",
        "port": 3306,
        "members": [f"db-server-{ordinal}.db-server-members.cloud.svc" for ordinal in range(5)],
        "database": "app_two",
        "username": "app_two",
        "secretName": "app-two-database",
    }


@pytest.mark.parametrize(
    ("tls", "told"),
    [
        ("{enabled: false}", None),
        ("{enabled: true, secretName: ''}", {"secretName": "db-server-tls", "key": "ca.crt"}),
        ("{enabled: true, secretName: given}", {"secretName": "given", "key": "ca.crt"}),
    ],
    ids=["plain", "made by cert-manager", "given"],
)
def test_the_consumer_of_an_encrypted_provider_knows_where_the_authority_is(
    tmp_path: Path, tls: str, told: object
) -> None:
    found = resolved(tmp_path, f"db: {{chart: db, values: {{replicas: 3, tls: {tls}}}}}\napp: {{chart: app}}\n")
    node = found["app"].values.get("bindings", "database", "tls")
    assert (node.data() if node else None) == told


def test_the_provider_reads_its_consumers_with_a_secret_of_its_own_namespace(tmp_path: Path) -> None:
    found = resolved(tmp_path, DB + "app: {chart: app, namespace: far, bindings: {database: db}}\n")
    node = found["db"].values.get("consumers")
    assert node is not None
    assert node.data() == {
        "app-database": {
            "instance": "app",
            "namespace": "far",
            "chart": "app",
            "requirement": "database",
            "interface": "mysql",
            "username": "app",
            "database": "app",
            "secretName": "db-app-database",
        }
    }


def test_both_sides_of_a_shared_store_know_what_the_keys_of_a_consumer_begin_with(tmp_path: Path) -> None:
    found = resolved(tmp_path, DB + "kv: {chart: kv}\napp-two: {chart: app}\n")
    own = ("prefix", "username", "secretName")
    consumer = found["app-two"].values.get("bindings", "locks")
    provider = found["kv"].values.get("consumers", "app-two-locks")
    assert isinstance(consumer, MapNode)
    assert isinstance(provider, MapNode)
    assert [consumer.data()[key] for key in own] == ["app-two:", "app-two", "app-two-locks"]
    assert [provider.data()[key] for key in own] == ["app-two:", "app-two", "kv-app-two-locks"]


def test_members_are_counted_once_by_the_provider_and_are_one_in_development(tmp_path: Path) -> None:
    node = resolved(tmp_path, DB + "app: {chart: app}\n", development=True)["app"].values.get(
        "bindings", "database", "members"
    )
    assert isinstance(node, ListNode)
    assert len(node.items) == 1


def test_an_optional_requirement_that_nobody_meets_is_null_for_the_chart(tmp_path: Path) -> None:
    node = resolved(tmp_path, DB + "app: {chart: app}\n")["app"].values.get("bindings", "events")
    assert isinstance(node, ScalarNode)
    assert node.value is None


def test_a_declined_requirement_keeps_the_address_that_the_site_wrote(tmp_path: Path) -> None:
    found = resolved(
        tmp_path,
        "app: {chart: app, bindings: {database: null}, values: {bindings: {database: {host: db.example.org}}}}\n",
    )
    assert found["app"].bindings == ()
    node = found["app"].values.get("bindings", "database")
    assert node is not None
    assert node.data() == {"host": "db.example.org"}


REQUIRED = "\n  `app` requires it here\n  --> charts/app/component.yaml:5:13"
MISTAKES = {
    "no provider": (
        "app: {chart: app}\n",
        "error: the requirement `database` of `app` (interface `mysql`) has no provider: no other instance of the site "
        f"provides `mysql`\n  --> {FILE}:1:7{REQUIRED}\n"
        "  try: add an instance that does, or `bindings: {database: null}` and the address in its values",
    ),
    "two providers": (
        DB + "second: {chart: db, values: {replicas: 3}}\napp: {chart: app}\n",
        "error: the requirement `database` of `app` (interface `mysql`) has 2 possible providers, and nothing decides "
        f"between them\n  --> {FILE}:3:7{REQUIRED}\n"
        f"  candidate `db`, in namespace `cloud`\n  --> {FILE}:1:6\n"
        f"  candidate `second`, in namespace `cloud`\n  --> {FILE}:2:10\n"
        "  try: `bindings: {database: db}` for `app`, or `default: true` for one of them",
    ),
    "two defaults": (
        DB.replace("chart: db,", "chart: db, default: true,")
        + "second: {chart: db, default: true, values: {replicas: 3}}\napp: {chart: app}\n",
        "error: the requirement `database` of `app` (interface `mysql`) has 2 possible providers, and nothing decides "
        f"between them\n  --> {FILE}:3:7{REQUIRED}\n"
        f"  candidate `db`, in namespace `cloud`\n  --> {FILE}:1:6\n"
        f"  candidate `second`, in namespace `cloud`\n  --> {FILE}:2:10\n"
        "  try: `bindings: {database: db}` for `app`, or `default: true` for one of them",
    ),
    "a provider in another namespace only": (
        DB.replace("chart: db,", "chart: db, namespace: far,") + "app: {chart: app}\n",
        "error: the requirement `database` of `app` (interface `mysql`) has no provider in namespace `cloud`, and no "
        f"provider of the site is its default\n  --> {FILE}:2:7{REQUIRED}\n"
        f"  candidate `db`, in namespace `far`\n  --> {FILE}:1:6\n"
        "  try: `bindings: {database: db}` for `app`, or `default: true` for one of them",
    ),
    "an unknown requirement": (
        DB + "app: {chart: app, bindings: {databse: db}}\n",
        "error: `app` binds `databse`, but its chart `app` has no such requirement\n"
        f"  --> {FILE}:2:39\n  try: `database`",
    ),
    "an instance that does not exist": (
        DB + "app: {chart: app, bindings: {database: dbb}}\n",
        "error: the binding `database` of `app` names the instance `dbb`, but the site has none of that name\n"
        f"  --> {FILE}:2:40\n  try: `db`",
    ),
    "an instance of another site": (
        DB + "app: {chart: app, bindings: {database: site-b/db}}\n",
        "error: the binding `database` of `app` names `site-b/db`, but a binding leads to an instance of its own site, by "
        f"its name alone\n  --> {FILE}:2:40\n"
        "  try: `{database: null}` and the address in its values, if that is in another site",
    ),
    "an instance that provides something else": (
        DB + "mq: {chart: mq}\napp: {chart: app, bindings: {database: mq}}\n",
        "error: the binding `database` of `app` must provide `mysql`, but `mq` (mq) does not\n"
        f"  --> {FILE}:3:40\n  try: `db`",
    ),
    "an address by hand for a bound requirement": (
        DB + "app: {chart: app, values: {bindings: {database: {host: elsewhere}}}}\n",
        "error: `app` sets `values.bindings.database`, but that requirement is bound to `db` and the compiler writes it\n"
        f"  --> {FILE}:2:56\n  try: remove the values, or decline the binding with `bindings: {{database: null}}`",
    ),
    "a member count that is no number": (
        "db: {chart: db, values: {replicas: three}}\napp: {chart: app}\n",
        'error: `replicas` of `db` must be a number of members, but is the string "three"\n'
        f"  --> {FILE}:1:36\n  try: 3",
    ),
}


@pytest.mark.parametrize(("declared", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_binding_that_cannot_be_made_is_explained(tmp_path: Path, declared: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        resolved(tmp_path, declared)
    assert str(caught.value) == message
