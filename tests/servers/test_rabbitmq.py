"""The rabbitmq chart on real servers: members run from the rendered manifests and are killed, cut off and stopped.

Every test that writes counts what the broker acknowledged and what was lost of it, which must be nothing, and prints one
line with the figures (`pytest -s`).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.servers import rabbitmq_pods
from tests.servers.rabbitmq_pods import FLAGS_OF_4_0, Instance, Network, Pod

pytest.importorskip("pika")
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root"),
    pytest.mark.skipif(
        not (rabbitmq_pods.ROOT / "usr/lib/rabbitmq/bin/rabbitmq-server").exists(),
        reason=f"no servers in {rabbitmq_pods.ROOT}",
    ),
]

CONSUMERS = {
    f"{name}-messaging": {
        "instance": name,
        "namespace": "openstack",
        "chart": name,
        "requirement": "messaging",
        "interface": "amqp",
        "vhost": name,
        "username": name,
        "secretName": f"rabbitmq-{name}-messaging",
    }
    for name in ("nova", "glance")
}
OTHER_PORTS = {
    "amqp": 5673,
    "management": 15673,
    "metrics": 15693,
    "epmd": 4370,
    "distribution": 25673,
    "streams": {"first": 7000, "last": 7100},
}


def values(replicas: int, **more: object) -> dict[str, Any]:
    """Values of an instance on this machine: small, and with the Raft store in Debian's RabbitMQ 4.0."""
    return {
        "replicas": replicas,
        "featureFlags": FLAGS_OF_4_0,
        "schedulers": 2,
        "consumers": CONSUMERS,
        "resources": {"server": {"limits": {"memory": "1Gi"}}},
        "storage": {"size": "2Gi"},
        **more,
    }


@pytest.fixture
def network() -> Iterator[Network]:
    made = Network(f"rmq{os.getpid()}", 77)
    made.plug("client")
    yield made
    made.remove()


Start = Callable[..., Instance]


@pytest.fixture
def start(network: Network, tmp_path: Path) -> Iterator[Start]:
    """Make an instance, start it and prepare its consumers."""
    made: list[Instance] = []

    def begin(replicas: int, name: str = "rabbitmq", **more: object) -> Instance:
        instance = Instance(name, network, tmp_path, values(replicas, **more))
        made.append(instance)
        say(f"{replicas} members ready after {instance.start():.1f} s")
        instance.provision()
        return instance

    yield begin
    for instance in made:
        instance.stop()


def say(text: str) -> None:
    sys.stdout.write(f"\n  {os.environ.get('PYTEST_CURRENT_TEST', '').split('::')[-1].split(' ')[0]}: {text}")
    sys.stdout.flush()


