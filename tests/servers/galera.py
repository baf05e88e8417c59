"""The mariadb chart on the tests' cluster: an instance, and a client that counts what was acknowledged."""

from __future__ import annotations

import contextlib
import itertools
import select
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tests.servers.instance import Quorum, merged
from tests.servers.kubelet import Cluster, Completed, Pod

SMALL: dict[str, Any] = {
    "server": {"bufferPool": "64Mi", "redoLog": "48Mi", "maxConnections": 200},
    "galera": {"cache": "64Mi"},
    "recovery": {"patienceSeconds": 15, "stepBackSeconds": 5},
    "drain": {"seconds": 40, "handOverSeconds": 2},
    "proxy": {"replicas": 2, "lameDuckSeconds": 1, "drainSeconds": 2},
}
"""A machine of a test is smaller than a host, and waits less for one that never comes back."""


NO_TLS = ("--skip-ssl",)


def login(host: str, user: str, *options: str) -> list[str]:
    """The command line of a client; the password comes by its environment."""
    who = [f"--host={host}", f"--user={user}", *options]
    return ["mariadb", "--no-defaults", "--protocol=tcp", "--batch", "--skip-column-names", *who]


def consumer(name: str, instance: str = "mariadb") -> dict[str, Any]:
    """Values of one consumer of an instance."""
    identity = {"instance": name, "namespace": "openstack", "chart": "example", "requirement": "database"}
    access = {"database": name, "username": name, "secretName": f"{instance}-{name}-database"}
    return {f"{name}-database": {**identity, "interface": "mysql", **access}}


def rows(member: Pod, statement: str) -> list[tuple[str, ...]]:
    """Rows of a statement, over a member's own socket, as the server's own user. Raises ``AssertionError`` if it fails."""
    options = ["--no-defaults", "--socket=/run/mariadb/mariadb.sock", "--default-character-set=utf8mb4"]
    done = member.run("mariadb", *options, "--batch", "--skip-column-names", stdin=statement)
    assert done.code == 0, done.log
    return [tuple(line.split("\t")) for line in done.log.splitlines()]


class Galera(Quorum):
    """One instance of the chart, with one consumer, ``app``."""

    chart = "mariadb"

    def __init__(self, cluster: Cluster, instance: str, replicas: int, values: Mapping[str, Any] | None = None) -> None:
        for name in (f"{instance}-root", f"{instance}-monitor", f"{instance}-app-database"):
            cluster.secrets.setdefault(name, {"password": f'{name}\'s "password" \\ 1'})
        small = merged(SMALL, {"replicas": replicas, "consumers": consumer("app", instance)})
        super().__init__(cluster, instance, merged(small, values or {}))

    @property
    def host(self) -> str:
        """What clients connect to."""
        return f"{self.instance}-proxy.openstack.svc"

    def start(self, *, seconds: float = 400) -> float:
        """Start every pod that does not run; the seconds until all are ready."""
        return self.cluster.start(self.workload, f"{self.instance}-proxy", seconds=seconds)

    def provision(self) -> None:
        """Run the Jobs of its consumers."""
        for name in self.cluster.jobs(f"{self.instance}-provision-"):
            done = self.cluster.run_job(name)
            assert done.code == 0, done.log

    def ready(self) -> list[int]:
        """Ordinals of the members that are ready now."""
        return [n for n, member in enumerate(self.members) if member.ready]

    def await_ready(self, *ordinals: int, seconds: float = 400) -> float:
        """Wait until exactly these members are ready."""
        return self.cluster.until(lambda: self.ready() == sorted(ordinals), seconds)

    def await_said(self, ordinal: int, text: str, seconds: float = 90) -> None:
        """Wait until a member's log has a text."""
        self.cluster.until(lambda: text in self.members[ordinal].log(), seconds)

    def sql(self, ordinal: int, statement: str) -> list[tuple[str, ...]]:
        """Rows of a statement, over a member's own socket, as the server's own user. Raises ``AssertionError`` if it fails."""
        return rows(self.members[ordinal], statement)

    def whole(self) -> bool:
        """Whether every member's server itself says that all of them are synced with one another."""
        wanted = [("wsrep_cluster_size", str(len(self.members))), ("wsrep_local_state_comment", "Synced")]
        ask = "SHOW STATUS WHERE variable_name IN ('wsrep_cluster_size', 'wsrep_local_state_comment')"
        return all(sorted(self.sql(ordinal, ask)) == wanted for ordinal in range(len(self.members)))

    def same_everywhere(self, table: str, ordinals: Sequence[int]) -> bool:
        """Whether members hold the same rows."""
        ask = f"SET SESSION wsrep_sync_wait = 1; SELECT COUNT(*) FROM {table}; CHECKSUM TABLE {table}"  # noqa: S608
        return len({tuple(self.sql(ordinal, ask)) for ordinal in ordinals}) == 1

    def client(self, user: str, statement: str, *options: str, password: str | None = None) -> Completed:
        """A client of the proxies that runs one statement and ends."""
        secret = self.cluster.secrets[f"{self.instance}-{user}-database"]["password"]
        return self.cluster.call(
            *login(self.host, user, *(options or NO_TLS)),
            "--connect-timeout=5",
            stdin=statement,
            environment={"MYSQL_PWD": secret if password is None else password},
        )


