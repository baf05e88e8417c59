"""The ovn chart on real servers: members are killed, cut off, stopped, emptied; acknowledged changes are counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.servers.kubelet import Cluster, Pod, render
from tests.servers.ovn import Ovn, database
from tests.servers.writers import Ledger, writing

Record = Callable[..., None]


@pytest.fixture(scope="module")
def trio() -> Iterator[Ovn]:
    """Three members of each database and two northds, with TLS from the first start on."""
    with Cluster() as cluster:
        ovn = Ovn(cluster, nb=database(3), sb=database(3), northd={"replicas": 2}, tls={"enabled": True})
        ovn.start(seconds=150)
        yield ovn


@pytest.fixture(autouse=True)
def whole(request: pytest.FixtureRequest) -> None:
    """Each test finds every member of the shared cluster there."""
    if "trio" in request.fixturenames:
        ovn: Ovn = request.getfixturevalue("trio")
        ovn.start()


def verdicts(pod: Pod) -> str:
    """What the rendered probes say now."""
    return ", ".join(
        f"{kind} {'passes' if pod.probe(kind) is None else 'fails'}" for kind in ("startup", "liveness", "readiness")
    )


def goes_on(ovn: Ovn, ledger: Ledger, count: int = 5, seconds: float = 60) -> float:
    """Wait until so many more changes are acknowledged; the seconds it took."""
    goal = len(ledger.acknowledged) + count
    return ovn.cluster.until(lambda: len(ledger.acknowledged) >= goal, seconds)


def test_a_killed_leader_costs_seconds_and_no_change(trio: Ovn, record: Record) -> None:
    with writing(trio.writer("kill")) as ledger:
        goes_on(trio, ledger)
        victim = trio.leader()
        victim.crash()
        goes_on(trio, ledger, 20)
        trio.cluster.await_ready(victim, seconds=60)
    found = trio.numbers("kill", victim)
    record("the northbound leader's process is killed", members=3, probes=verdicts(victim), **ledger.figures(found))
    assert ledger.lost(found) == []
    assert trio.cluster.restarts() == {}


def test_a_minority_refuses_changes_is_not_killed_and_catches_up(trio: Ovn, record: Record) -> None:
    with writing(trio.writer("cut")) as ledger:
        goes_on(trio, ledger)
        victim = trio.leader()
        trio.cluster.cut(victim)
        goes_on(trio, ledger, 10)
        local = ["ovn-nbctl", "--no-leader-only", "--db=unix:/run/ovn/socket", "--timeout=4"]
        refused = victim.run(*local, "ls-add", "minority")
        trio.cluster.until(lambda: not victim.ready, 40)
        said = verdicts(victim)
        trio.cluster.heal(victim)
        trio.cluster.await_ready(victim, seconds=60)
    found = trio.numbers("cut", victim)
    record(
        "the northbound leader is cut off, and given back",
        members=3,
        probes=f"cut off: {said}",
        **ledger.figures(found),
    )
    assert refused.code != 0
    assert ledger.lost(found) == []
    assert said == "startup passes, liveness passes, readiness fails"
    assert trio.cluster.restarts() == {}


def test_all_killed_at_once_come_back_by_themselves(trio: Ovn, record: Record) -> None:
    with writing(trio.writer("power")) as ledger:
        goes_on(trio, ledger, 10)
        for pod in (*trio.members("nb"), *trio.members("sb")):
            pod.kill()
        seconds = trio.start("nb", "sb")
        goes_on(trio, ledger)
    found = trio.numbers("power")
    record(
        "every member of both databases is killed at once", members=3, back=round(seconds, 1), **ledger.figures(found)
    )
    assert ledger.lost(found) == []
    assert trio.names("nb") == ["ovn-nb-0", "ovn-nb-1", "ovn-nb-2"]


def test_a_full_stop_from_which_one_never_comes_back(trio: Ovn, record: Record) -> None:
    first, second, gone = trio.members("nb")
    with writing(trio.writer("never")) as ledger:
        goes_on(trio, ledger, 10)
        for pod in trio.members("nb"):
            pod.kill()
    first.start()
    trio.cluster.until(lambda: bool(first.all) and "no majority" in (first.probe("readiness") or ""), 40)
    alone = verdicts(first)
    assert alone == "startup passes, liveness passes, readiness fails"
    second.start()
    seconds = trio.cluster.await_ready(first, second, seconds=60)
    found = trio.numbers("never")
    assert ledger.lost(found) == []

    gone.empty("data")
    gone.start()
    joined = trio.cluster.await_ready(gone, seconds=120)
    assert any("ovn-nb-2 has lost its database: taking the lost one out" in pod.log() for pod in (first, second))
    assert trio.names("nb") == ["ovn-nb-0", "ovn-nb-1", "ovn-nb-2"]
    assert trio.numbers("never", gone) == found
    record(
        "all stop, one never comes back; later it joins with an empty volume",
        members=3,
        back=round(seconds, 1),
        joined=round(joined, 1),
        probes=f"alone: {alone}",
        **ledger.figures(found),
    )


def test_a_rolling_restart_hands_the_lead_over(trio: Ovn, record: Record) -> None:
    with writing(trio.writer("roll")) as ledger:
        goes_on(trio, ledger)
        trio.cluster.roll("ovn-nb")
        goes_on(trio, ledger)
    found = trio.numbers("roll")
    record("a rolling restart with the chart's preStop", members=3, **ledger.figures(found))
    assert ledger.lost(found) == []
    assert not any(pod.overran for pod in trio.members("nb"))


def test_another_northd_takes_over(trio: Ovn, record: Record) -> None:
    trio.cluster.until(lambda: trio.active() is not None, 30)
    victim = trio.active()
    assert victim is not None
    began = time.monotonic()
    victim.kill(power=False)
    trio.cluster.until(lambda: trio.active() is not None, 30)
    assert trio.ctl("nb", "--wait=sb", "ls-add", "taken-over", seconds=20).code == 0
    assert "taken-over" in trio.ctl("sb", "list", "Datapath_Binding").log
    record("the active northd is killed", members=2, seconds=round(time.monotonic() - began, 1), lost=0)


def test_a_snapshot_brings_back_what_it_holds(trio: Ovn, record: Record) -> None:
    assert trio.ctl("nb", "ls-add", "kept").code == 0
    done = trio.cluster.run_job("ovn-backup")
    assert done.code == 0, done.log
    assert trio.ctl("nb", "ls-del", "kept").code == 0
    assert trio.ctl("nb", "ls-add", "came-later").code == 0
    trio.configure(restore={"nb": "latest", "request": "a"})
    began = time.monotonic()
    done = trio.job("restore")
    assert done.code == 0, done.log
    record("a snapshot is restored into the running cluster", members=3, took=round(time.monotonic() - began, 1))
    switches = trio.ctl("nb", "--bare", "--columns=name", "list", "Logical_Switch").log.split()
    assert ("kept" in switches, "came-later" in switches) == (True, False)
    again = trio.job("restore")
    assert (again.code, "this request was done" in again.log) == (0, True)
    trio.configure(restore={"nb": "nb-000099-20260101T000000Z.db", "request": "b"})
    refused = trio.job("restore")
    assert refused.code != 0
    assert "`restore.nb` must name a snapshot" in refused.log


def test_a_volume_that_cannot_be_read_is_kept_and_said(trio: Ovn) -> None:
    victim = trio.members("nb")[1]
    victim.delete()
    store = victim.volume("data") / "nb.db"
    store.write_bytes(b"OVSDB CLUSTER 9 garbage\n" + store.read_bytes()[24:])
    victim.start()
    trio.cluster.until(lambda: "cannot be read" in victim.log(), 30)
    assert store.exists()
    assert trio.ctl("nb", "ls-add", "meanwhile").code == 0
    victim.kill(power=False)
    victim.empty("data")
    victim.start()
    trio.cluster.await_ready(victim, seconds=60)


def test_one_grows_to_three_and_five_and_shrinks_to_one(record: Record) -> None:
    with Cluster() as cluster:
        ovn = Ovn(cluster, nb=database(1), sb=database(1), northd={"replicas": 1})
        other = Ovn(cluster, "ovn-two", nb=database(1), sb=database(1), northd={"replicas": 1}, bootstrap=False)
        took = {1: ovn.start("nb")}
        with writing(ovn.writer("size")) as ledger:
            for size in (3, 5):
                ovn.configure(nb=database(size))
                took[size] = ovn.start("nb")
                assert len(ovn.names()) == size
            for size in (3, 1):
                ovn.configure(nb=database(size))
                done = ovn.job("resize")
                assert done.code == 0, done.log
                assert len(ovn.names()) == size
                cluster.scale("ovn-nb")
                goes_on(ovn, ledger)
        found = ovn.numbers("size")
        record(
            "one northbound member, three, five, three, one",
            up={str(size): round(seconds, 1) for size, seconds in took.items()},
            **ledger.figures(found),
        )
        assert ledger.lost(found) == []

        cluster.start("ovn-two-nb", wait=False)
        waiting = other.members()[0]
        cluster.until(lambda: "every volume is empty, and `bootstrap` is false" in waiting.log(), 30)
        assert verdicts(waiting) == "startup passes, liveness passes, readiness fails"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"nb": {"replicas": 2}},
            "`nb.replicas` must be odd, but is 2: it survives no more losses than 1. Use 1 or 3.",
        ),
        ({"sb": {"replicas": 0}}, "`sb.replicas` must be 1 or more, but is 0."),
        ({"restore": {"nb": "sb-000001-20260101T000000Z.db"}}, "restore"),
        ({"northd": {"replica": 2}}, "replica"),
    ],
    ids=["even", "none", "other database", "unknown key"],
)
def test_values_that_cannot_work_are_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(AssertionError) as refused:
        render("ovn", "ovn", values)
    assert said in str(refused.value)
