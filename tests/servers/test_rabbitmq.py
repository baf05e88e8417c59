"""A rendered rabbitmq instance loses no confirmed message, whatever happens to its members.

One cluster of three is shared: each test finds three members that serve, and publishes to a queue of its own.
"""

from __future__ import annotations

import random
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.servers.broker import CLIENT, Broker, Publisher
from tests.servers.kubelet import Cluster, Pod

Record = Callable[..., None]


@pytest.fixture(scope="module")
def formed() -> Iterator[Broker]:
    with Cluster() as cluster:
        broker = Broker(cluster, "rabbitmq", 3)
        broker.start()
        broker.provision()
        yield broker


@pytest.fixture
def broker(formed: Broker) -> Broker:
    """Three members that serve, whatever the test before did."""
    formed.start()
    return formed


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """The queue of this test."""
    return re.sub(r"\W+", "-", request.node.name).strip("-").removeprefix("test_")


@pytest.fixture
def publisher(broker: Broker, name: str) -> Publisher:
    """A client of every member, whose queue has a copy on each."""
    client = Publisher(broker, name)
    broker.await_copies(name, 3)
    time.sleep(2)
    return client


@pytest.fixture
def finish(broker: Broker, publisher: Publisher, record: Record) -> Callable[..., None]:
    """Let the client publish a little more, stop it, and compare what is in the queue with what was confirmed."""
    began = time.monotonic()

    def compare(what: str, *members: Pod, **figures: object) -> None:
        time.sleep(4)
        found = publisher.figures(*members)
        record(what, **found, probes=broker.cluster.verdicts_since(began), **figures)
        assert found["lost"] == 0

    return compare


Finish = Callable[..., None]