class Publisher:
    """A client that publishes with confirms until it is asked for its count."""

    def __init__(self, instance: Instance, *members: Pod, pause: float = 0.002) -> None:
        self.instance = instance
        self.members = members or tuple(instance.members)
        self.process = self._run("publish", self.members, "--pause", str(pause))
        instance.clients.append(self.process)

    def _run(self, what: str, members: tuple[Pod, ...], *more: str) -> subprocess.Popen[str]:
        network = self.instance.network
        port = self.instance.values.get("ports", {}).get("amqp", 5672)
        process = subprocess.Popen(
            [
                "ip",
                "netns",
                "exec",
                network.namespace("client"),
                sys.executable,
                str(Path(__file__).with_name("rabbitmq_client.py")),
                what,
                "--vhost",
                "nova",
                "--user",
                "nova",
                "--port",
                str(port),
                *more,
                "--hosts",
                *(member.address for member in members),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin
        process.stdin.write(self.instance.secrets["rabbitmq-nova-messaging"]["password"] + "\n")
        process.stdin.flush()
        return process

    def count(self, what: str, member: Pod | None = None) -> dict[str, Any]:
        """Stop, take everything out of the queue, and say what was acknowledged and lost."""
        said = json.loads(self.process.communicate(timeout=60)[0])
        found = json.loads(self._run("drain", (member or self.members[-1],)).communicate(timeout=120)[0])["found"]
        lost = set(said["acknowledged"]) - set(found)
        say(
            f"{what}: {len(said['acknowledged'])} acknowledged of {said['attempted']}, {len(lost)} lost, "
            f"{len(found) - len(set(found))} twice, longest pause {said['gap']} s"
        )
        assert said["acknowledged"]
        assert not lost
        return dict(said)


def queue(instance: Instance, member: Pod | None = None) -> dict[str, Any]:
    status, body = instance.api("queues/nova/work", member)
    assert status == 200, body
    return dict(json.loads(body))


def queue_of_all_members(
    instance: Instance, count: int, member: Pod | None = None, seconds: float = 120
) -> dict[str, Any]:
    """Wait until the queue has a copy online on so many members."""
    end = time.monotonic() + seconds
    while True:
        found = queue(instance, member)
        if len(found.get("online", [])) == count and found.get("leader"):
            return found
        assert time.monotonic() < end, found
        time.sleep(1)


def leader(instance: Instance) -> Pod:
    found = queue_of_all_members(instance, len(instance.members))
    return next(member for member in instance.members if f"@{member.name}." in found["leader"])


def until(condition: Callable[[], object], seconds: float, what: str) -> float:
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, what
        time.sleep(0.5)
    return time.monotonic() - begin


def running(member: Pod) -> int:
    """How many running members this one sees."""
    return member.run("rabbitmqctl", "-q", "eval", "rabbit_nodes:list_running().").stdout.count("rabbit@")


def until_copies(instance: Instance, count: int, member: Pod | None = None) -> float:
    """Seconds until the queue has a copy online on so many members."""
    begin = time.monotonic()
    queue_of_all_members(instance, count, member, seconds=240)
    return time.monotonic() - begin


@pytest.mark.parametrize("replicas", [1, 3, 5])
def test_a_queue_has_a_copy_on_every_member(start: Start, replicas: int) -> None:
    """Members form one cluster, and a queue of a consumer that asks for nothing special is a quorum queue on all of them."""
    instance = start(replicas)
    publisher = Publisher(instance)
    time.sleep(3)
    found = queue_of_all_members(instance, replicas)
    assert found["type"] == "quorum"
    assert [running(member) for member in instance.members] == [replicas] * replicas
    publisher.count(f"{replicas} members, nothing killed")
    assert "guest" not in instance.members[0].run("rabbitmqctl", "-q", "list_users").stdout


def test_nothing_is_lost_when_a_leader_is_killed(start: Start) -> None:
    instance = start(3)
    publisher = Publisher(instance)
    time.sleep(3)
    victim = leader(instance)
    victim.kill()
    time.sleep(5)
    others = [member for member in instance.members if member is not victim]
    verdicts = [(member.probe("liveness"), member.probe("readiness")) for member in others]
    assert verdicts == [(None, None), (None, None)]
    say(f"killed member ready again after {instance.start(victim):.1f} s")
    publisher.count("leader killed")


def test_power_loss_heals_by_itself(start: Start) -> None:
    instance = start(3)
    publisher = Publisher(instance)
    time.sleep(3)
    queue_of_all_members(instance, 3)
    for member in instance.members:
        member.kill()
    say(f"all three killed, ready again after {instance.start():.1f} s")
    time.sleep(3)
    publisher.count("power loss")


@pytest.mark.parametrize("missing", [0, 2])
def test_a_majority_serves_when_one_member_never_comes_back(start: Start, missing: int) -> None:
    instance = start(3)
    publisher = Publisher(instance)
    time.sleep(3)
    queue_of_all_members(instance, 3)
    for member in instance.members:
        member.kill()
    back = [member for member in instance.members if member is not instance.members[missing]]
    back[0].start()
    time.sleep(20)  # alone: it waits, it is not ready, and nobody kills it
    assert back[0].running
    assert back[0].probe("readiness")
    assert (back[0].probe("startup"), back[0].probe("liveness")) == (None, None)
    say(f"alone for 20 s it waits; two of three ready after {instance.start(back[1]):.1f} s")
    instance.await_ready(*back)
    time.sleep(3)
    publisher.count(f"member {missing} never came back", back[0])
    instance.service(back[0])
    assert set(instance.provision().values()) == {"changed: nothing"}


def test_a_full_stop_as_kubernetes_does_it(start: Start) -> None:
    """All members are asked to stop at once; they come back, or two of them do."""
    instance = start(3)
    publisher = Publisher(instance)
    time.sleep(3)
    queue_of_all_members(instance, 3)
    with ThreadPoolExecutor() as pool:
        took = list(pool.map(Pod.terminate, instance.members))
    say(f"all stopped within {max(took):.1f} s; two ready again after {instance.start(*instance.members[1:]):.1f} s")
    publisher.count("full stop", instance.members[1])


def test_a_rolling_restart_pauses_nobody_for_long(start: Start) -> None:
    instance = start(3)
    publisher = Publisher(instance)
    time.sleep(3)
    for member in reversed(instance.members):
        queue_of_all_members(instance, 3, instance.members[0])
        stopped = member.terminate()
        say(f"{member.name} stopped in {stopped:.1f} s, ready again after {instance.start(member):.1f} s")
    assert "drain: " not in "".join(member.log.read_text() for member in instance.members)
    said = publisher.count("rolling restart")
    assert said["gap"] < 15


def test_a_minority_refuses_writes_and_is_not_killed(start: Start) -> None:
    instance = start(3)
    lonely, others = instance.members[2], instance.members[:2]
    publisher = Publisher(instance, *others)
    time.sleep(3)
    queue_of_all_members(instance, 3)
    instance.network.cut(lonely.name)
    noticed = until(lambda: lonely.probe("readiness"), 120, "the lonely member stays ready")
    assert lonely.probe("liveness") is None
    refused = lonely.run("timeout", "60", "rabbitmqctl", "-q", "add_vhost", "split")
    assert refused.returncode != 0, "a member without majority must not change the metadata"
    assert [member.probe("readiness") for member in others] == [None, None]
    say(f"cut off: unready after {noticed:.0f} s, alive, writes refused")
    instance.network.heal(lonely.name)
    say(f"healed: ready after {until(lambda: lonely.probe('readiness') is None, 120, 'not healed'):.0f} s")
    queue_of_all_members(instance, 3)
    publisher.count("minority cut off", others[0])
    assert "split" not in lonely.run("rabbitmqctl", "-q", "list_vhosts").stdout


def test_two_instances_beside_each_other(start: Start) -> None:
    one, two = start(3), start(1, name="second", ports=OTHER_PORTS)
    assert running(one.members[0]) == 3
    assert running(two.members[0]) == 1
    names = [{(item["kind"], item["metadata"]["name"]) for item in instance.objects} for instance in (one, two)]
    assert not names[0] & names[1]


def test_a_consumer_has_its_virtual_host_and_nothing_else(start: Start) -> None:
    instance = start(1)
    assert set(instance.provision().values()) == {"changed: nothing"}
    member = instance.members[0]
    rights = member.run("rabbitmqctl", "-q", "list_user_permissions", "nova", "--formatter", "json").stdout
    assert [entry["vhost"] for entry in json.loads(rights)] == ["nova"]
    assert (
        member.run("rabbitmqctl", "-q", "list_permissions", "-p", "nova", "--formatter", "json").stdout.count('"user"')
        == 1
    )
    assert (
        instance.api("whoami", user="nova", password=instance.secrets["rabbitmq-nova-messaging"]["password"])[0] == 401
    ), "no access to the management API"
    refused = subprocess.run(
        [
            "ip",
            "netns",
            "exec",
            instance.network.namespace("client"),
            sys.executable,
            str(Path(__file__).with_name("rabbitmq_client.py")),
            "drain",
            "--vhost",
            "glance",
            "--user",
            "nova",
            "--hosts",
            member.address,
        ],
        input="pw-nova\n",
        text=True,
        capture_output=True,
        check=False,
    )
    assert "access to vhost 'glance' refused for user 'nova'" in refused.stderr

    instance.secrets["rabbitmq-nova-messaging"]["password"] = "changed"
    assert instance.provision() == {"nova": "changed: user nova", "glance": "changed: nothing"}
    assert member.run("rabbitmqctl", "authenticate_user", "nova", stdin="changed\n").returncode == 0

    member.run("rabbitmqctl", "-q", "set_permissions", "-p", "glance", "nova", ".*", ".*", ".*")
    member.run("rabbitmqctl", "-q", "set_user_tags", "nova", "administrator")
    assert instance.provision()["nova"] == "changed: user nova, no rights of nova in glance"
    assert set(instance.provision().values()) == {"changed: nothing"}


def test_the_secret_is_the_truth_about_the_admins_password(start: Start) -> None:
    instance = start(1)
    [member] = instance.members
    instance.secrets["rabbitmq-admin"]["password"] = "rotated"
    job = instance.jobs()[0]
    job.start()
    assert job.process
    assert job.process.wait(60) == 1
    assert "refuses it" in job.log.read_text()
    member.terminate()
    instance.start()
    until(lambda: instance.api("whoami")[0] == 200, 60, "the admin's password is not the Secret's")


def test_a_member_with_another_cookie_never_joins(start: Start) -> None:
    instance = start(1)
    instance.render(values(3))
    instance.secrets = {**instance.secrets, "rabbitmq-cookie": {"cookie": "WRONG"}}
    stranger = instance.members[1]
    stranger.secrets = instance.secrets
    stranger.start()
    time.sleep(15)
    assert stranger.probe("readiness")
    assert "not joined yet" in stranger.log.read_text()
    stranger.kill()


def test_scale_up_and_down(start: Start) -> None:
    """1 -> 3 -> 5 -> 3 -> 1 as the README says; queues follow, and a member that was forgotten does not come back."""
    instance = start(1)
    publisher = Publisher(instance)
    time.sleep(3)
    for replicas in (3, 5):
        before = len(instance.members)
        instance.render(values(replicas))
        took = instance.start(*instance.members[before:])
        whole = until_copies(instance, replicas)
        say(f"{before} -> {replicas}: new members ready after {took:.1f} s, a copy on each {whole:.0f} s later")
        for member in reversed(instance.members[:before]):  # the rolling update: the list of members has changed
            member.terminate()
            instance.start(member)
    for replicas in (3, 1):
        leaving = instance.members[replicas:]
        by_hand = leaving.pop(0) if replicas == 3 else None
        for member in reversed(leaving):
            done = member.run("sh", "/opt/oscompile/leave.sh")
            assert done.returncode == 0, done.stdout
        if by_hand:
            by_hand.run("rabbitmqctl", "-q", "stop_app")
            name = by_hand.environment()["RABBITMQ_NODENAME"]
            assert instance.members[0].run("rabbitmqctl", "-q", "forget_cluster_node", name).returncode == 0
            leaving.append(by_hand)
        for member in leaving:  # the containers are restarted before the new number is applied
            member.kill()
            member.start()
        time.sleep(15)
        assert all(member.probe("readiness") for member in leaving), "who has left must not serve"
        assert not any(member.probe("liveness") for member in leaving)
        for member in leaving:
            member.terminate()
        instance.render(values(replicas))
        for member in reversed(instance.members):
            member.terminate()
            instance.start(member)
        assert len(queue_of_all_members(instance, replicas)["members"]) == replicas
    publisher.count("1 -> 3 -> 5 -> 3 -> 1", instance.members[0])


@pytest.mark.parametrize("victim", [0, 1])
def test_a_lost_volume_is_filled_again(start: Start, victim: int) -> None:
    instance = start(3)
    publisher = Publisher(instance)
    time.sleep(3)
    queue_of_all_members(instance, 3)
    member = instance.members[victim]
    member.kill()
    shutil.rmtree(member.volume("data"))
    other = instance.members[2]
    say(f"member {victim} with an empty volume ready after {instance.start(member):.1f} s")
    say(f"the queue is whole after {until_copies(instance, 3, other):.0f} s more")
    publisher.count("lost volume", member)


def test_an_empty_volume_where_data_is_expected_does_not_start_empty(start: Start) -> None:
    instance = start(3)
    publisher = Publisher(instance)
    time.sleep(3)
    first = instance.members[0]
    queue_of_all_members(instance, 3)
    for member in instance.members:
        member.kill()
    shutil.rmtree(first.volume("data"))
    first.start()
    time.sleep(10)
    assert (first.probe("startup"), first.probe("liveness")) == (None, None)
    assert first.probe("readiness"), "it must not serve"
    say(f"it waits; all ready {instance.start(*instance.members[1:]):.1f} s after the others started")
    instance.await_ready()
    publisher.count("first member lost its volume in a power loss")


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_while_the_cluster_forms(network: Network, tmp_path: Path, seed: int) -> None:
    """Wherever the first start is interrupted, there is one cluster in the end."""
    chance = random.Random(seed)
    for victims in ([0], [1, 2]):
        instance = Instance(f"r{victims[0]}", network, tmp_path, values(3))
        try:
            for member in instance.members:
                member.start()
            for _ in range(3):
                time.sleep(chance.uniform(1, 9))
                for victim in victims:
                    if instance.members[victim].running:
                        instance.members[victim].kill()
                    instance.members[victim].start()
            begin = time.monotonic()
            instance.await_ready(seconds=150)
            took = time.monotonic() - begin
            assert [running(member) for member in instance.members] == [3, 3, 3]
            say(f"members {victims} killed three times; one cluster {took:.0f} s later")
        finally:
            instance.stop()


@pytest.mark.parametrize(
    ("replicas", "message"), [(0, "`replicas` must be 1 or more, but is 0"), (4, "`replicas` must be odd, but is 4")]
)
def test_a_number_of_members_that_raft_does_not_want_is_refused(replicas: int, message: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        rabbitmq_pods.render("rabbitmq", "openstack", {"replicas": replicas})
    assert message in refused.value.stderr
