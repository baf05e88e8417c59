"""The etcd chart on the tests' cluster: an instance, and clients that count what was acknowledged."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.servers.instance import Quorum
from tests.servers.kubelet import Cluster, Pod
from tests.servers.writers import Ledger, writing


def coded(text: str) -> str:
    """A key or a value as the JSON gateway has it."""
    return base64.b64encode(text.encode()).decode()


class Etcd(Quorum):
    """One instance of the chart."""

    chart = "etcd"

    def __init__(self, cluster: Cluster, instance: str = "etcd", **values: Any) -> None:
        super().__init__(cluster, instance, values)

    def start(self, seconds: float = 90) -> float:
        """Start every member that does not run; the seconds until all are ready."""
        return self.cluster.start(self.workload, seconds=seconds)

    def leader(self) -> Pod:
        """The member that leads."""
        return next(pod for pod in self.members if pod.running and self.status(pod).get("leader") == self.own(pod))

    def own(self, pod: Pod) -> str:
        """A member's number."""
        return str(self.status(pod)["header"]["member_id"])

    def status(self, pod: Pod) -> Mapping[str, Any]:
        """What a member says of itself."""
        return self.call(pod, "maintenance/status", {})

    def names(self) -> list[str]:
        """The members that the cluster knows and that vote."""
        listed = self.call(self.members[0], "cluster/member/list", {"linearizable": True}, 10)
        found = [member for member in listed["members"] if not member.get("isLearner")]
        return sorted(member["name"] for member in found)

    def call(self, pod: Pod, path: str, body: Mapping[str, Any], seconds: float = 3) -> Mapping[str, Any]:
        """One call of a member's JSON gateway, from outside. Raises ``OSError``."""
        url = f"{'https' if self.encrypted else 'http'}://{pod.ip or '192.0.2.1'}:2379/v3/{path}"
        request = urllib.request.Request(url, json.dumps(body).encode())  # noqa: S310 - one of two schemes
        with (
            self.cluster.network.entered(),
            urllib.request.urlopen(request, timeout=seconds, context=self.trust()) as answer,  # noqa: S310
        ):
            return dict(json.load(answer))

    def put(self, pod: Pod, key: str, value: str, seconds: float = 3) -> bool:
        """Whether a member acknowledges a change."""
        return "header" in self.call(pod, "kv/put", {"key": coded(key), "value": coded(value)}, seconds)

    def refuses(self, pod: Pod) -> bool:
        """Whether a member, asked from inside its pod, refuses a change."""
        done = pod.run("sh", "-c", f"ETCDCTL_ENDPOINTS={self.local} etcdctl --command-timeout=3s put minority x")
        return done.code != 0 and "OK" not in done.log

    @property
    def local(self) -> str:
        """A member's own address, from inside its pod."""
        return f"{'https' if self.encrypted else 'http'}://localhost:2379"

    def keys(self, prefix: str, pod: Pod | None = None) -> dict[str, str]:
        """Keys with their values, as a majority has them."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        found = self.call(pod or self.members[0], "kv/range", {"key": coded(prefix), "range_end": coded(end)}, 10)
        texts = [(base64.b64decode(kv["key"]), base64.b64decode(kv.get("value", ""))) for kv in found.get("kvs", [])]
        return {key.decode(): value.decode() for key, value in texts}

    def numbers(self, prefix: str, pod: Pod | None = None) -> set[int]:
        """The numbers that a writer wrote under a prefix."""
        return {int(key.removeprefix(prefix)) for key in self.keys(prefix, pod)}

    def writer(self, prefix: str) -> Callable[[int], bool]:
        """A client that knows every member and goes on to the next where one fails it."""
        at = 0

        def write(number: int) -> bool:
            nonlocal at
            members = self.members
            try:
                return self.put(members[at % len(members)], f"{prefix}{number}", str(number))
            except OSError:
                at += 1
                raise

        return write

    @contextmanager
    def written(self, prefix: str) -> Iterator[Ledger]:
        """Changes that go on as long as the block lasts, a last one after it."""
        with writing(self.writer(prefix)) as ledger:
            yield ledger
