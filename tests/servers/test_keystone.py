"""Keystone from PyPI, as rendered for a site, on the rendered database and caches: schema, logins, keys, lost members."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.servers.keystone_site import NAMES, Site
from tests.servers.kubelet import ROOT, Cluster
from tests.servers.writers import Ledger

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
    assert keystone.rotate("fernet", 60) == ["0", "1"], "a staged key that not every pod may have must not encrypt"
    assert keystone.rotate("fernet", 7200) == ["0", "1", "2"]
    for pod in keystone.pods:
        assert keystone.valid(old, pod)
        fresh = keystone.issue(pod)
        assert fresh.status == 201, fresh
        assert all(keystone.valid(fresh.token, other) for other in keystone.pods)
    record("the keys of tokens are rotated: tokens of before and after are valid on every pod", lost=0)


def test_credentials_outlive_the_rotation_of_their_keys(site: Site, record: Record) -> None:
    """Twice, so that the key they were first encrypted with is gone. Pods have just read, and cached, what was encrypted."""
    keystone = site.keystone()
    first = keystone.keep("a secret of before")
    assert keystone.rotate("credential", 60) == ["0", "1"]
    assert keystone.rotate("credential", 7200) == ["0", "1", "2"]
    second = keystone.keep("a secret of between")
    keystone.forget()
    for pod in keystone.pods:
        assert keystone.kept(first, pod) == "a secret of before"
    assert keystone.rotate("credential", 7200) == ["0", "2", "3"]
    for pod in keystone.pods:
        assert keystone.kept(first, pod) == "a secret of before"
        assert keystone.kept(second, pod) == "a secret of between"
    record("the keys of credentials are rotated twice: every pod reads what was encrypted before", lost=0)


def test_a_pod_whose_clock_is_ahead_issues_good_tokens_and_refuses_those_of_others(site: Site, record: Record) -> None:
    """Tokens carry when they end. Two hours are more than they live."""
    keystone = site.keystone()
    wrong, right = keystone.pods
    wrong.clocked = True
    wrong.delete()
    site.cluster.start("keystone-api", seconds=600)
    token = keystone.issue(right).token
    assert keystone.valid(token, wrong)
    wrong.wind("+2h")
    site.cluster.until(lambda: keystone.refuses(token, wrong))
    assert keystone.valid(token, right)
    fresh = keystone.issue(wrong)
    assert fresh.status == 201, fresh
    assert keystone.valid(fresh.token, right)
    assert keystone.valid(fresh.token, wrong)
    record(
        "the clock of an API pod is two hours ahead: it refuses tokens of others; its own are valid on all, for longer"
    )
    wrong.clocked = False
    wrong.delete()
    site.cluster.start("keystone-api", seconds=600)


@pytest.fixture
def logins(site: Site) -> Iterator[Ledger]:
    """Somebody logs in again and again."""
    with site.keystone().logging_in() as ledger:
        site.cluster.until(lambda: len(ledger.acknowledged) >= 5, 120)
        yield ledger


def go_on(site: Site, ledger: Ledger, record: Record, what: str) -> None:
    """Wait for 20 more logins, and take down how many failed."""
    goal = len(ledger.acknowledged) + 20
    site.cluster.until(lambda: len(ledger.acknowledged) >= goal, 300)
    figures = {"acknowledged": len(ledger.acknowledged), "failed": ledger.failed, "seconds": ledger.gap}
    record(f"{what} is lost while somebody logs in again and again", **figures)
    assert all(pod.ready for name in NAMES for pod in site.keystone(name).pods)
    assert site.cluster.restarts() == {}


def test_logins_go_on_while_the_database_member_with_the_clients_is_lost(
    site: Site, logins: Ledger, record: Record
) -> None:
    site.cluster.until(lambda: site.writer() is not None)
    victim = site.writer()
    assert victim
    victim.kill()
    go_on(site, logins, record, "the database member that has the clients")
    site.cluster.until(lambda: site.writer() is not None)
    assert site.writer() is not victim
    site.cluster.start("mariadb-server", seconds=600)


@pytest.mark.parametrize("ordinal", [0, 2])
def test_logins_go_on_while_a_cache_member_is_lost(site: Site, logins: Ledger, ordinal: int, record: Record) -> None:
    site.cluster.of("memcached-server")[ordinal].kill()
    go_on(site, logins, record, f"cache member {ordinal}")
    site.cluster.start("memcached-server", seconds=600)
