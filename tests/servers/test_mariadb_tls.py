"""A rendered mariadb instance with TLS: between members, to clients, for a full copy, for its Jobs, and when a certificate is renewed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.galera import Galera, Writer
from tests.servers.kubelet import Authority, Cluster

CONNECT = """
import pymysql, sys
host, authority, password = sys.argv[1], sys.argv[2], sys.stdin.readline().rstrip("\\n")
tls = {"ssl_ca": authority, "ssl_verify_cert": True, "ssl_verify_identity": True} if authority else {"ssl_disabled": True}
connection = pymysql.connect(host=host, user="app", password=password, connect_timeout=10, **tls)
cursor = connection.cursor()
cursor.execute("SHOW STATUS WHERE variable_name IN ('ssl_version', 'ssl_server_not_after')")
print(dict(cursor.fetchall()))
"""
"""As OpenStack's services connect with `?ssl_ca=` in their URL."""

UNVERIFIED = ("--ssl", "--skip-ssl-verify-server-cert")
Record = Callable[..., None]


@pytest.fixture(scope="module")
def galera() -> Iterator[Galera]:
    with Cluster() as cluster:
        galera = Galera(cluster, "mariadb", 3, {"tls": {"enabled": True}, "exporter": {"enabled": True}})
        galera.start()
        galera.provision()
        yield galera


def connect(galera: Galera, authority: Path | None) -> str:
    """What a client of the proxies sees, or why it is refused."""
    password = galera.cluster.secrets["mariadb-app-database"]["password"] + "\n"
    argv = [sys.executable, "-c", CONNECT, galera.host, str(authority or "")]
    done = galera.cluster.call(*argv, inside=False, stdin=password)
    return done.log.strip().splitlines()[-1]


def test_clients_and_servers_know_one_another(galera: Galera) -> None:
    """With the authority's certificate a client gets in; without TLS, or when it trusts somebody else, it does not."""
    assert "TLSv1" in connect(galera, galera.cluster.authority.home / "ca.crt")
    assert "insecure transport" in connect(galera, None)
    stranger = Authority(galera.cluster.home / "stranger", "a stranger")
    assert "certificate verify failed" in connect(galera, stranger.home / "ca.crt")
    assert "socket.ssl = YES" in galera.sql(0, "SELECT @@wsrep_provider_options")[0][0]


def test_a_member_with_a_strangers_certificate_stays_outside(galera: Galera, record: Record) -> None:
    """It neither joins nor disturbs; with the right certificate it takes a full copy, over TLS too."""
    writer = Writer(galera, "stranger", *UNVERIFIED)
    member, right = galera.members[2], dict(galera.cluster.secrets["mariadb-server-tls"])
    member.kill()
    member.empty("data")
    stranger = Authority(galera.cluster.home / "stranger-2", "another stranger")
    galera.cluster.secrets["mariadb-server-tls"] = stranger.issue("mariadb-server", ["mariadb-proxy.openstack.svc"])
    member.start()
    galera.await_said(2, "no member has data, but [0, 1] do not answer")
    writer.goes_on()
    assert galera.ready() == [0, 1]
    member.kill()
    galera.cluster.secrets["mariadb-server-tls"] = right
    member.start()
    seconds = galera.await_ready(0, 1, 2)
    writer.goes_on()
    found = writer.figures()
    record("TLS: a member with a stranger's certificate, then replaced", **found, back=round(seconds, 1))
    assert found["lost"] == 0


def test_a_renewed_certificate_is_taken_into_use(galera: Galera) -> None:
    """Without a restart: clients see the new one, and members that start afterwards still join."""
    cluster = galera.cluster
    before = connect(galera, cluster.authority.home / "ca.crt")
    certificate = cluster.find("Certificate", "mariadb-server-tls")
    cluster.update_secret("mariadb-server-tls", **cluster.authority.fulfil(certificate))
    cluster.until(lambda: all("the certificate was renewed" in member.log("agent") for member in galera.members))
    assert connect(galera, cluster.authority.home / "ca.crt") != before
    galera.members[2].delete()
    galera.members[2].start()
    galera.await_ready(0, 1, 2)


def test_metrics_say_what_the_server_says(galera: Galera) -> None:
    for member in galera.members:
        page = galera.cluster.call("curl", "--silent", "--show-error", f"http://{member.ip}:9104/metrics").log
        assert "\nmysql_up 1\n" in page
        assert "\nmysql_global_status_wsrep_cluster_size 3\n" in page
    proxy = galera.cluster.of("mariadb-proxy")[0]
    page = galera.cluster.call("curl", "--silent", "--show-error", f"http://{proxy.ip}:8404/metrics").log
    assert 'haproxy_server_status{proxy="members",server="member-0",state="UP"} 1' in page
