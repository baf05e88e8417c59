"""Keystone from PyPI, as rendered for a site, on the rendered database and caches: schema, logins, keys, lost members."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.servers.keystone_site import NAMES, Site
from tests.servers.kubelet import ROOT, Cluster

Record = Callable[..., None]
pytestmark = pytest.mark.xdist_group("keystone")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site with its data services up and its databases prepared; nobody has touched a schema yet."""
    if not (ROOT / "var/lib/kolla/venv/bin/keystone-manage").is_file():
        pytest.fail("the services are not installed: `make servers` does it")
    with Cluster() as cluster:
        made = Site(cluster, tmp_path_factory.mktemp("site"))
        cluster.start("mariadb-server", "mariadb-proxy", "memcached-server", seconds=600)
        assert [done.code for done in made.provision()] == [0, 0]
        yield made


def test_schema_and_bootstrap_are_done_twice_to_no_harm(site: Site, record: Record) -> None:
    for instance in NAMES:
        for component in ("db-expand", "bootstrap"):
            for _ in ("once", "again"):
                done = site.job(instance, component)
                assert done.code == 0, done.log
    seconds = site.cluster.start(*(f"{name}-api" for name in NAMES), seconds=900)
    for instance in NAMES:
        for _ in ("once", "again"):
            done = site.job(instance, "db-contract")
            assert done.code == 0, done.log
    record(
        "expand, bootstrap, contract, each twice, for two keystones; seconds until both answer",
        seconds=round(seconds, 1),
    )


def test_a_token_is_valid_on_every_pod_and_shows_the_own_catalogue(site: Site) -> None:
    for instance in NAMES:
        keystone = site.keystone(instance)
        answer = keystone.issue()
        assert answer.status == 201, answer
        endpoints = [end["url"] for service in answer.body["token"]["catalog"] for end in service["endpoints"]]
        assert endpoints == [f"http://{instance}-api.openstack.svc:5000/v3"] * 3
        assert all(keystone.valid(answer.token, pod) for pod in keystone.pods)


def test_neither_keystone_sees_the_other(site: Site) -> None:
    one, other = (site.keystone(name) for name in NAMES)
    token = one.token()
    made = one.ask("POST", "/v3/projects", {"project": {"name": "of-one", "domain_id": "default"}}, token=token)
    assert made.status == 201, made
    assert one.ask("GET", f"/v3/projects/{made.body['project']['id']}", token=token).status == 200
    assert "of-one" in one.names("projects")
    assert other.names("projects") == {"admin"}
    assert not other.valid(token)
    assert other.ask("GET", "/v3/projects", token=token).status == 401


def test_tokens_outlive_the_rotation_of_their_keys(site: Site, record: Record) -> None:
    keystone = site.keystone()
    old = keystone.token()
    assert set(keystone.rotate(after=60)) == {"0", "1"}, "a staged key that not every pod may have must not encrypt"
    assert set(keystone.rotate(after=7200)) == {"0", "1", "2"}
    for pod in keystone.pods:
        assert keystone.valid(old, pod)
        fresh = keystone.issue(pod)
        assert fresh.status == 201, fresh
        assert all(keystone.valid(fresh.token, other) for other in keystone.pods)
    record("the keys of tokens are rotated: tokens of before and after are valid on every pod", lost=0)


@pytest.mark.parametrize(
    ("workload", "what"),
    [("mariadb-server", "the database member that takes the writes"), ("memcached-server", "a cache member")],
)
def test_logins_go_on_while_a_member_is_lost(workload: str, what: str, site: Site, record: Record) -> None:
    keystone, cluster = site.keystone(), site.cluster
    keystone.token()
    with keystone.logging_in() as ledger:
        cluster.until(lambda: len(ledger.acknowledged) >= 5, 120)
        victim = cluster.of(workload)[0]
        victim.kill()
        goal = len(ledger.acknowledged) + 20
        cluster.until(lambda: len(ledger.acknowledged) >= goal, 300)
    record(
        f"{what} is lost while somebody logs in again and again",
        acknowledged=len(ledger.acknowledged),
        failed=ledger.failed,
        seconds=ledger.gap,
    )
    assert all(pod.ready for pod in keystone.pods)
    assert cluster.restarts() == {}
    cluster.start(workload, seconds=600)
