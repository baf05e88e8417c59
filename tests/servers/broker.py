"""The rabbitmq chart on the tests' cluster: an instance, and a client that counts what was confirmed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.servers.instance import Quorum, merged
from tests.servers.kubelet import Cluster, Pod

CLIENT = Path(__file__).with_name("rabbitmq_client.py")

SMALL: dict[str, Any] = {
    # Debian has RabbitMQ 4.0, where the Raft store of metadata is not the default yet.
    "featureFlags": [
        "detailed_queues_endpoint",
        "khepri_db",
        "message_containers_deaths_v2",
        "quorum_queue_non_voters",
        "rabbitmq_4.0.0",
    ],
    "schedulers": 1,
    "resources": {"server": {"limits": {"memory": "1Gi"}}},
    "storage": {"size": "2Gi"},
}
"""A machine of a test is smaller than a host."""


def consumer(name: str, instance: str) -> dict[str, Any]:
    """Values of one consumer of an instance."""
    identity = {"instance": name, "namespace": "openstack", "chart": name, "requirement": "messaging"}
    access = {"vhost": name, "username": name, "secretName": f"{instance}-{name}-messaging"}
    return {f"{name}-messaging": {**identity, "interface": "amqp", **access}}


class Broker(Quorum):
    """One instance of the chart, with two consumers, ``nova`` and ``glance``."""

    chart = "rabbitmq"

    def __init__(self, cluster: Cluster, instance: str, replicas: int, values: Mapping[str, Any] | None = None) -> None:
        cluster.secrets.setdefault(f"{instance}-cookie", {"cookie": "COOKIEOFTHETESTS"})
        for name in ("admin", "nova-messaging", "glance-messaging"):
            cluster.secrets.setdefault(f"{instance}-{name}", {"password": f"pw of {name} \\ ' \""})
        consumers = {**consumer("nova", instance), **consumer("glance", instance)}
        small = merged(SMALL, {"replicas": replicas, "consumers": consumers})
        super().__init__(cluster, instance, merged(small, values or {}))

    def names(self, *members: Pod) -> list[str]:
        """Addresses of members (all without one) as a binding gives them."""
        domain = f"{self.instance}-server-members.openstack.svc"
        return [f"{member.name}.{domain}" for member in members or self.members]

    def start(self, *members: Pod, seconds: float = 400) -> float:
        """Start members (all without one) that do not run; the seconds until they are ready."""
        for member in members or self.members:
            if not member.wanted:
                member.start()
        return self.cluster.await_ready(*(members or self.members), seconds=seconds)

    def provision(self) -> dict[str, str]:
        """Run the Jobs of its consumers; the last line of each, by the consumer's name."""
        said = {}
        prefix = f"{self.instance}-provision-"
        for name in self.cluster.jobs(prefix):
            done = self.cluster.run_job(name)
            assert done.code == 0, done.log
            said[name.removeprefix(prefix).partition("-")[0]] = done.log.strip().splitlines()[-1]
        return said

    def api(self, path: str, member: Pod | None = None, *, user: str = "admin", password: str = "") -> tuple[int, Any]:
        """A request to a member's management API, from inside its pod. Returns status and decoded body."""
        secret = password or self.cluster.secrets[f"{self.instance}-admin"]["password"]
        login = "user = " + json.dumps(f"{user}:{secret}")
        options = ["--silent", "--max-time", "10", "--write-out", "\\n%{http_code}", "--config", "-"]
        scheme = "https" if self.encrypted else "http"
        trust = ["--cacert", "/run/secrets/tls/ca.crt"] if scheme == "https" else []
        url = f"{scheme}://localhost:15672/api/{path}"
        done = (member or self.members[0]).run("curl", *options, *trust, url, stdin=login)
        body, _, status = done.log.rpartition("\n")
        return int(status or 0), json.loads(body) if body.startswith(("{", "[")) else body

    def queue(self, name: str, member: Pod | None = None) -> dict[str, Any]:
        """What a member says of a queue of nova's; empty if it says nothing."""
        status, body = self.api(f"queues/nova/{name}", member)
        return dict(body) if status == 200 else {}

    def await_copies(self, name: str, count: int, member: Pod | None = None, seconds: float = 240) -> float:
        """Wait until a queue has a leader, and a copy online on so many members; the seconds it took."""

        def whole() -> bool:
            found = self.queue(name, member)
            return len(found.get("online", [])) == count and bool(found.get("leader"))

        return self.cluster.until(whole, seconds)

    def leader(self, name: str) -> Pod:
        """The member that leads a queue."""
        self.await_copies(name, len(self.members))
        found = self.queue(name)["leader"]
        return next(member for member in self.members if f"@{member.name}." in found)

    def running(self, member: Pod) -> int:
        """How many running members this one sees."""
        said = member.run("rabbitmqctl", "-q", "eval", "rabbit_nodes:list_running().").log
        return len(set(re.findall(r"rabbit@[\w.-]+", said)))


class Publisher:
    """A client that publishes with confirms, to a queue of its own, until it is asked for its count."""

    def __init__(self, broker: Broker, queue: str, *members: Pod, options: tuple[str, ...] = ()) -> None:
        self.broker, self.queue, self.options = broker, queue, options
        self.process = self._run("publish", members, "--pause", "0.005")

    def _run(self, what: str, members: tuple[Pod, ...], *more: str) -> subprocess.Popen[str]:
        login = ["--vhost", "nova", "--user", "nova", "--queue", self.queue, *self.options]
        process = self.broker.cluster.client(
            sys.executable, str(CLIENT), what, *login, *more, "--hosts", *self.broker.names(*members)
        )
        assert process.stdin
        process.stdin.write(self.broker.cluster.secrets[f"{self.broker.instance}-nova-messaging"]["password"] + "\n")
        process.stdin.flush()
        return process

    def _end(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        said, _ = process.communicate(timeout=180)
        self.broker.cluster.ended(process)
        assert process.returncode == 0, said
        return dict(json.loads(said.splitlines()[-1]))

    def figures(self, *members: Pod) -> dict[str, Any]:
        """Stop, take everything out of the queue, and say what was confirmed, refused and lost, and the longest pause."""
        said = self._end(self.process)
        each = ("--each", str(said["attempted"])) if "--each" in self.options else ()
        found = self._end(self._run("drain", members, "--patience", "120", *each))["found"]
        assert said["acknowledged"]
        return {
            "members": len(self.broker.members),
            "acknowledged": len(said["acknowledged"]),
            "failed": said["failures"],
            "lost": len(set(said["acknowledged"]) - set(found)),
            "seconds": said["gap"],
        }
