"""The ovn chart on the tests' cluster: an instance, and clients that count what was acknowledged."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.servers.instance import Instance
from tests.servers.kubelet import Cluster, Completed, Pod

TIMER = 1000
"""Milliseconds: a machine of a test elects sooner than a site."""


def database(replicas: int) -> dict[str, Any]:
    """Values of one database."""
    return {"replicas": replicas, "electionTimer": TIMER}


class Ovn(Instance):
    """One instance of the chart."""

    chart = "ovn"

    def __init__(self, cluster: Cluster, instance: str = "ovn", **values: Any) -> None:
        super().__init__(cluster, instance, values)

    def members(self, kind: str = "nb") -> list[Pod]:
        """The members of a database, in order."""
        return self.cluster.of(f"{self.instance}-{kind}")

    def start(self, *kinds: str, seconds: float = 90) -> float:
        """Start every pod of these workloads (all without one) that does not run; the seconds until all are ready."""
        names = kinds or ("nb", "sb", "northd")
        return self.cluster.start(*(f"{self.instance}-{kind}" for kind in names), seconds=seconds)

    @property
    def scheme(self) -> str:
        """What clients begin an address with."""
        return "ssl" if self.encrypted else "tcp"

    def remotes(self, kind: str = "nb") -> str:
        """Every member of a database, as clients name them."""
        port = {"nb": 6641, "sb": 6642}[kind]
        return ",".join(f"{self.scheme}:{pod.ip or '192.0.2.1'}:{port}" for pod in self.members(kind))

    def ctl(self, kind: str, *argv: str, seconds: float = 5, remotes: str = "") -> Completed:
        """ovn-nbctl or ovn-sbctl beside the members, as Neutron's host would call it."""
        options = [f"--db={remotes or self.remotes(kind)}", f"--timeout={int(seconds)}", "--no-leader-only"]
        if not remotes:
            options.remove("--no-leader-only")
        return self.cluster.call(f"ovn-{kind}ctl", *options, *self.certificates(), *argv, seconds=seconds + 5)

    def certificates(self) -> list[str]:
        """A client's certificates: of the same issuer as the chart's."""
        if self.scheme != "ssl":
            return []
        from tests.servers.kubelet import ROOT  # noqa: PLC0415 - the clients' own root

        home = ROOT / "tmp" / f"client-{self.cluster.network.prefix}"
        if not home.exists():
            home.mkdir(parents=True)
            for name, text in self.cluster.authority.issue("client", []).items():
                (home / name).write_text(text)
        inside = f"/tmp/{home.name}"
        return [f"--private-key={inside}/tls.key", f"--certificate={inside}/tls.crt", f"--ca-cert={inside}/ca.crt"]

    def known(self, pod: Pod) -> dict[str, Any]:
        """What a member knows of its cluster."""
        return dict(json.loads(pod.run("curl", "-s", "localhost:6645/cluster").log))

    def leader(self, kind: str = "nb") -> Pod:
        """The member that leads."""
        return next(pod for pod in self.members(kind) if pod.running and self.known(pod)["leads"])

    def names(self, kind: str = "nb") -> list[str]:
        """The members that the cluster knows."""
        return sorted(host.partition(".")[0] for host in self.known(self.leader(kind))["servers"])

    def writer(self, prefix: str) -> Callable[[int], bool]:
        """A client that makes one logical switch a number, as Neutron makes networks."""

        def write(number: int) -> bool:
            return self.ctl("nb", "--may-exist", "ls-add", f"{prefix}{number}").code == 0

        return write

    def numbers(self, prefix: str, pod: Pod | None = None) -> set[int]:
        """The numbers of the switches that are there: as the leader has them, or as one member does."""
        remotes = f"{self.scheme}:{pod.ip}:6641" if pod else ""
        done = self.ctl("nb", "--bare", "--columns=name", "list", "Logical_Switch", seconds=10, remotes=remotes)
        assert done.code == 0, done.log
        return {int(line.removeprefix(prefix)) for line in done.log.split() if line.startswith(prefix)}

    def active(self) -> Pod | None:
        """The northd that is active."""
        for pod in self.cluster.of(f"{self.instance}-northd"):
            if pod.running and "active" in pod.run("ovs-appctl", "--timeout=5", "-t", "/run/ovn/northd", "status").log:
                return pod
        return None
