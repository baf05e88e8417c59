"""A rendered rabbitmq instance with TLS: between members, to clients, for its Jobs and its tools; and its metrics."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.broker import CLIENT, Broker, Publisher
from tests.servers.kubelet import Authority, Cluster

Record = Callable[..., None]


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Cluster() as cluster:
        broker = Broker(cluster, "rabbitmq", 3, {"tls": {"enabled": True}})
        broker.start()
        broker.provision()
        yield broker


def drain(broker: Broker, authority: Path | None) -> str:
    """What a client is told that takes an empty queue."""
    password = broker.cluster.secrets["rabbitmq-nova-messaging"]["password"] + "\n"
    login = ["--vhost", "nova", "--user", "nova", "--queue", "tls", "--authority", str(authority or "")]
    argv = [sys.executable, str(CLIENT), "drain", *login, "--hosts", *broker.names(broker.members[1])]
    return broker.cluster.call(*argv, inside=False, stdin=password).log


def test_members_form_one_cluster_and_lose_nothing(broker: Broker, record: Record) -> None:
    """The host of the queue's leader is lost; clients check the members' names."""
    authority = broker.cluster.authority.home / "ca.crt"
    began, publisher = time.monotonic(), Publisher(broker, "tls", options=("--authority", str(authority)))
    broker.await_copies("tls", 3)
    victim = broker.leader("tls")
    victim.kill()
    time.sleep(10)
    seconds = broker.start()
    found = publisher.figures()
    probes = broker.cluster.verdicts_since(began)
    record("TLS: host of the queue's leader lost, then back", **found, probes=probes, back=round(seconds, 1))
    assert found["lost"] == 0


def test_clients_and_servers_know_one_another(broker: Broker) -> None:
    """A client that trusts somebody else does not get in, and neither does one without TLS."""
    assert '"found": []' in drain(broker, broker.cluster.authority.home / "ca.crt")
    stranger = Authority(broker.cluster.home / "stranger", "a stranger")
    assert "CERTIFICATE_VERIFY_FAILED" in drain(broker, stranger.home / "ca.crt")
    assert "Traceback" in drain(broker, None)


def test_metrics_say_what_the_broker_says(broker: Broker) -> None:
    for member in broker.members:
        page = broker.cluster.call("curl", "--silent", "--show-error", f"http://{member.ip}:15692/metrics").log
        assert "rabbitmq_identity_info" in page
        assert "\nrabbitmq_process_open_fds " in page
