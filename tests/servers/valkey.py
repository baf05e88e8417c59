"""The valkey chart on the tests' cluster: an instance, and clients that count what was acknowledged.

A client does what Sentinel's clients do: it asks any sentinel for the primary, writes there, and asks again when that
fails it.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from tests.servers.instance import Quorum
from tests.servers.kubelet import Cluster, Pod
from tests.servers.writers import Ledger, writing

CONSUMER = {
    "instance": "gnocchi",
    "namespace": "openstack",
    "chart": "gnocchi",
    "requirement": "coordination",
    "interface": "redis",
    "prefix": "gnocchi:",
    "username": "gnocchi",
    "secretName": "valkey-gnocchi-coordination",
}
PASSWORD = "a consumer's password"


class Said(OSError):
    """An error that a server answered with."""


class Line:
    """One connection to a server or a sentinel."""

    def __init__(self, pod: Pod, port: int, context: ssl.SSLContext | None, seconds: float = 3) -> None:
        with pod.cluster.network.entered():
            raw = socket.create_connection((pod.ip or "192.0.2.1", port), seconds)
        try:
            self.socket = context.wrap_socket(raw) if context else raw
        except OSError:
            raw.close()
            raise
        self.reader = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self.reader.close()
        self.socket.close()

    def call(self, *argv: object) -> Any:
        """One command. Raises ``Said``."""
        parts = [str(part).encode() for part in argv]
        self.socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(p), p) for p in parts))
        return self._answer()

    def _answer(self) -> Any:
        line = self.reader.readline().decode()
        if not line:
            raise ConnectionResetError
        kind, rest = line[0], line[1:-2]
        if kind == "-":
            raise Said(rest)
        if kind in ":$*" and rest == "-1":
            return None
        if kind == "$":
            return self.reader.read(int(rest) + 2)[:-2].decode()
        if kind == "*":
            return [self._answer() for _ in range(int(rest))]
        return int(rest) if kind == ":" else rest


class Valkey(Quorum):
    """One instance of the chart, with one consumer."""

    chart = "valkey"

    def __init__(self, cluster: Cluster, instance: str = "valkey", **values: Any) -> None:
        for secret in ("admin", "replication", "sentinel", "monitor"):
            cluster.update_secret(f"{instance}-{secret}", password=f"{instance}'s {secret} password".replace(" ", "-"))
        cluster.update_secret(CONSUMER["secretName"], password=PASSWORD)
        super().__init__(cluster, instance, {"consumers": {"gnocchi-coordination": CONSUMER}, **values})

    @property
    def copies(self) -> int:
        """The other members that a majority needs."""
        return int(self.values.get("replicas", 3)) // 2

    def start(self, seconds: float = 120) -> float:
        """Start every member that does not run; the seconds until all are ready."""
        return self.cluster.start(self.workload, seconds=seconds)

    def provision(self) -> None:
        """Make the consumer's account."""
        done = self.job("provision")
        assert done.code == 0, done.log

    # Clients.

    def line(self, pod: Pod, username: str = "gnocchi", password: str = PASSWORD) -> Line:
        """A connection to a member's server. Raises ``OSError``."""
        line = Line(pod, 6379, self.trust())
        try:
            line.call("AUTH", username, password)
        except OSError:
            line.close()
            raise
        return line

    def admin(self, pod: Pod) -> Line:
        """The same as the administrator."""
        return self.line(pod, "admin", self.cluster.secrets[f"{self.instance}-admin"]["password"])

    def primary(self) -> Pod:
        """Whom the first sentinel that answers names. Raises ``OSError``."""
        for pod in [pod for pod in list(self.cluster.pods.values()) if pod.workload == self.workload]:
            try:
                with Line(pod, 26379, self.trust(), 1) as sentinel:
                    host, _ = sentinel.call("SENTINEL", "get-master-addr-by-name", self.instance)
            except OSError:
                continue
            found = self.cluster.pods.get(host.partition(".")[0])
            if found is not None:
                return found
        message = "no sentinel answers"
        raise OSError(message)

    def info(self, pod: Pod, section: str = "replication") -> dict[str, str]:
        """What a server says of itself."""
        with self.admin(pod) as line:
            return dict(entry.split(":", 1) for entry in line.call("INFO", section).splitlines() if ":" in entry)

    def numbers(self, prefix: str, pod: Pod | None = None) -> set[int]:
        """The numbers that a member has under a prefix."""
        with self.admin(pod or self.primary()) as line:
            return {int(key.rpartition(":")[2]) for key in line.call("KEYS", f"gnocchi:{prefix}:*")}

    def refuses(self, pod: Pod) -> bool:
        """Whether a member, asked from inside its pod, refuses a write."""
        secret = self.cluster.secrets[f"{self.instance}-admin"]["password"]
        tls = "--tls --cacert $TLS/ca.crt --cert $TLS/tls.crt --key $TLS/tls.key" if self.trust() else ""
        ask = f'REDISCLI_AUTH="{secret}" valkey-cli {tls} --user admin set minority x'
        said = pod.run("sh", "-c", ask, container="server").log
        return "NOREPLICAS" in said or "READONLY" in said

    @contextmanager
    def writer(self, prefix: str, *, confirmed: bool) -> Iterator[Ledger]:
        """A client that writes; ``confirmed``: a write is acknowledged only once a majority says that it has it."""
        line: Line | None = None

        def write(number: int) -> bool:
            nonlocal line
            try:
                line = line or self.line(self.primary())
                line.call("SET", f"gnocchi:{prefix}:{number}", number)
                return not confirmed or line.call("WAIT", self.copies, 2000) >= self.copies
            except OSError:
                if line is not None:
                    line.close()
                line = None
                raise

        with writing(write) as ledger:
            yield ledger
        if line is not None:
            line.close()

    @contextmanager
    def written(self, prefix: str) -> Iterator[tuple[Ledger, Ledger]]:
        """Writes as long as the block lasts: what the server acknowledged, and what a majority has."""
        with (
            self.writer(f"{prefix}-plain", confirmed=False) as plain,
            self.writer(f"{prefix}-majority", confirmed=True) as majority,
        ):
            yield plain, majority