def each(members: list[Pod], what: Callable[[Pod], object]) -> None:
    """At the same moment."""
    threads = [threading.Thread(target=what, args=(member,)) for member in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_queue_has_a_copy_on_every_member(broker: Broker, name: str, finish: Finish) -> None:
    """Members form one cluster, and a queue of a consumer that asks for nothing special is a quorum queue on all of them."""
    found = broker.queue(name)
    assert (found["type"], len(found["members"])) == ("quorum", 3)
    broker.cluster.until(lambda: [broker.running(member) for member in broker.members] == [3, 3, 3])
    assert "guest" not in broker.members[0].run("rabbitmqctl", "-q", "list_users").log
    finish("nothing happens")


def test_a_leader_is_killed(broker: Broker, name: str, finish: Finish) -> None:
    victim = broker.leader(name)
    victim.kill()
    others = [member for member in broker.members if member is not victim]
    time.sleep(10)
    assert [(member.probe("liveness"), member.probe("readiness")) for member in others] == [(None, None)] * 2
    finish("host of the queue's leader lost, then back", back=round(broker.start(), 1))


def test_a_broker_process_is_killed(broker: Broker, name: str, finish: Finish) -> None:
    """SIGKILL of its container, its `state` file damaged before it is started again."""
    victim = broker.leader(name)
    (victim.volume("data") / "mnesia/state").write_text("garbage")
    victim.crash()
    broker.cluster.until(lambda: not victim.ready)
    finish("SIGKILL of the leader's broker, its state file corrupt", back=round(broker.start(), 1))


def test_all_are_killed_at_once(broker: Broker, finish: Finish) -> None:
    each(broker.members, Pod.kill)
    finish("all hosts lost at once, all back", back=round(broker.start(), 1))


def test_queues_that_were_just_declared_survive_too(broker: Broker, name: str, record: Record) -> None:
    """A client declares a queue for each message that it publishes; all are killed in the middle of it."""
    client = Publisher(broker, name, options=("--each", "0"))
    time.sleep(10)
    each(broker.members, Pod.kill)
    back = broker.start()
    time.sleep(2)
    found = client.figures()
    said = [member.log() for member in broker.members]
    record("all hosts lost at once, while queues are declared, all back", **found, back=round(back, 1))
    assert any("register: " in log for log in said), "no member had lost a name: the test has not met what it is for"
    assert not any("Starting member as a new one" in log for log in said)
    assert found["lost"] == 0


@pytest.mark.parametrize("absent", [0, 2])
def test_all_are_killed_and_one_never_comes_back(broker: Broker, absent: int, finish: Finish) -> None:
    """The first one back waits for a majority: not ready, and nobody kills it."""
    each(broker.members, Pod.kill)
    first, second = [member for n, member in enumerate(broker.members) if n != absent]
    first.start()
    broker.cluster.until(lambda: first.container().started if first.containers else False)
    time.sleep(10)
    assert first.probe("readiness")
    assert (first.probe("startup"), first.probe("liveness")) == (None, None)
    seconds = broker.start(first, second)
    finish(f"all hosts lost at once, member {absent} never back", first, back=round(seconds, 1))


def test_all_are_stopped_in_good_order(broker: Broker, finish: Finish) -> None:
    """All are asked to stop at once; two of them come back."""
    began = time.monotonic()
    each(broker.members, Pod.delete)
    stopping = round(time.monotonic() - began, 1)
    seconds = broker.start(*broker.members[1:])
    finish(
        "all stopped in good order at once, member 0 never back",
        *broker.members[1:],
        stopping=stopping,
        back=round(seconds, 1),
    )


def test_a_rolling_restart_pauses_nobody_for_long(broker: Broker, name: str, finish: Finish) -> None:
    took = broker.cluster.roll("rabbitmq-server")
    assert "drain: " not in "".join(member.log(before=True) for member in broker.members)
    broker.await_copies(name, 3)
    finish("rolling restart of all members", rolled=round(took, 1))


def test_a_minority_refuses_writes(broker: Broker, name: str, finish: Finish) -> None:
    """It is not killed; what it was asked to write is not there when it is back."""
    lonely, others = broker.members[2], broker.members[:2]
    broker.cluster.cut(lonely)
    noticed = broker.cluster.until(lambda: not lonely.ready, 180)
    assert lonely.probe("liveness") is None
    refused = lonely.run("timeout", "30", "rabbitmqctl", "-q", "add_vhost", "split")
    assert refused.code != 0, "a member without majority must not change the metadata"
    assert [member.probe("readiness") for member in others] == [None, None]
    broker.cluster.heal(lonely)
    broker.cluster.await_ready(lonely)
    broker.await_copies(name, 3)
    assert "split" not in lonely.run("rabbitmqctl", "-q", "list_vhosts").log
    finish("a member cut off, then healed", unready_after=round(noticed, 1))


def test_a_wall_clock_that_jumps_disturbs_nobody(broker: Broker, name: str, finish: Finish) -> None:
    """A day ahead, then a day behind. Leaders stay: elections and heartbeats do not go by dates."""
    member = broker.members[1]
    member.clocked = True
    member.delete()
    broker.start(member)
    leader = broker.leader(name)
    for offset in ("+1d", "-1d"):
        member.wind(offset)
        time.sleep(15)
        assert broker.leader(name) is leader
        assert [pod.probe("readiness") for pod in broker.members] == [None] * 3
    member.clocked = False
    finish("wall clock of a member jumps a day ahead, then two back")


def test_a_consumer_has_its_virtual_host_and_nothing_else(broker: Broker) -> None:
    assert set(broker.provision().values()) == {"changed: nothing"}
    member = broker.members[0]
    assert [entry["vhost"] for entry in broker.api("users/nova/permissions")[1]] == ["nova"]
    assert [entry["user"] for entry in broker.api("vhosts/nova/permissions")[1]] == ["nova"]
    password = broker.cluster.secrets["rabbitmq-nova-messaging"]["password"]
    assert broker.api("whoami", user="nova", password=password)[0] == 401, "no access to the management API"
    login = ["drain", "--vhost", "glance", "--user", "nova", "--hosts", *broker.names(member)]
    refused = broker.cluster.call(sys.executable, str(CLIENT), *login, inside=False, stdin=password + "\n")
    assert "access to vhost 'glance' refused for user 'nova'" in refused.log

    broker.cluster.update_secret("rabbitmq-nova-messaging", password="changed")
    assert broker.provision() == {"nova": "changed: user nova", "glance": "changed: nothing"}
    assert member.run("rabbitmqctl", "authenticate_user", "nova", stdin="changed\n").code == 0

    member.run("rabbitmqctl", "-q", "set_permissions", "-p", "glance", "nova", ".*", ".*", ".*")
    member.run("rabbitmqctl", "-q", "set_user_tags", "nova", "administrator")
    assert broker.provision()["nova"] == "changed: user nova, no rights of nova in glance"
    assert set(broker.provision().values()) == {"changed: nothing"}


def test_the_secret_is_the_truth_about_the_admins_password(broker: Broker) -> None:
    """A Job with a password that no member has taken over says so; restarting one member is enough."""
    broker.cluster.update_secret("rabbitmq-admin", password="rotated")
    refused = broker.cluster.run_job(broker.cluster.jobs("rabbitmq-provision-")[0])
    assert refused.code == 1
    assert "refuses it" in refused.log
    member = broker.members[2]
    member.delete()
    broker.start(member)
    broker.cluster.until(lambda: broker.api("whoami")[0] == 200)


def test_a_member_is_replaced(broker: Broker, name: str, finish: Finish) -> None:
    """Its volume is lost. With another cookie it never joins; with the right one it is filled again, queues too."""
    member, other = broker.members[0], broker.members[2]
    member.kill()
    member.empty("data")
    cookie = broker.cluster.secrets["rabbitmq-cookie"]["cookie"]
    broker.cluster.secrets["rabbitmq-cookie"] = {"cookie": "WRONG"}
    member.start()
    broker.cluster.until(lambda: "not joined yet" in member.log())
    assert not member.ready
    member.kill()
    broker.cluster.secrets["rabbitmq-cookie"] = {"cookie": cookie}
    seconds = broker.start(member)
    broker.await_copies(name, 3, other)
    finish("member 0 replaced: its volume is empty", other, back=round(seconds, 1))


def test_an_empty_volume_where_data_is_expected_does_not_start_empty(broker: Broker, finish: Finish) -> None:
    each(broker.members, Pod.kill)
    first = broker.members[0]
    first.empty("data")
    first.start()
    broker.cluster.until(lambda: "this volume is empty" in first.log())
    time.sleep(5)
    assert (first.probe("startup"), first.probe("liveness")) == (None, None)
    assert first.probe("readiness"), "it must not serve"
    finish("all hosts lost at once, member 0's volume with them", back=round(broker.start(), 1))


def test_killed_while_the_cluster_forms(broker: Broker) -> None:
    """Another instance in the same namespace. Wherever its first start is interrupted, there is one cluster in the end."""
    chance = random.Random(1)
    young = Broker(broker.cluster, "young", 3)
    for member in young.members:
        member.start()
    for victims in ([0], [1, 2], [0]):
        time.sleep(chance.uniform(1, 9))
        for victim in victims:
            young.members[victim].kill()
            young.members[victim].start()
    young.start(seconds=240)
    broker.cluster.until(lambda: [young.running(member) for member in young.members] == [3, 3, 3])
    assert broker.running(broker.members[0]) == 3
    broker.cluster.remove("young")


def grow(broker: Broker, replicas: int, queue: str) -> None:
    """As an apply of a higher number does it: new members, then a rolling update, since the list of members has changed."""
    before = broker.members
    broker.configure(replicas=replicas)
    broker.start()
    broker.await_copies(queue, replicas)
    for member in reversed(before):
        member.delete()
        broker.start(member)


def shrink(broker: Broker, replicas: int) -> None:
    """As the README says: members leave, last first; then the lower number is applied."""
    leaving = broker.members[replicas:]
    for member in reversed(leaving):
        done = member.run("sh", "/opt/oscompile/leave.sh", seconds=400)
        assert done.code == 0, done.log
    leaving[0].crash()
    broker.cluster.until(lambda: not any(member.ready for member in leaving))
    broker.cluster.until(lambda: not any(member.probe("liveness") for member in leaving))  # who has left is not killed
    broker.configure(replicas=replicas)
    broker.cluster.scale(f"{broker.instance}-server")
    broker.cluster.roll(f"{broker.instance}-server")


def test_a_scale_down_that_loses_the_majority_loses_nothing_else(broker: Broker, finish: Finish) -> None:
    """Applied without the members having left: who remains takes no client and no change until they are back."""
    each(broker.members, Pod.kill)
    broker.configure(drain={"quorumSeconds": 10})
    broker.start()
    one = broker.members[0]
    broker.configure(replicas=1)
    for surplus in [pod for pod in broker.cluster.pods.values() if pod.workload == one.workload and pod is not one]:
        surplus.delete()
    broker.cluster.until(lambda: not one.ready)
    assert one.probe("liveness") is None
    refused = one.run("timeout", "20", "rabbitmqctl", "-q", "add_vhost", "alone")
    assert refused.code != 0, "a member without majority must not change the metadata"
    broker.configure(replicas=3)
    back = broker.start()
    finish("scaled down from 3 to 1 without leaving, then up again", back=round(back, 1))


def test_scale_up_and_down(broker: Broker, record: Record) -> None:
    """1 -> 3 -> 5 -> 3 -> 1 beside another instance; queues follow, and a member that has left does not come back."""
    scaled = Broker(broker.cluster, "scaled", 1)
    scaled.start()
    scaled.provision()
    publisher = Publisher(scaled, "scaled")
    for replicas in (3, 5):
        grow(scaled, replicas, "scaled")
    for replicas in (3, 1):
        shrink(scaled, replicas)
        scaled.await_copies("scaled", replicas)
        assert len(scaled.queue("scaled")["members"]) == replicas
    found = publisher.figures()
    record("scaled from 1 to 3 to 5 to 3 to 1 member", **found)
    assert found["lost"] == 0
    broker.cluster.remove("scaled")
