"""A rendered mariadb instance, on real servers, keeps every acknowledged write through what happens to its members.

Needs root, MariaDB with Galera, haproxy and helm; without them the tests are skipped. Figures are written to `SERVERS_REPORT`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.mariadb_cluster import CHART, Cluster, Writer, consumer

PROGRAMS = ("mariadbd", "mariadb-backup", "haproxy", "socat", "setpriv", "curl")
MISSING = [p for p in PROGRAMS if not shutil.which(p, path=f"{os.environ['PATH']}:/usr/sbin")]
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="starts servers as their own users"),
    pytest.mark.skipif(bool(MISSING), reason=f"programs are missing: {MISSING}"),
    pytest.mark.xdist_group("mariadb"),
]


def note(what: str, **figures: object) -> None:
    """One line of the report."""
    line = json.dumps({"what": what, **figures})
    print(line)  # shown by -s
    if path := os.environ.get("SERVERS_REPORT"):
        with Path(path).open("a") as out:
            out.write(line + "\n")


@pytest.fixture(scope="module")
def formed() -> Iterator[Cluster]:
    cluster = Cluster("main", 3, 31, {"consumers": consumer("app")})
    try:
        cluster.start()
        note("three members form a cluster", seconds=round(cluster.wait_ready(), 1))
        assert [d.returncode for d in cluster.provision()] == [0]
        yield cluster
    finally:
        cluster.close()


@pytest.fixture
def cluster(formed: Cluster) -> Cluster:
    """Three synced members, whatever the test before did."""
    formed.start()
    formed.wait_ready([0, 1, 2])
    return formed


@pytest.fixture
def writer(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Writer]:
    client = Writer(cluster, "app", re.sub(r"\W+", "_", request.node.name).strip("_"))
    time.sleep(1)
    yield client
    client.stop()


def finish(cluster: Cluster, writer: Writer, what: str, **figures: object) -> dict[str, Any]:
    """Stop writing, compare every member with what was acknowledged."""
    time.sleep(2)
    writer.stop()
    verdict: dict[str, Any] = writer.verdict(cluster.ready())
    note(what, **verdict, **figures)
    assert verdict["lost"] == 0
    assert verdict["acknowledged"] > 100
    return verdict


def test_a_consumer_gets_its_database_and_nothing_else(cluster: Cluster) -> None:
    """The Job can run again, changes a password, and takes away what is too much."""
    cluster.sql(0, "CREATE DATABASE other; GRANT SELECT ON other.* TO app@'%'")
    cluster.secrets["app-database"]["password"] = "changed \\ \" ' 1"
    assert [d.returncode for d in cluster.provision()] == [0]
    assert [d.returncode for d in cluster.provision()] == [0]
    grants = {g[0].split(" TO ")[0] for g in cluster.sql(1, "SHOW GRANTS FOR app@'%'")}
    assert grants == {"GRANT USAGE ON *.*", "GRANT ALL PRIVILEGES ON `app`.*"}
    assert cluster.sql(
        2, "SELECT default_character_set_name FROM information_schema.schemata WHERE schema_name='app'"
    ) == [("utf8mb4",)]
    Writer(cluster, "app").stop()


def test_the_administrators_password_follows_its_secret(cluster: Cluster) -> None:
    new = "another 'one'"
    cluster.secrets["main-root"]["password"] = new
    for member in cluster.members:
        (member.root / "accounts" / "root").write_text(new)
    time.sleep(5)
    assert [d.returncode for d in cluster.provision()] == [0]


def test_durability_is_on(cluster: Cluster) -> None:
    settings = dict(
        cluster.sql(
            0,
            "SHOW VARIABLES WHERE variable_name IN ('innodb_flush_log_at_trx_commit', 'innodb_doublewrite', 'character_set_server')",
        )
    )
    assert settings == {
        "innodb_flush_log_at_trx_commit": "1",
        "innodb_doublewrite": "ON",
        "character_set_server": "utf8mb4",
    }


def test_the_member_with_the_clients_is_killed(cluster: Cluster, writer: Writer) -> None:
    """SIGKILL of its container; the kubelet starts it again and it takes the difference, not a copy."""
    cluster.members[0].kill(host=False)
    time.sleep(1)
    seconds = cluster.wait_ready([0, 1, 2])
    assert "Cleaning the existing datadir" not in cluster.members[0].log().rpartition("volume:")[2]
    finish(cluster, writer, "SIGKILL of the member with the clients", back=round(seconds, 1))


@pytest.mark.parametrize("ordinal", [0, 2])
def test_a_host_is_lost_and_comes_back(cluster: Cluster, writer: Writer, ordinal: int) -> None:
    cluster.members[ordinal].kill()
    time.sleep(12)
    assert cluster.ready() == [o for o in range(3) if o != ordinal]
    cluster.members[ordinal].start()
    seconds = cluster.wait_ready([0, 1, 2])
    finish(cluster, writer, f"host of member {ordinal} lost for 12 s", back=round(seconds, 1))


def test_all_are_killed_at_once(cluster: Cluster, writer: Writer) -> None:
    """Full power loss: nobody is asked, and all come back by themselves."""
    for member in cluster.members:
        member.kill()
    time.sleep(1)
    cluster.start()
    seconds = cluster.wait_ready([0, 1, 2])
    finish(cluster, writer, "SIGKILL of all members at once, all back", back=round(seconds, 1))


def test_all_containers_are_killed_at_once(cluster: Cluster, writer: Writer) -> None:
    """The servers alone, while their agents live on."""
    for member in cluster.members:
        member.kill(host=False)
    time.sleep(1)
    seconds = cluster.wait_ready([0, 1, 2])
    finish(cluster, writer, "SIGKILL of all servers at once", back=round(seconds, 1))


@pytest.mark.parametrize("absent", [0, 1, 2])
def test_all_are_killed_and_one_never_comes_back(cluster: Cluster, writer: Writer, absent: int) -> None:
    """The majority elects the highest position. Only writes that reached no other member can be missing, and they are counted."""
    for member in sorted(cluster.members, key=lambda m: m is cluster.members[absent]):
        member.kill()
    rest = [o for o in range(3) if o != absent]
    for ordinal in rest:
        cluster.members[ordinal].start()
    seconds = cluster.wait_ready(rest)
    time.sleep(2)
    cluster.members[absent].start()
    cluster.wait_ready([0, 1, 2])
    time.sleep(1)
    writer.stop()
    verdict = writer.verdict([0, 1, 2])
    note(f"SIGKILL of all members, member {absent} absent", **verdict, service_after=round(seconds, 1))
    assert len({tuple(cluster.sql(o, f"CHECKSUM TABLE app.{writer.table}")) for o in range(3)}) == 1
    assert verdict["lost"] == 0


def stop_all(cluster: Cluster) -> list[float]:
    """All pods deleted at the same time, as `kubectl delete` or a drained cluster does."""
    took: list[float] = []
    threads = [threading.Thread(target=lambda m=m: took.append(m.stop())) for m in cluster.members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def test_all_are_stopped_in_good_order(cluster: Cluster, writer: Writer) -> None:
    took = stop_all(cluster)
    cluster.start()
    seconds = cluster.wait_ready([0, 1, 2])
    finish(cluster, writer, "parallel clean stop, all back", stopping=round(max(took), 1), back=round(seconds, 1))


@pytest.mark.parametrize("absent", [0, 1, 2])
def test_all_are_stopped_and_one_never_comes_back(cluster: Cluster, writer: Writer, absent: int) -> None:
    took = stop_all(cluster)
    rest = [o for o in range(3) if o != absent]
    for ordinal in rest:
        cluster.members[ordinal].start()
    seconds = cluster.wait_ready(rest)
    figures = {"stopping": round(max(took), 1), "back": round(seconds, 1)}
    finish(cluster, writer, f"parallel clean stop, member {absent} never back", **figures)


def test_a_rolling_restart_takes_one_after_another(cluster: Cluster, writer: Writer) -> None:
    took = []
    for member in reversed(cluster.members):
        took.append(member.stop())
        member.start()
        cluster.wait_ready([0, 1, 2])
    finish(cluster, writer, "rolling restart", stopping=[round(t, 1) for t in took])


def test_two_members_are_not_drained_at_once(cluster: Cluster) -> None:
    """The second keeps serving until the first is back and synced."""
    stops = {o: threading.Thread(target=cluster.members[o].stop) for o in (1, 2)}
    for stop in stops.values():
        stop.start()
    first = wait_for_one(stops)
    second = 3 - first
    time.sleep(3)
    assert stops[second].is_alive()
    assert cluster.members[second].container("server").probe("readiness")
    cluster.members[first].start()
    stops[second].join(60)
    assert not stops[second].is_alive()
    assert cluster.ready() == [0, first]


def wait_for_one(threads: dict[int, threading.Thread]) -> int:
    """The key of the thread that ends first."""
    while True:
        for key, thread in threads.items():
            if not thread.is_alive():
                return key
        time.sleep(0.1)


def test_a_survivor_without_quorum_is_left_alive(cluster: Cluster, writer: Writer) -> None:
    """It refuses writes and is not ready, but liveness lets it be; when the others are back, they go on together."""
    for ordinal in (0, 1):
        cluster.members[ordinal].kill()
    time.sleep(8)
    server = cluster.members[2].container("server")
    seen = [(server.probe("liveness"), server.probe("startup"), server.probe("readiness")) for _ in range(3)]
    assert seen == [(True, True, False)] * 3
    with pytest.raises(subprocess.CalledProcessError):
        cluster.sql(2, "INSERT INTO app.written (id) VALUES (-1)")
    cluster.start()
    seconds = cluster.wait_ready([0, 1, 2])
    finish(cluster, writer, "two of three hosts lost, both back", back=round(seconds, 1))


def test_a_frozen_member_is_put_aside(cluster: Cluster, writer: Writer) -> None:
    """Its host stalls for 15 s: neither killed nor answering."""
    member = cluster.members[0]
    for container in member.containers:
        container.signal(signal.SIGSTOP)
    time.sleep(15)
    for container in member.containers:
        container.signal(signal.SIGCONT)
    seconds = cluster.wait_ready([0, 1, 2])
    finish(cluster, writer, "member with the clients frozen for 15 s", back=round(seconds, 1))


def test_an_empty_volume_takes_a_copy(cluster: Cluster, writer: Writer) -> None:
    """Also for member 0, which would otherwise create a cluster."""
    cluster.members[0].kill()
    cluster.members[0].empty()
    time.sleep(5)
    cluster.members[0].start()
    time.sleep(2)
    server = cluster.members[0].container("server")
    verdicts = []
    while not server.probe("readiness"):
        verdicts.append(server.probe("liveness") or not server.probe("startup"))
        time.sleep(0.5)
    assert all(verdicts)  # liveness is asked only after startup
    seconds = cluster.wait_ready([0, 1, 2])
    finish(cluster, writer, "member 0 with an empty volume", back=round(seconds, 1))


@pytest.mark.parametrize("content", ["", "garbage\n", "uuid: 1\nseqno: x\n"])
def test_a_corrupt_state_file_does_no_harm(cluster: Cluster, writer: Writer, content: str) -> None:
    cluster.members[1].kill()
    (cluster.members[1].root / "data/data/grastate.dat").write_text(content)
    (cluster.members[1].root / "data/member.json").write_text(content)
    time.sleep(5)
    cluster.members[1].start()
    seconds = cluster.wait_ready([0, 1, 2])
    finish(cluster, writer, f"grastate.dat is {content!r}", back=round(seconds, 1))


def test_a_minority_waits_for_a_human(cluster: Cluster, writer: Writer) -> None:
    """One of three never elects itself; it says what a human may decide, and that decision works once."""
    for member in cluster.members:
        member.kill()
    writer.stop()
    cluster.members[1].start()
    cluster.wait_said(1, "set `recovery.force` to `1@")
    time.sleep(20)
    assert cluster.ready() == []
    force = cluster.members[1].log().rpartition("set `recovery.force` to `")[2].partition("`")[0]
    cluster.members[1].kill()
    cluster.reconfigure({"recovery": {"force": force}})
    cluster.members[1].start()
    cluster.wait_said(1, "`recovery.force` names member 1")
    cluster.start()
    cluster.wait_ready([0, 1, 2])
    assert len({tuple(cluster.sql(o, f"CHECKSUM TABLE app.{writer.table}")) for o in range(3)}) == 1
    cluster.reconfigure({"recovery": {"force": ""}})


def test_lost_volumes_do_not_become_a_new_cluster(cluster: Cluster) -> None:
    """Members 0 and 1 lose their volumes while 2 is away: they wait. When it is back it goes on only if a human says so."""
    for member in cluster.members:
        member.kill()
    for ordinal in (0, 1):
        cluster.members[ordinal].empty()
        cluster.members[ordinal].start()
    cluster.wait_said(0, "no member has data, but [2] do not answer")
    cluster.members[2].start()
    cluster.wait_said(2, "members [0, 1] may have gone on without the others")
    assert cluster.ready() == []
    force = cluster.members[2].log().rpartition("set `recovery.force` to `")[2].partition("`")[0]
    for member in cluster.members:
        member.kill()
    cluster.reconfigure({"recovery": {"force": force}})
    cluster.start()
    cluster.wait_ready([0, 1, 2])
    cluster.reconfigure({"recovery": {"force": ""}})


@pytest.mark.parametrize(("members", "net"), [(1, 34), (5, 35)])
def test_other_numbers_of_members(members: int, net: int) -> None:
    """They form, lose a minority, lose everything at once, and come back."""
    cluster = Cluster(f"n{members}", members, net, {"consumers": consumer("app")})
    everyone = list(range(members))
    try:
        cluster.start()
        formed = cluster.wait_ready(everyone, 300)
        assert [d.returncode for d in cluster.provision()] == [0]
        writer = Writer(cluster, "app")
        time.sleep(1)
        for ordinal in everyone[: members // 2]:
            cluster.members[ordinal].kill()
        time.sleep(10)
        assert cluster.ready() == everyone[members // 2 :]
        cluster.start()
        cluster.wait_ready(everyone)
        for member in cluster.members:
            member.kill()
        cluster.start()
        seconds = cluster.wait_ready(everyone)
        finish(
            cluster,
            writer,
            f"{members} members: a minority, then all killed",
            formed=round(formed, 1),
            back=round(seconds, 1),
        )
    finally:
        cluster.close()


def test_two_instances_live_beside_each_other() -> None:
    """One is killed whole; the other does not notice."""
    clusters = [Cluster(name, 3, net, {"consumers": consumer("app")}) for name, net in (("one", 32), ("two", 33))]
    try:
        for cluster in clusters:
            cluster.start()
        for cluster in clusters:
            cluster.wait_ready()
            assert [d.returncode for d in cluster.provision()] == [0]
        writers = [Writer(cluster, "app") for cluster in clusters]
        time.sleep(1)
        for member in clusters[0].members:
            member.kill()
        clusters[0].start()
        clusters[0].wait_ready()
        for cluster, writer in zip(clusters, writers, strict=True):
            finish(cluster, writer, f"two instances side by side, {cluster.instance}; one is killed whole")
        assert not writers[1].errors
        assert clusters[0].sql(0, "SELECT COUNT(*) FROM app.written") != clusters[1].sql(
            0, "SELECT COUNT(*) FROM app.written"
        )
    finally:
        for cluster in clusters:
            cluster.close()


@pytest.mark.parametrize(("replicas", "message"), [(0, "must be 1 or more"), (2, "must be odd"), (4, "must be odd")])
def test_a_number_without_a_majority_is_refused(replicas: int, message: str) -> None:
    helm = os.environ.get("HELM_BIN", "helm")
    done = subprocess.run(
        [helm, "template", "m", str(CHART), "--set", f"replicas={replicas}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode
    assert message in done.stderr
