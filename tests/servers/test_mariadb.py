"""A rendered mariadb instance keeps every acknowledged write through what happens to its members.

One cluster of three is shared: each test finds three synced members, and leaves what it likes.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.servers.galera import Galera, Writer
from tests.servers.kubelet import Cluster, Pod

Record = Callable[..., None]


@pytest.fixture(scope="module")
def formed() -> Iterator[Galera]:
    with Cluster() as cluster:
        galera = Galera(cluster, "mariadb", 3)
        galera.start()
        galera.provision()
        yield galera


@pytest.fixture
def galera(formed: Galera) -> Galera:
    """Three synced members, whatever the test before did."""
    formed.start()
    formed.await_ready(0, 1, 2)
    return formed


@pytest.fixture
def writer(galera: Galera, request: pytest.FixtureRequest) -> Iterator[Writer]:
    """A client that writes through the proxies, to a table of this test."""
    client = Writer(galera, re.sub(r"\W+", "_", request.node.name).strip("_")[:60])
    client.goes_on()
    yield client
    client.stop()


@pytest.fixture
def finish(galera: Galera, writer: Writer, record: Record) -> Callable[..., None]:
    """Let the client write a little more, stop it, and compare every ready member with what was acknowledged."""
    began = time.monotonic()

    def compare(what: str, **figures: object) -> None:
        writer.goes_on()
        found = writer.figures()
        record(what, **found, probes=galera.cluster.verdicts_since(began), **figures)
        assert found["lost"] == 0
        assert found["acknowledged"] > 10
        assert galera.same_everywhere(f"app.{writer.table}", galera.ready())

    return compare


Finish = Callable[..., None]


def stop_all(galera: Galera) -> float:
    """All pods deleted at the same time, as `kubectl delete` or a drained cluster does; the seconds it took."""
    took: list[float] = []
    threads = [threading.Thread(target=lambda m=m: took.append(m.delete())) for m in galera.members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(max(took), 1)


def kill(*members: Pod) -> None:
    """Their hosts are lost at the same moment."""
    threads = [threading.Thread(target=member.kill) for member in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_consumer_gets_its_database_and_nothing_else(galera: Galera) -> None:
    """The Job can run again, changes a password, and takes away what is too much."""
    galera.sql(0, "CREATE DATABASE other; GRANT SELECT ON other.* TO app@'%'")
    galera.cluster.update_secret("mariadb-app-database", password="changed \\ \" ' 1")
    galera.provision()
    galera.provision()
    grants = {grant[0].split(" TO ")[0] for grant in galera.sql(1, "SHOW GRANTS FOR app@'%'")}
    assert grants == {"GRANT USAGE ON *.*", "GRANT ALL PRIVILEGES ON `app`.*"}
    charset = "SELECT default_character_set_name FROM information_schema.schemata WHERE schema_name='app'"
    assert galera.sql(2, charset) == [("utf8mb4",)]
    assert galera.client("app", "SELECT 1 FROM dual").log.strip() == "1"
    refused = galera.client("app", "SELECT 1", password="wrong")
    assert "Access denied" in refused.log


def test_the_administrators_password_follows_its_secret(galera: Galera) -> None:
    galera.cluster.update_secret("mariadb-root", password="another 'one'")
    galera.provision()


def test_durability_is_on(galera: Galera) -> None:
    names = "'innodb_flush_log_at_trx_commit', 'innodb_doublewrite', 'character_set_server'"
    settings = galera.sql(0, f"SHOW VARIABLES WHERE variable_name IN ({names})")
    assert {row[0]: row[1] for row in settings} == {
        "innodb_flush_log_at_trx_commit": "1",
        "innodb_doublewrite": "ON",
        "character_set_server": "utf8mb4",
    }


def test_the_member_with_the_clients_is_killed(galera: Galera, finish: Finish) -> None:
    """SIGKILL of its container; the kubelet starts it again and it takes the difference, not a copy."""
    galera.members[0].crash("server")
    galera.cluster.until(lambda: not galera.members[0].ready)
    seconds = galera.await_ready(0, 1, 2)
    assert "Cleaning the existing datadir" not in galera.members[0].log().rpartition("volume:")[2]
    finish("SIGKILL of the member with the clients", back=round(seconds, 1))


def test_a_host_is_lost_and_comes_back(galera: Galera, writer: Writer, finish: Finish) -> None:
    galera.members[0].kill()
    writer.goes_on()
    assert galera.ready() == [1, 2]
    galera.members[0].start()
    seconds = galera.await_ready(0, 1, 2)
    finish("host of the member with the clients lost, then back", back=round(seconds, 1))


def test_all_are_killed_at_once(galera: Galera, finish: Finish) -> None:
    """Full power loss: nobody is asked, and all come back by themselves."""
    kill(*galera.members)
    finish("all hosts lost at once, all back", back=round(galera.start(), 1))


def test_all_servers_are_killed_at_once(galera: Galera, finish: Finish) -> None:
    """The servers alone, while their agents live on."""
    for member in galera.members:
        member.crash("server")
    galera.cluster.until(lambda: not galera.ready())
    finish("SIGKILL of all servers at once", back=round(galera.await_ready(0, 1, 2), 1))


@pytest.mark.parametrize("absent", [0, 2])
def test_all_are_killed_and_one_never_comes_back(galera: Galera, absent: int, finish: Finish) -> None:
    """The majority elects the highest position, and gives the clients service before the third is back."""
    members = galera.members
    kill(*sorted(members, key=lambda member: member is members[absent]))
    rest = [ordinal for ordinal in range(3) if ordinal != absent]
    for ordinal in rest:
        members[ordinal].start()
    seconds = galera.await_ready(*rest)
    finish(f"all hosts lost at once, member {absent} never back", back=round(seconds, 1))


@pytest.mark.parametrize("absent", [None, 0])
def test_all_are_stopped_in_good_order(galera: Galera, absent: int | None, finish: Finish) -> None:
    """As a drained cluster stops; they come back, also without one that never does."""
    stopping = stop_all(galera)
    rest = [ordinal for ordinal in range(3) if ordinal != absent]
    for ordinal in rest:
        galera.members[ordinal].start()
    seconds = galera.await_ready(*rest)
    who = "all back" if absent is None else f"member {absent} never back"
    finish(f"all stopped in good order at once, {who}", stopping=stopping, back=round(seconds, 1))


def test_a_rolling_restart_takes_one_after_another(galera: Galera, finish: Finish) -> None:
    took = galera.cluster.roll("mariadb-server")
    finish("rolling restart of all members", rolled=round(took, 1))


def test_two_members_are_not_drained_at_once(galera: Galera) -> None:
    """The second keeps serving until the first is back and synced."""
    stops = {o: threading.Thread(target=galera.members[o].delete) for o in (1, 2)}
    for stop in stops.values():
        stop.start()
    galera.cluster.until(lambda: any(not stop.is_alive() for stop in stops.values()))
    first = next(o for o, stop in stops.items() if not stop.is_alive())
    second = 3 - first
    time.sleep(3)
    assert stops[second].is_alive()
    assert galera.members[second].probe("readiness") is None
    galera.members[first].start()
    stops[second].join(90)
    assert not stops[second].is_alive()
    galera.await_ready(*sorted((0, first)))


def test_a_survivor_without_quorum_is_left_alive(galera: Galera, finish: Finish) -> None:
    """It refuses writes and is not ready, but liveness lets it be; when the others are back, they go on together."""
    survivor = galera.members[2]
    kill(*galera.members[:2])
    galera.cluster.until(lambda: not survivor.ready)
    assert survivor.probe("readiness")
    assert [(survivor.probe("liveness"), survivor.probe("startup")) for _ in range(3)] == [(None, None)] * 3
    with pytest.raises(AssertionError, match="WSREP has not yet prepared node"):
        galera.sql(2, "CREATE TABLE app.refused (id INT)")
    finish("two of three hosts lost, both back", back=round(galera.start(), 1))


def test_a_minority_refuses_writes(galera: Galera, writer: Writer, finish: Finish) -> None:
    """The member with the clients is cut off: the others go on with the clients, it refuses, and then it comes home."""
    lonely = galera.members[0]
    galera.cluster.cut(lonely)
    writer.goes_on()
    galera.cluster.until(lambda: not lonely.ready)
    assert lonely.probe("liveness") is None
    with pytest.raises(AssertionError, match="WSREP has not yet prepared node"):
        galera.sql(0, "CREATE TABLE app.split (id INT)")
    galera.cluster.heal(lonely)
    finish("member with the clients cut off, then healed", back=round(galera.await_ready(0, 1, 2), 1))


def test_a_frozen_member_is_put_aside(galera: Galera, finish: Finish) -> None:
    """Its host stalls for 15 s or more: neither killed nor answering."""
    frozen = galera.members[0]
    for container in frozen.all:
        container.sandbox.freeze()
    time.sleep(15)
    galera.cluster.until(lambda: not frozen.ready)
    for container in frozen.all:
        container.sandbox.freeze(frozen=False)
    seconds = galera.cluster.until(galera.whole) + galera.await_ready(0, 1, 2)
    finish("host of the member with the clients frozen for 15 s", back=round(seconds, 1))


def test_an_empty_volume_takes_a_copy(galera: Galera, writer: Writer, finish: Finish) -> None:
    """Also for member 0, which would otherwise create a cluster: this is how a member is replaced."""
    galera.members[0].kill()
    galera.members[0].empty("data")
    writer.goes_on()
    galera.members[0].start()
    seconds = galera.await_ready(0, 1, 2)
    assert not galera.members[0].restarts("server")
    finish("member 0 replaced: its volume is empty", back=round(seconds, 1))


@pytest.mark.parametrize("content", ["garbage\n", "uuid: 1\nseqno: x\n"], ids=["garbage", "halves"])
def test_a_corrupt_state_file_does_no_harm(galera: Galera, writer: Writer, content: str, finish: Finish) -> None:
    member = galera.members[1]
    member.kill()
    (member.volume("data") / "data/grastate.dat").write_text(content)
    (member.volume("data") / "member.json").write_text(content)
    writer.goes_on()
    member.start()
    finish(f"grastate.dat and member.json are {content!r}", back=round(galera.await_ready(0, 1, 2), 1))


def test_a_minority_waits_for_a_human(galera: Galera, writer: Writer) -> None:
    """One of three never elects itself; it says what a human may decide, and that decision works once."""
    kill(*galera.members)
    writer.stop()
    one = galera.members[1]
    one.start()
    galera.await_said(1, "set `recovery.force` to `1@")
    time.sleep(20)
    assert galera.ready() == []
    force = one.log().rpartition("set `recovery.force` to `")[2].partition("`")[0]
    one.kill()
    galera.configure(recovery={"force": force})
    one.start()
    galera.await_said(1, "`recovery.force` names member 1")
    galera.start()
    assert galera.same_everywhere(f"app.{writer.table}", range(3))
    galera.configure(recovery={"force": ""})


def test_lost_volumes_do_not_become_a_new_cluster(galera: Galera) -> None:
    """Members 0 and 1 lose their volumes while 2 is away: they wait. When it is back it goes on only if a human says so."""
    kill(*galera.members)
    for member in galera.members[:2]:
        member.empty("data")
        member.start()
    galera.await_said(0, "no member has data, but [2] do not answer")
    galera.members[2].start()
    galera.await_said(2, "set `recovery.force` to `2@")
    assert galera.ready() == []
    force = galera.members[2].log().rpartition("set `recovery.force` to `")[2].partition("`")[0]
    kill(*galera.members)
    galera.configure(recovery={"force": force})
    galera.start()
    galera.configure(recovery={"force": ""})
    assert galera.sql(0, "SELECT COUNT(*) > 0 FROM information_schema.tables WHERE table_schema='app'") == [("1",)]


def test_a_second_instance_of_five_members_lives_beside_it(galera: Galera, finish: Finish, record: Record) -> None:
    """In the same namespace. It loses a minority, then everything at once, and comes back; the first does not notice."""
    cluster = galera.cluster
    other = Galera(cluster, "other", 5)
    formed = other.start(seconds=400)
    other.provision()
    client = Writer(other)
    client.goes_on()
    kill(*other.members[:2])
    client.goes_on()
    assert other.ready() == [2, 3, 4]
    other.start()
    kill(*other.members)
    back = other.start(seconds=400)
    client.goes_on()
    found = client.figures()
    record("five members: two lost, back, then all lost at once", **found, formed=round(formed, 1), back=round(back, 1))
    assert found["lost"] == 0
    mine, theirs = (galera.sql(0, "SELECT @@wsrep_cluster_name")), other.sql(0, "SELECT @@wsrep_cluster_name")
    assert mine != theirs
    cluster.remove("other")
    finish("a second instance of five members beside it is lost whole")
