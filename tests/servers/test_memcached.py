"""A rendered memcached instance: losing a member loses its share of the cache, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.kubelet import Cluster, Pod, render

CLIENT = Path(__file__).with_name("memcached_client.py")
VALUES = {
    "memory": 64,
    "threads": 1,
    "drainSeconds": 1,
    "connections": 64,
    "probes": {"liveness": {"periodSeconds": 3, "failureThreshold": 3}},
}
"""A small member, which is killed sooner than a minute after it stalled."""
Record = Callable[..., None]


class Caches:
    """One instance of the chart."""

    def __init__(self, cluster: Cluster, instance: str, replicas: int) -> None:
        self.cluster, self.instance = cluster, instance
        self.configure(replicas)

    def configure(self, replicas: int) -> None:
        """Apply it with this number of members, and let them be there."""
        self.cluster.apply(render("memcached", self.instance, {**VALUES, "replicas": replicas}))
        self.cluster.scale(f"{self.instance}-server")

    @property
    def members(self) -> list[Pod]:
        """Its members, in order."""
        return self.cluster.of(f"{self.instance}-server")

    def client(self) -> subprocess.Popen[str]:
        """A client that is told of every member, as a binding tells it."""
        domain = f"{self.instance}-server-members.openstack.svc"
        client = self.cluster.client(
            sys.executable, str(CLIENT), *(f"{member.name}.{domain}" for member in self.members)
        )
        assert client.stdout is not None
        assert client.stdout.readline() == "begun\n"
        time.sleep(1)  # a hundred keys, in this time or in what is to come
        return client

    def figures(self, client: subprocess.Popen[str]) -> dict[str, Any]:
        """Stop a client; what it counted."""
        time.sleep(2)
        said, _ = client.communicate(timeout=30)
        self.cluster.ended(client)
        assert client.returncode == 0, said
        return dict(json.loads(said.splitlines()[-1]))


@pytest.fixture(scope="module")
def caches() -> Iterator[Caches]:
    with Cluster() as cluster:
        yield Caches(cluster, "memcached", 3)


@pytest.mark.parametrize("replicas", [1, 5, 3])
def test_clients_use_every_member(caches: Caches, replicas: int) -> None:
    caches.configure(replicas)
    found = caches.figures(caches.client())
    assert (found["used"], found["failed"], found["missed"]) == (replicas, 0, 0)


def test_a_member_is_lost(caches: Caches, record: Record) -> None:
    """Clients fail until they have put it aside: a few requests; the others and their probes do not notice."""
    began, client = time.monotonic(), caches.client()
    victim = caches.members[1]
    victim.kill()
    time.sleep(5)
    assert [member.probe("readiness") for member in caches.members if member is not victim] == [None, None]
    victim.start()
    caches.cluster.await_ready(victim)
    time.sleep(4)  # the client asks the member again
    found = caches.figures(client)
    record(
        "host of a member lost, then back",
        members=3,
        acknowledged=found["asked"] - found["failed"],
        failed=found["failed"],
        seconds=found["gap"],
        probes=caches.cluster.verdicts_since(began),
    )
    assert found["used"] == 3
    assert found["failed"] < found["asked"] / 4


def test_a_stalled_member_is_started_again(caches: Caches) -> None:
    """It accepts connections but does not answer: unready first, then killed by its liveness probe."""
    member = caches.members[0]
    member.container().sandbox.freeze()
    caches.cluster.until(lambda: not member.ready)
    assert member.probe("liveness")
    caches.cluster.until(lambda: caches.cluster.restarts() == {f"{member.name}/server": 1}, 120)
    caches.cluster.await_ready(member)


def test_a_member_without_free_connections_is_not_killed(caches: Caches) -> None:
    """A restart would help nobody."""
    before, member = caches.cluster.restarts(), caches.members[2]
    flood = "import socket, sys; held = [socket.create_connection((sys.argv[1], 11211)) for _ in range(80)]; sys.stdin.read()"
    client = caches.cluster.client(sys.executable, "-c", flood, member.ip)
    caches.cluster.until(lambda: member.probe("readiness") is not None)
    assert member.probe("liveness") is None
    caches.cluster.until(lambda: not member.ready)
    caches.cluster.end(client)
    caches.cluster.await_ready(member)
    assert caches.cluster.restarts() == before


def test_all_are_lost_at_once(caches: Caches, record: Record) -> None:
    for member in caches.members:
        member.kill()
    record("all hosts lost at once, all back", members=3, seconds=round(caches.cluster.start(), 1))
    assert caches.figures(caches.client())["failed"] == 0


def test_a_rolling_restart_empties_one_after_another(caches: Caches, record: Record) -> None:
    client = caches.client()
    caches.cluster.roll("memcached-server")
    found = caches.figures(client)
    record(
        "rolling restart of all members",
        members=3,
        acknowledged=found["asked"] - found["failed"],
        failed=found["failed"],
        seconds=found["gap"],
    )
    assert found["failed"] < found["asked"] / 4


def test_two_instances_share_nothing(caches: Caches) -> None:
    """In one namespace: what one holds, the other does not, and losing it whole is not noticed."""
    other = Caches(caches.cluster, "other", 1)
    client = caches.client()
    assert other.figures(other.client())["used"] == 1
    caches.cluster.remove("other")
    assert caches.figures(client)["failed"] == 0