class Session:
    """One connection through the Service, held by the servers' own client program."""

    def __init__(self, galera: Galera, *options: str) -> None:
        self.galera = galera
        self.client = galera.cluster.client(
            *login(galera.host, "app", *(options or NO_TLS)),
            *("--database=app", "--unbuffered", "--connect-timeout=2"),
            inside=True,
            environment={"MYSQL_PWD": galera.cluster.secrets[f"{galera.instance}-app-database"]["password"]},
        )

    def run(self, statement: str, seconds: float = 15) -> None:
        """Return when the server has acknowledged a statement; raises ConnectionError when it has not."""
        assert self.client.stdin
        assert self.client.stdout
        with contextlib.suppress(BrokenPipeError):
            self.client.stdin.write(f"{statement}; SELECT 'done';\n")
            self.client.stdin.flush()
        readable, _, _ = select.select([self.client.stdout], [], [], seconds)
        said = self.client.stdout.readline() if readable else f"no answer within {seconds} s"
        if said != "done\n":
            raise ConnectionError(said)

    def close(self) -> None:
        """Give the connection up, whatever it does."""
        self.galera.cluster.end(self.client)


class Writer:
    """A client that writes one row after another through the Service, and keeps what was acknowledged."""

    def __init__(self, galera: Galera, table: str = "written", *options: str) -> None:
        self.galera, self.table, self.options = galera, table, options
        self.acknowledged: list[int] = []
        self.times: list[float] = []
        self.errors: list[str] = []
        self._stopping = threading.Event()
        galera.cluster.until(self._prepared)
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _prepared(self) -> bool:
        """Whether the table is there now. A client asks again after a failure, as they all do."""
        session, columns = Session(self.galera, *self.options), "id BIGINT PRIMARY KEY, at TIMESTAMP(3) DEFAULT NOW(3)"
        try:
            session.run(f"CREATE TABLE IF NOT EXISTS {self.table} ({columns})")
        except ConnectionError:
            return False
        finally:
            session.close()
        return True

    def _write(self) -> None:
        session = Session(self.galera, *self.options)
        for number in itertools.count(1):
            if self._stopping.is_set():
                break
            try:
                session.run(f"INSERT INTO {self.table} (id) VALUES ({number})")  # noqa: S608 - our own table
                self.acknowledged.append(number)
                self.times.append(time.monotonic())
                time.sleep(0.01)
            except ConnectionError as error:
                self.errors.append(str(error))
                session.close()
                time.sleep(0.1)
                session = Session(self.galera, *self.options)
        session.close()

    def goes_on(self, seconds: float = 90) -> None:
        """Wait until something more was acknowledged."""
        before = len(self.acknowledged)
        self.galera.cluster.until(lambda: len(self.acknowledged) > before + 5, seconds)

    def stop(self) -> None:
        """Write no more."""
        self._stopping.set()
        self._thread.join(60)

    def gap(self) -> float:
        """Seconds between two acknowledged writes, at worst."""
        return max((b - a for a, b in itertools.pairwise(self.times)), default=0.0)

    def lost(self, ordinal: int) -> set[int]:
        """Acknowledged rows that a member does not have."""
        wait = "SET SESSION wsrep_sync_wait = 1"  # a member may be behind by what it has received and not yet applied
        rows = self.galera.sql(ordinal, f"{wait}; SELECT id FROM app.{self.table}")  # noqa: S608 - our own table
        return set(self.acknowledged) - {int(row[0]) for row in rows}

    def figures(self) -> dict[str, Any]:
        """Stop, and say what was acknowledged, refused, lost (by the worst of the ready members), and the longest time without service."""
        self.stop()
        lost = max(len(self.lost(ordinal)) for ordinal in self.galera.ready())
        return {
            "members": len(self.galera.members),
            "acknowledged": len(self.acknowledged),
            "failed": len(self.errors),
            "lost": lost,
            "seconds": round(self.gap(), 1),
        }
