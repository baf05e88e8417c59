"""The etcd chart on real servers: members are killed, cut off, stopped, emptied; acknowledged changes are counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.servers.etcd import Etcd
from tests.servers.kubelet import Cluster, Pod, render

Record = Callable[..., None]
TLS = {"enabled": True}


@pytest.fixture(scope="module")
def trio() -> Iterator[Etcd]:
    """Three members with TLS, from the first start on."""
    with Cluster() as cluster:
        etcd = Etcd(cluster, tls=TLS)
        etcd.start()
        yield etcd


@pytest.fixture(autouse=True)
def whole(request: pytest.FixtureRequest) -> None:
    """Each test finds every member of the shared cluster there."""
    if "trio" in request.fixturenames:
        etcd: Etcd = request.getfixturevalue("trio")
        etcd.start()


def verdicts(pod: Pod) -> str:
    """What the rendered probes say now."""
    return ", ".join(
        f"{kind} {'passes' if pod.probe(kind) is None else 'fails'}" for kind in ("startup", "liveness", "readiness")
    )


def goes_on(etcd: Etcd, ledger: list[int], count: int = 20, seconds: float = 30) -> float:
    """Wait until so many more changes are acknowledged; the seconds it took."""
    goal = len(ledger) + count
    return etcd.cluster.until(lambda: len(ledger) >= goal, seconds)


def test_a_killed_leader_costs_seconds_and_no_change(trio: Etcd, record: Record) -> None:
    with trio.written("kill/") as ledger:
        goes_on(trio, ledger.acknowledged)
        victim = trio.leader()
        victim.crash()
        goes_on(trio, ledger.acknowledged, 100)
        trio.cluster.until(lambda: victim.ready, 60)
    found = trio.numbers("kill/", victim)
    record("the leader's process is killed", members=3, probes=verdicts(victim), **ledger.figures(found))
    assert ledger.lost(found) == []
    assert trio.cluster.restarts() == {}


def test_a_lost_host_and_its_return_cost_no_change(trio: Etcd, record: Record) -> None:
    with trio.written("host/") as ledger:
        goes_on(trio, ledger.acknowledged)
        victim = trio.leader()
        victim.kill()
        goes_on(trio, ledger.acknowledged, 100)
        trio.start()
    found = trio.numbers("host/", victim)
    record("the leader's host is lost, and comes back", members=3, probes=verdicts(victim), **ledger.figures(found))
    assert ledger.lost(found) == []


def test_a_minority_refuses_changes_is_not_killed_and_catches_up(trio: Etcd, record: Record) -> None:
    with trio.written("cut/") as ledger:
        goes_on(trio, ledger.acknowledged)
        victim = trio.leader()
        trio.cluster.cut(victim)
        goes_on(trio, ledger.acknowledged, 100)
        assert trio.refuses(victim)
        trio.cluster.until(lambda: not victim.ready, 40)
        said = verdicts(victim)
        trio.cluster.heal(victim)
        trio.cluster.until(lambda: victim.ready, 40)
    found = trio.numbers("cut/", victim)
    record("the leader is cut off, and given back", members=3, probes=f"cut off: {said}", **ledger.figures(found))
    assert ledger.lost(found) == []
    assert said == "startup passes, liveness passes, readiness fails"
    assert trio.cluster.restarts() == {}


def test_all_killed_at_once_come_back_by_themselves(trio: Etcd, record: Record) -> None:
    with trio.written("power/") as ledger:
        goes_on(trio, ledger.acknowledged, 50)
        for pod in trio.members:
            pod.kill()
        seconds = trio.start()
        goes_on(trio, ledger.acknowledged)
    found = trio.numbers("power/")
    record("every member is killed at once", members=3, back=round(seconds, 1), **ledger.figures(found))
    assert ledger.lost(found) == []
    assert trio.names() == ["etcd-server-0", "etcd-server-1", "etcd-server-2"]


def test_a_full_stop_from_which_one_never_comes_back(trio: Etcd, record: Record) -> None:
    first, second, gone = trio.members
    with trio.written("never/") as ledger:
        goes_on(trio, ledger.acknowledged, 50)
        for pod in trio.members:
            pod.kill()
    first.start()
    trio.cluster.until(lambda: bool(first.all) and first.probe("liveness") is None, 30)
    alone = verdicts(first)
    assert alone == "startup passes, liveness passes, readiness fails"
    second.start()
    seconds = trio.cluster.await_ready(first, second, seconds=60)
    found = trio.numbers("never/")
    assert ledger.lost(found) == []
    assert trio.put(first, "after", "loss")

    gone.empty("data")
    gone.start()
    joined = trio.cluster.await_ready(gone, seconds=60)
    assert "the cluster knows a member etcd-server-2 at this address: removing it" in gone.log()
    assert trio.names() == ["etcd-server-0", "etcd-server-1", "etcd-server-2"]
    assert trio.numbers("never/", gone) == found
    record(
        "all stop, one never comes back; later it joins with an empty volume",
        members=3,
        back=round(seconds, 1),
        joined=round(joined, 1),
        probes=f"alone: {alone}",
        **ledger.figures(found),
    )


def test_a_rolling_restart_hands_the_lead_over(trio: Etcd, record: Record) -> None:
    with trio.written("roll/") as ledger:
        goes_on(trio, ledger.acknowledged)
        leads = trio.leader()
        trio.cluster.roll("etcd-server")
        goes_on(trio, ledger.acknowledged)
    found = trio.numbers("roll/")
    record("a rolling restart with the chart's preStop", members=3, **ledger.figures(found))
    assert ledger.lost(found) == []
    assert not any(pod.overran for pod in trio.members)
    assert "leads now" in leads.log(before=True)


def test_a_snapshot_brings_back_what_it_holds_and_no_lock_of_the_dead(trio: Etcd, record: Record) -> None:
    member = trio.members[0]
    assert trio.put(member, "kept/1", "as it was")
    lease = trio.call(member, "lease/grant", {"TTL": 600})["ID"]
    trio.call(member, "kv/put", {"key": "bG9jay9h", "value": "YQ==", "lease": lease})  # lock/a
    done = trio.cluster.run_job("etcd-backup")
    assert done.code == 0, done.log
    trio.call(member, "lease/revoke", {"ID": lease})
    assert trio.put(member, "kept/1", "changed")
    assert trio.put(member, "kept/2", "came later")
    trio.configure(restore={"snapshot": "latest", "request": "a"})
    began = time.monotonic()
    done = trio.job("restore")
    assert done.code == 0, done.log
    record("a snapshot is restored into the running cluster", members=3, took=round(time.monotonic() - began, 1))
    assert trio.keys("kept/") == {"kept/1": "as it was"}
    assert trio.keys("lock/") == {}

    assert trio.put(member, "kept/3", "after the restore")
    again = trio.job("restore")
    assert (again.code, "request 'a' was done" in again.log) == (0, True)
    assert "kept/3" in trio.keys("kept/")
    trio.configure(restore={"snapshot": "000099-20260101T000000Z.db", "request": "b"})
    refused = trio.job("restore")
    assert refused.code != 0
    assert "must name a snapshot" in refused.log
    assert trio.cluster.run_job("etcd-defrag").code == 0


def test_a_volume_that_cannot_be_read_is_kept_and_said(trio: Etcd) -> None:
    victim = trio.members[1]
    victim.delete()
    log = next((victim.volume("data") / "data" / "member" / "wal").glob("*.wal"))
    log.write_bytes(b"\xff" * 4096 + log.read_bytes()[4096:])
    victim.start()
    trio.cluster.until(lambda: "and the member joins again with an empty one" in victim.log(), 30)
    assert log.exists()
    assert trio.put(trio.members[0], "meanwhile", "served")
    victim.kill(power=False)
    victim.empty("data")
    victim.start()
    trio.cluster.await_ready(victim, seconds=60)


def test_one_grows_to_three_and_five_and_shrinks_to_one(record: Record) -> None:
    with Cluster() as cluster:
        etcd = Etcd(cluster, replicas=1)
        took = {1: etcd.start()}
        with etcd.written("size/") as ledger:
            for size in (3, 5):
                etcd.configure(replicas=size)
                assert etcd.job("resize").code == 0
                took[size] = etcd.start()
                assert len(etcd.names()) == size
            for size in (3, 1):
                etcd.configure(replicas=size)
                done = etcd.job("resize")
                assert done.code == 0, done.log
                cluster.scale(etcd.workload)
                assert len(etcd.names()) == size
                goes_on(etcd, ledger.acknowledged)
        found = etcd.numbers("size/")
        record(
            "one member, three, five, three, one",
            up={str(k): round(v, 1) for k, v in took.items()},
            **ledger.figures(found),
        )
        assert ledger.lost(found) == []

        etcd.configure(replicas=3)  # the volumes of members that left are there still
        etcd.start()
        assert etcd.names() == [f"etcd-server-{n}" for n in range(3)]
        assert etcd.numbers("size/", etcd.members[2]) >= set(ledger.acknowledged)

        for pod in etcd.members[1:]:
            pod.kill()
        etcd.configure(replicas=1, jobs={"backoffLimit": 0})
        name = cluster.jobs("etcd-resize-")[0]
        cluster.find("Job", name)["spec"]["template"]["spec"]["containers"][0]["env"] += [
            {"name": "WAIT_SECONDS", "value": "5"}
        ]
        refused = cluster.run_job(name)
        assert refused.code != 0
        assert "the cluster must have a majority before its size is changed" in refused.log


def test_two_instances_beside_each_other_and_volumes_that_must_not_be_guessed() -> None:
    with Cluster() as cluster:
        one, two = Etcd(cluster, "etcd", replicas=1), Etcd(cluster, "etcd-two", replicas=1, bootstrap=False)
        one.start()
        assert one.put(one.members[0], "mine", "1")
        cluster.start("etcd-two-server", wait=False)
        waiting = two.members[0]
        cluster.until(lambda: "every volume is empty, and `bootstrap` is false" in waiting.log(), 30)
        assert verdicts(waiting) == "startup passes, liveness passes, readiness fails"
        waiting.delete()
        two.configure(bootstrap=True)
        two.start()
        assert two.keys("mine") == {}

        one.members[0].delete()
        one.configure(ports={"peer": 12380})
        one.members[0].start()
        cluster.until(lambda: "this volume's member is known to the others as" in one.members[0].log(), 30)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replicas": 2}, "`replicas` must be odd, but is 2: it survives no more losses than 1. Use 1 or 3."),
        ({"replicas": 0}, "`replicas` must be 1 or more, but is 0."),
        ({"quota": "8Gi"}, "`storage.size` must be at least twice `quota`, but is 8Gi for 8Gi"),
        ({"timing": {"election": 200}}, "`timing.election` must be at least five times `timing.heartbeat`"),
        ({"restore": {"snapshot": "yesterday"}}, "restore"),
    ],
    ids=lambda case: str(case) if isinstance(case, dict) else "",
)
def test_values_that_cannot_work_are_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(AssertionError) as refused:
        render("etcd", "etcd", values)
    assert said in str(refused.value)
