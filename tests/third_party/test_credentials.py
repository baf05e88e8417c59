"""Credentials of third-party charts: what a development site accepts, and what others refer to."""

from __future__ import annotations

import base64
import json
from typing import Final

from tests.third_party.conftest import HEAD, Portfolio, manifests

PRODUCTION: Final = HEAD.replace("development: true\n", "").replace(
    '{chartDefaults: ["*"]}', "{backend: external-secrets, store: vault}"
)
REFERRED: Final = """\
  db: {chart: third-party/store, values: {endpoints: {oslo_db: {auth: {admin: {password: "$(secret:root/password)"}}}}}}
  signin:
    chart: third-party/signin
    values:
      endpoints:
        identity: {auth: {admin: {password: "$(secret:admin/password)"}}}
        oslo_db: {auth: {signin: {password: "$(secret:database/password)"}}}
"""


def production(portfolio: Portfolio, instances: str) -> Portfolio:
    """A site that is not for development."""
    portfolio.shelve("store", "signin")
    portfolio.world.write({"environments/site/environment.yaml": f"{PRODUCTION}instances:\n{instances}"})
    return portfolio


def test_a_rendered_secret_that_refers_to_credentials_is_filled_in_by_the_store(portfolio: Portfolio) -> None:
    compiled = production(portfolio, REFERRED).compile()
    made = manifests(compiled, "signin")["ExternalSecret/signin-etc"]
    spec = json.loads(made.content)["spec"]
    assert spec["data"] == [
        {"secretKey": "credential0", "remoteRef": {"key": "site/openstack/signin/database", "property": "password"}}
    ]
    assert spec["target"]["template"]["data"] == {
        "connection": "mysql://signin:{{ .credential0 }}@store.openstack.svc:3306/signin"
    }
    assert [str(one) for one in made.provides] == [str(one) for one in made.provides if one.name == "signin-etc"]


def test_an_administrator_is_written_once_and_referred_to_by_everybody(portfolio: Portfolio) -> None:
    compiled = production(portfolio, REFERRED).compile()
    signin = next(instance for instance in compiled.instances if instance.name == "signin")
    node = signin.values.get("endpoints", "oslo_db", "auth", "admin", "password")
    assert node is not None
    assert node.data() == "$(secret:db/root/password)"


def test_the_store_is_told_what_it_must_hold(portfolio: Portfolio) -> None:
    said = production(portfolio, REFERRED).run("secrets", "site", "--output", "json").stdout
    assert [row["path"] for row in json.loads(said)] == [
        "site/openstack/db/root",
        "site/openstack/signin/admin",
        "site/openstack/signin/database",
    ]


def test_a_development_site_gets_derived_values(portfolio: Portfolio) -> None:
    compiled = portfolio.shelve("store", "signin").site(REFERRED).compile()
    data = json.loads(manifests(compiled, "signin")["Secret/signin-etc"].content)["data"]
    connection = base64.b64decode(data["connection"]).decode()
    assert connection.startswith("mysql://signin:")
    assert "$(" not in connection


def test_default_credentials_are_refused_unless_a_development_site_accepts_them(portfolio: Portfolio) -> None:
    said = production(portfolio, "  db: {chart: third-party/store}\n").run("site").stderr
    assert "error [OS036]: `endpoints.oslo_db.auth.admin.password` of `db` holds a credential in plain text" in said
    assert "refer to one with `$(secret:<name>/<key>)`" in said


def test_only_a_development_site_may_accept_them(portfolio: Portfolio) -> None:
    text = HEAD.replace("development: true\n", "").replace(
        "{chartDefaults", "{backend: external-secrets, store: v, chartDefaults"
    )
    portfolio.shelve("store").world.write(
        {"environments/site/environment.yaml": f"{text}instances:\n  db: {{chart: third-party/store}}\n"}
    )
    said = portfolio.run("site").stderr
    assert "error: `secrets.chartDefaults` accepts passwords that everybody knows" in said


def test_what_the_site_writes_itself_is_refused_all_the_same(portfolio: Portfolio) -> None:
    mine = "  db: {chart: third-party/store, values: {endpoints: {oslo_db: {auth: {admin: {password: hunter2}}}}}}\n"
    said = portfolio.shelve("store").site(mine).run("site").stderr
    assert "error [OS036]" in said
    assert "hunter2" not in said


def test_a_reference_that_lands_in_plain_text_is_refused(portfolio: Portfolio) -> None:
    portfolio.shelve("pictures").world.write({"third-party/pictures/templates/open.yaml": OPEN})
    text = f"{PRODUCTION}instances:\n{PICTURES}"
    said = portfolio.world.write({"environments/site/environment.yaml": text}).run("site").stderr
    assert "error: openstack/ConfigMap open would hold the credential `cache/key` in plain text" in said
    assert "  --> environments/site/environment.yaml:8:3" in said


OPEN: Final = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: open}\ndata: {key: '{{ .Values.conf.cache.secret_key }}'}\n"
)
PICTURES: Final = """\
  p:
    chart: third-party/pictures
    values:
      conf: {cache: {secret_key: "$(secret:cache/key)"}}
      manifests: {job_bootstrap: false}
      dependencies: {static: {api: null, db_sync: null, users: null}}
      endpoints:
        identity: {auth: {admin: {password: "$(secret:a/k)"}, pictures: {password: "$(secret:b/k)"}}}
        oslo_db: {auth: {admin: {password: "$(secret:c/k)"}, pictures: {password: "$(secret:d/k)"}}}
        oslo_messaging: {auth: {admin: {password: "$(secret:e/k)"}, pictures: {password: "$(secret:f/k)"}}}
"""


def test_a_development_site_has_nothing_to_hide(portfolio: Portfolio) -> None:
    portfolio.shelve("pictures").world.write({"third-party/pictures/templates/open.yaml": OPEN})
    compiled = portfolio.site(PICTURES).compile()
    assert "$(" not in manifests(compiled, "p")["ConfigMap/open"].content
