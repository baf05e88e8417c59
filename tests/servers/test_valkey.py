"""The valkey chart on real servers: members are killed, cut off, stopped, emptied; acknowledged writes are counted.

Two clients write all the time. One takes the primary's word; what is lost of that is counted, since replication is
asynchronous. The other one waits until a majority has its write (``WAIT``): nothing of that may be lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.servers.kubelet import Cluster, Pod, render
from tests.servers.valkey import CONSUMER, PASSWORD, Said, Valkey
from tests.servers.writers import Ledger

Record = Callable[..., None]
Ledgers = tuple[Ledger, Ledger]
DATA = "data/appendonlydir"


@pytest.fixture(scope="module")
def trio() -> Iterator[Valkey]:
    """Three members with TLS, from the first start on."""
    with Cluster() as cluster:
        valkey = Valkey(cluster, tls={"enabled": True})
        valkey.start()
        valkey.provision()
        yield valkey


@pytest.fixture(autouse=True)
def whole(request: pytest.FixtureRequest) -> None:
    """Each test finds every member of the shared cluster there."""
    if "trio" in request.fixturenames:
        valkey: Valkey = request.getfixturevalue("trio")
        valkey.start()


def verdicts(pod: Pod) -> str:
    """What the rendered probes of the server say now."""
    kinds = ("startup", "liveness", "readiness")
    return ", ".join(f"{kind} {'passes' if pod.probe(kind, 'server') is None else 'fails'}" for kind in kinds)


def go_on(valkey: Valkey, ledgers: Ledgers, count: int = 20, seconds: float = 120) -> float:
    """Wait until both clients have so many more acknowledgements; the seconds it took."""
    goals = [len(ledger.acknowledged) + count for ledger in ledgers]
    return valkey.cluster.until(
        lambda: all(len(ledger.acknowledged) >= goal for ledger, goal in zip(ledgers, goals, strict=True)), seconds
    )


def figures(valkey: Valkey, prefix: str, ledgers: Ledgers, pod: Pod | None = None) -> dict[str, Any]:
    """For ``record``: what a majority had, and what became of what only the primary had acknowledged."""
    plain, majority = ledgers
    found = majority.figures(valkey.numbers(f"{prefix}-majority", pod))
    alone = plain.figures(valkey.numbers(f"{prefix}-plain", pod))
    return {**found, "without_WAIT": f"{alone['acknowledged']} acknowledged, {alone['lost']} lost"}


def replica(valkey: Valkey) -> Pod:
    """A member that is not the primary."""
    primary = valkey.primary()
    return next(pod for pod in valkey.members if pod is not primary)


def test_a_killed_primary_comes_back_or_is_replaced(trio: Valkey, record: Record) -> None:
    with trio.written("kill") as ledgers:
        go_on(trio, ledgers)
        victim = trio.primary()
        victim.crash("server")
        go_on(trio, ledgers, 50)
        trio.cluster.await_ready(*trio.members)
    counted = figures(trio, "kill", ledgers)
    record("the primary's process is killed", members=3, probes=verdicts(victim), **counted)
    assert counted["lost"] == 0


def test_a_lost_host_costs_seconds_and_nothing_that_a_majority_had(trio: Valkey, record: Record) -> None:
    with trio.written("host") as ledgers:
        go_on(trio, ledgers)
        victim = trio.primary()
        victim.kill()
        go_on(trio, ledgers, 50)
        assert trio.primary() is not victim
        trio.start()
    counted = figures(trio, "host", ledgers, victim)
    record("the primary's host is lost, and comes back", members=3, probes=verdicts(victim), **counted)
    assert counted["lost"] == 0
    assert trio.info(victim)["role"] == "slave"


def test_a_minority_refuses_writes_is_not_killed_and_follows_again(trio: Valkey, record: Record) -> None:
    with trio.written("cut") as ledgers:
        go_on(trio, ledgers)
        victim = trio.primary()
        trio.cluster.cut(victim)
        go_on(trio, ledgers, 50)
        trio.cluster.until(lambda: trio.refuses(victim), 30)
        trio.cluster.until(lambda: not victim.ready, 40)
        said = verdicts(victim)
        trio.cluster.heal(victim)
        trio.cluster.until(lambda: victim.ready, 60)
        go_on(trio, ledgers)
    counted = figures(trio, "cut", ledgers, victim)
    record("the primary is cut off, and given back", members=3, probes=f"cut off: {said}", **counted)
    assert counted["lost"] == 0
    assert said == "startup passes, liveness passes, readiness fails"
    assert trio.info(victim)["role"] == "slave"


def test_all_killed_at_once_come_back_by_themselves(trio: Valkey, record: Record) -> None:
    with trio.written("power") as ledgers:
        go_on(trio, ledgers, 50)
        for pod in trio.members:
            pod.kill()
        seconds = trio.start()
        go_on(trio, ledgers)
    counted = figures(trio, "power", ledgers)
    record("every member is killed at once", members=3, back=round(seconds, 1), **counted)
    assert counted["lost"] == 0


def test_a_full_stop_from_which_the_primary_never_comes_back(trio: Valkey, record: Record) -> None:
    with trio.written("never") as ledgers:
        go_on(trio, ledgers, 50)
        gone = trio.primary()
        for pod in trio.members:
            pod.kill()
    first, second = (pod for pod in trio.members if pod is not gone)
    first.start()
    trio.cluster.until(lambda: "fewer than a majority" in first.log("server"), 60)
    alone = verdicts(first)
    assert alone == "startup passes, liveness passes, readiness fails"
    second.start()
    seconds = trio.cluster.await_ready(first, second, seconds=90)
    counted = figures(trio, "never", ledgers)
    assert counted["lost"] == 0

    gone.empty("data")
    gone.start()
    joined = trio.cluster.await_ready(gone, seconds=60)
    assert trio.info(gone)["role"] == "slave"
    assert trio.numbers("never-majority", gone) == trio.numbers("never-majority")
    record(
        "all stop, the primary never comes back; later it joins with an empty volume",
        members=3,
        back=round(seconds, 1),
        joined=round(joined, 1),
        probes=f"alone: {alone}",
        **counted,
    )


def test_a_primary_with_an_empty_volume_never_empties_the_others(trio: Valkey, record: Record) -> None:
    """Its pod is back before the others miss it: it must not start empty and be copied."""
    with trio.written("empty") as ledgers:
        go_on(trio, ledgers, 50)
        victim = trio.primary()
        victim.kill()
        (victim.volume("data") / DATA / "appendonly.aof.manifest").unlink()
        for path in (victim.volume("data") / DATA).iterdir():
            path.unlink()
        victim.start()
        go_on(trio, ledgers)
        seconds = trio.cluster.await_ready(*trio.members)
    counted = figures(trio, "empty", ledgers, victim)
    record("the primary's volume is emptied, its pod back at once", members=3, joined=round(seconds, 1), **counted)
    assert counted["lost"] == 0
    assert trio.info(victim)["role"] == "slave"


def test_a_primary_whose_log_lost_its_end_does_not_lead(trio: Valkey, record: Record) -> None:
    with trio.written("tail") as ledgers:
        go_on(trio, ledgers, 50)
        victim = trio.primary()
        victim.kill()
        log = max((victim.volume("data") / DATA).glob("*.incr.aof"))
        with log.open("r+b") as file:
            file.truncate(max(0, log.stat().st_size - 2000))
        victim.start()
        go_on(trio, ledgers)
        seconds = trio.cluster.await_ready(*trio.members)
    counted = figures(trio, "tail", ledgers, victim)
    record("the end of the primary's log is lost", members=3, joined=round(seconds, 1), **counted)
    assert counted["lost"] == 0


def test_a_log_that_cannot_be_read_is_kept_and_copied_anew(trio: Valkey) -> None:
    victim = replica(trio)
    victim.delete()
    log = max((victim.volume("data") / DATA).glob("*.incr.aof"))
    log.write_bytes(b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nnonsense\r\n" * 3)
    victim.start()
    trio.cluster.until(lambda: "what could not be read is kept" in victim.log("server"), 60)
    trio.cluster.await_ready(victim)
    assert (victim.volume("data") / "unreadable" / "appendonlydir" / log.name).exists()
    assert trio.numbers("kill-majority", victim) == trio.numbers("kill-majority")


def test_a_corrupt_sentinel_learns_again(trio: Valkey) -> None:
    victim = replica(trio)
    before = trio.primary()
    victim.delete()
    (victim.volume("data") / "sentinel" / "sentinel.conf").write_bytes(b"sentinel monitor \xff nonsense\n" * 5)
    victim.start()
    trio.cluster.await_ready(victim)
    assert trio.primary() is before


def test_a_rolling_restart_hands_over_and_loses_nothing(trio: Valkey, record: Record) -> None:
    with trio.written("roll") as ledgers:
        go_on(trio, ledgers)
        leads = trio.primary()
        trio.cluster.roll(trio.workload)
        go_on(trio, ledgers)
    counted = figures(trio, "roll", ledgers)
    record("a rolling restart with the chart's preStop", members=3, **counted)
    assert counted["lost"] == 0
    assert counted["without_WAIT"].endswith(" 0 lost")
    assert not any(pod.overran for pod in trio.members)
    assert "is the primary now" in leads.log("server", before=True)


def test_a_renewed_certificate_and_a_consumer_cost_no_restart_of_a_server(trio: Valkey) -> None:
    before, name = trio.cluster.restarts(), "valkey-server-tls"
    served = {pod.name: trio.info(pod, "server")["run_id"] for pod in trio.members}
    trio.cluster.update_secret(name, **trio.cluster.authority.fulfil(trio.cluster.find("Certificate", name)))
    trio.cluster.until(lambda: all("the certificate was renewed" in pod.log("server") for pod in trio.members), 60)
    other = {**CONSUMER, "instance": "designate", "prefix": "designate:", "username": "designate"}
    trio.configure(consumers={"designate-coordination": other})
    trio.provision()
    trio.provision()
    trio.cluster.await_ready(*trio.members)
    assert {pod.name: trio.info(pod, "server")["run_id"] for pod in trio.members} == served
    with trio.line(trio.primary(), "designate") as line:
        assert line.call("SET", "designate:1", "mine") == "OK"
        for foreign in (("GET", "gnocchi:kill-plain:1"), ("SET", "oscompile:mark", "9:9"), ("CONFIG", "GET", "*")):
            with pytest.raises(Said, match="NOPERM"):
                line.call(*foreign)
    assert all(restarted.endswith("/sentinel") for restarted in set(trio.cluster.restarts()) - set(before))


def test_a_member_with_another_secret_stays_outside(trio: Valkey) -> None:
    victim, right = replica(trio), trio.cluster.secrets["valkey-replication"]["password"]
    victim.delete()
    trio.cluster.secrets["valkey-replication"]["password"] = "wrong"
    victim.start()
    trio.cluster.until(lambda: "not connected to its primary" in victim.log("server"), 60)
    assert verdicts(victim) == "startup passes, liveness passes, readiness fails"
    assert trio.info(victim)["role"] == "slave"
    with trio.admin(victim) as line:
        assert line.call("CONFIG", "GET", "replica-priority")[1] == "0"
    trio.cluster.secrets["valkey-replication"]["password"] = right
    victim.delete()
    victim.start()
    trio.cluster.await_ready(victim)


def test_metrics_are_told(trio: Valkey) -> None:
    done = trio.members[0].run("curl", "--silent", "http://localhost:9121/metrics", container="server")
    assert "\nredis_up 1" in done.log
    assert "redis_connected_clients" in done.log


def test_one_grows_to_three_and_five_and_shrinks_to_one(record: Record) -> None:
    with Cluster() as cluster:
        valkey = Valkey(cluster, replicas=1)
        took = {1: valkey.start()}
        valkey.provision()
        with valkey.written("size") as ledgers:
            for size in (3, 5, 3, 1):
                valkey.configure(replicas=size)
                done = valkey.job("resize")
                assert done.code == 0, done.log
                began = time.monotonic()
                cluster.scale(valkey.workload)
                cluster.roll(valkey.workload)
                took.setdefault(size, time.monotonic() - began)
                go_on(valkey, ledgers)
            valkey.cluster.await_ready(*valkey.members)
        counted = figures(valkey, "size", ledgers)
        up = {str(size): round(seconds, 1) for size, seconds in took.items()}
        record("one member, three, five, three, one", up=up, **counted)
        assert counted["lost"] == 0
        assert valkey.primary() is valkey.members[0]


def test_two_instances_beside_each_other_and_volumes_that_must_not_be_guessed() -> None:
    with Cluster() as cluster:
        one, two = Valkey(cluster, replicas=1), Valkey(cluster, "valkey-two", replicas=1, bootstrap=False)
        one.start()
        one.provision()
        with one.line(one.members[0]) as line:
            line.call("SET", "gnocchi:mine", "1")
        cluster.start("valkey-two-server", wait=False)
        waiting = two.members[0]
        cluster.until(lambda: "every volume is empty, and `bootstrap` is false" in waiting.log("server"), 30)
        assert verdicts(waiting) == "startup passes, liveness passes, readiness fails"
        waiting.delete()
        two.configure(bootstrap=True)
        two.start()
        two.provision()
        with two.line(two.members[0]) as line:
            assert line.call("GET", "gnocchi:mine") is None
        with pytest.raises(Said, match="WRONGPASS"):
            two.line(two.members[0], "admin", cluster.secrets["valkey-admin"]["password"])
        with one.line(one.members[0], "gnocchi", PASSWORD) as line:
            assert line.call("GET", "gnocchi:mine") == "1"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replicas": 2}, "`replicas` must be odd, but is 2: it survives no more losses than 1. Use 1 or 3."),
        ({"replicas": 0}, "`replicas` must be 1 or more, but is 0."),
        ({"memory": "1Gi"}, "`resources.server.limits.memory` must be at least one and a half times `memory`"),
        ({"storage": {"size": "1Gi"}}, "`storage.size` must be at least four times `memory`, but is 1Gi for 512Mi"),
        ({"failover": {"downAfter": 1000}}, "downAfter"),
        ({"failover": {"lagSeconds": 30}}, "`failover.lagSeconds` must be at most three times `failover.downAfter`"),
        ({"eviction": "allkeys-lru"}, "eviction"),
    ],
    ids=str,
)
def test_values_that_cannot_work_are_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(AssertionError) as refused:
        render("valkey", "valkey", values)
    assert said in str(refused.value)
