"""Addresses, names and Services: one bridge in a network namespace of its own, and a namespace for each pod."""

from __future__ import annotations

import ctypes
import itertools
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_NUMBERS = itertools.count(1)
NAME_SERVER = "10.64.255.254"
"""Where the cluster's names are answered: on the bridge itself."""


def sh(*argv: str, stdin: str = "", check: bool = True) -> str:
    """Run a program of this machine; what it printed. Raises ``AssertionError`` with what it said if it fails."""
    done = subprocess.run(argv, check=False, text=True, capture_output=True, input=stdin)
    assert not (check and done.returncode), f"{' '.join(argv)}: {done.stderr or done.stdout}\n{stdin}"
    return done.stdout


@dataclass(frozen=True)
class Endpoint:
    """Where one port of a Service leads to."""

    address: str
    port: int


@dataclass(frozen=True)
class Rule:
    """One port of a ClusterIP Service and the ready pods behind it."""

    address: str
    port: int
    protocol: str
    endpoints: tuple[Endpoint, ...]

    def nat(self) -> str:
        """The line for nftables that leads a new connection to one of the pods."""
        count = len(self.endpoints)
        to = ", ".join(f"{n} : {each.address} . {each.port}" for n, each in enumerate(self.endpoints))
        return f"ip daddr {self.address} {self.protocol} dport {self.port} dnat ip to numgen random mod {count} map {{ {to} }}"

    def refusal(self) -> str:
        """The line for nftables that refuses, as kube-proxy does, where no pod is ready."""
        return f"ip daddr {self.address} {self.protocol} dport {self.port} reject"


@dataclass
class Network:
    """Pods' addresses on one bridge. A pod can be cut off and given back."""

    prefix: str = field(default_factory=lambda: f"k{os.getpid()}x{next(_NUMBERS)}")
    _spaces: dict[str, int] = field(default_factory=dict)
    _given: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _rules: str = ""
    _loaded: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sh("ip", "netns", "add", self.hub)
        sh("ip", "-n", self.hub, "link", "add", "br0", "type", "bridge")
        sh("ip", "-n", self.hub, "link", "set", "br0", "up")
        sh("ip", "-n", self.hub, "addr", "add", f"{NAME_SERVER}/16", "dev", "br0")

    @property
    def hub(self) -> str:
        """The namespace with the bridge."""
        return f"{self.prefix}-hub"

    def space(self, pod: str) -> str:
        """The network namespace of a pod, made at first use."""
        with self._lock:
            if pod not in self._spaces:
                self._spaces[pod] = len(self._spaces) + 1
                self._plug(pod)
            return f"{self.prefix}-{self._spaces[pod]}"

    def _plug(self, pod: str) -> None:
        space, port = f"{self.prefix}-{self._spaces[pod]}", self._port(pod)
        sh("ip", "netns", "add", space)
        sh("ip", "-n", space, "link", "set", "lo", "up")
        sh("ip", "link", "add", "eth0", "netns", space, "type", "veth", "peer", "name", port, "netns", self.hub)
        sh("ip", "-n", space, "link", "set", "eth0", "up")
        sh("ip", "-n", self.hub, "link", "set", port, "master", "br0")
        sh("ip", "-n", self.hub, "link", "set", port, "up")
        self._load(space)

    def _port(self, pod: str) -> str:
        return f"p{self._spaces[pod]}"

    def address(self, pod: str) -> str:
        """A new address for a pod, the old one gone."""
        space = self.space(pod)
        with self._lock:
            number = next(self._given)
        address = f"10.64.{number // 250}.{number % 250 + 1}"
        sh("ip", "-n", space, "addr", "flush", "dev", "eth0")
        sh("ip", "-n", space, "addr", "add", f"{address}/16", "dev", "eth0")
        sh("ip", "-n", space, "route", "replace", "default", "dev", "eth0")
        return address

    def forget(self, pod: str) -> None:
        """Take a pod's address away."""
        sh("ip", "-n", self.space(pod), "addr", "flush", "dev", "eth0")

    def cut(self, pod: str) -> None:
        """Pull the cable."""
        self.space(pod)
        sh("ip", "-n", self.hub, "link", "set", self._port(pod), "down")  # beside the bridge, the hub would answer it

    def heal(self, pod: str) -> None:
        """Plug it in again."""
        self.space(pod)
        sh("ip", "-n", self.hub, "link", "set", self._port(pod), "up")

    def serve(self, rules: tuple[Rule, ...]) -> None:
        """Let the addresses of Services lead to these pods, from everywhere."""
        nat = "\n".join(rule.nat() for rule in rules if rule.endpoints)
        refused = "\n".join(rule.refusal() for rule in rules if not rule.endpoints)
        text = (
            "table ip services\ndelete table ip services\ntable ip services {\n"
            f"chain nat {{ type nat hook output priority -100;\n{nat}\n}}\n"
            f"chain filter {{ type filter hook output priority 0;\n{refused}\n}}\n}}\n"
        )
        with self._lock:
            if text == self._rules:
                return
            self._rules = text
            for pod in self._spaces:
                self._load(f"{self.prefix}-{self._spaces[pod]}")

    def _load(self, space: str) -> None:
        if self._rules:
            self._nft(space, self._rules)

    @staticmethod
    def _nft(space: str, rules: str) -> None:
        sh("ip", "netns", "exec", space, "chroot", str(_root()), "nft", "-f", "-", stdin=rules)

    def restrict(self, pod: str, rules: str) -> None:
        """Let these rules of nftables decide what a pod's network lets in and out."""
        with self._lock:
            if self._loaded.get(pod) != rules:
                self._nft(self.space(pod), rules)
                self._loaded[pod] = rules

    @contextmanager
    def entered(self, pod: str = "client") -> Iterator[None]:
        """The calling thread, and only it, opens its sockets in this pod's namespace."""
        libc = ctypes.CDLL(None, use_errno=True)
        space = self.space(pod)
        with Path("/proc/thread-self/ns/net").open() as home, Path(f"/run/netns/{space}").open() as there:
            assert libc.setns(there.fileno(), _CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            try:
                yield
            finally:
                assert libc.setns(home.fileno(), _CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())

    def remove(self) -> None:
        """Leave nothing behind."""
        for number in self._spaces.values():
            sh("ip", "netns", "del", f"{self.prefix}-{number}", check=False)
        sh("ip", "netns", "del", self.hub, check=False)


def _root() -> Path:
    from tests.servers.kubelet.sandbox import ROOT  # noqa: PLC0415 - nftables is the servers' own

    return ROOT
