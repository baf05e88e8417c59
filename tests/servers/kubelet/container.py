"""One container of a pod: its probes as rendered, what they have said, and how it is stopped."""

from __future__ import annotations

import signal
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.servers.kubelet.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.servers.kubelet.pod import Pod

TICK = 0.2


@dataclass(frozen=True)
class Verdict:
    """What one probe said at one time; ``acted`` is what followed (``""``, ``ready``, ``unready``, ``killed``)."""

    at: float
    pod: str
    container: str
    probe: str
    passed: bool
    said: str
    acted: str = ""


@dataclass
class Probe:
    """A probe as rendered, and what it has said so far."""

    kind: str
    spec: Mapping[str, Any]
    due: float = 0.0
    failures: int = 0
    counted: float = 0.0

    @property
    def period(self) -> float:
        """Seconds between two questions."""
        return float(self.spec.get("periodSeconds", 10))

    @property
    def seconds(self) -> float:
        """How long an answer may take."""
        return float(self.spec.get("timeoutSeconds", 1))

    @property
    def threshold(self) -> int:
        """How many failures in a row count."""
        return int(self.spec.get("failureThreshold", 3))

    def failed(self, now: float) -> bool:
        """Count a failure, at most one a period. Whether there have been enough."""
        if not self.failures or now - self.counted >= self.period - TICK:
            self.failures, self.counted = self.failures + 1, now
        return self.failures >= self.threshold

    def passed(self) -> None:
        """Failures in a row start anew."""
        self.failures = 0


@dataclass
class Container:
    """One container of a pod; it is started again when it ends."""

    pod: Pod
    spec: Mapping[str, Any]
    sandbox: Sandbox
    log: Path
    probes: dict[str, Probe] = field(default_factory=dict)
    started: bool = False
    ready: bool = False
    restarts: int = 0
    begun: float = 0.0
    back_at: float = 0.0

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.spec["name"])

    @property
    def running(self) -> bool:
        """Whether its first process runs."""
        return self.sandbox.running

    def start(self) -> None:
        """Start it; its probes begin anew."""
        self.started, self.ready, self.begun = False, False, time.monotonic()
        self.probes = {}
        for kind in ("startup", "readiness", "liveness"):
            if spec := self.spec.get(f"{kind}Probe"):
                self.probes[kind] = Probe(kind, spec, due=self.begun + float(spec.get("initialDelaySeconds", 0)))
        self.sandbox.start(self.log)

    def ask(self, kind: str) -> tuple[bool, str]:
        """The verdict of one probe, asked now."""
        spec = self.spec[f"{kind}Probe"]
        seconds = float(spec.get("timeoutSeconds", 1))
        if not self.running:
            return False, "not running"
        if "exec" in spec:
            done = self.sandbox.run(*spec["exec"]["command"], seconds=seconds)
            return done.returncode == 0, "timeout" if done.returncode == 124 else done.stdout.strip()
        with self.pod.cluster.network.entered(self.pod.name):
            return self._connect(spec, seconds)

    def _connect(self, spec: Mapping[str, Any], seconds: float) -> tuple[bool, str]:
        if "tcpSocket" in spec:
            try:
                with socket.create_connection((self.pod.ip, self.port(spec["tcpSocket"]["port"])), timeout=seconds):
                    return True, ""
            except OSError as error:
                return False, str(error)
        get = spec["httpGet"]
        scheme = get.get("scheme", "HTTP").lower()
        url = f"{scheme}://{get.get('host', self.pod.ip)}:{self.port(get['port'])}{get.get('path', '/')}"
        return _get(url, seconds)

    def port(self, port: int | str) -> int:
        """The number of a port that may be named."""
        if isinstance(port, int):
            return port
        return next(int(p["containerPort"]) for p in self.spec.get("ports", []) if p.get("name") == port)

    def stop(self, until: float, *, hook: bool = True) -> bool:
        """preStop, SIGTERM, and SIGKILL at ``until``. Whether it ended by itself."""
        prestop = self.spec.get("lifecycle", {}).get("preStop", {})
        if hook and self.running and "exec" in prestop:
            self.sandbox.run(*prestop["exec"]["command"], seconds=max(1, until - time.monotonic()))
        elif hook and self.running and "sleep" in prestop:
            time.sleep(min(float(prestop["sleep"]["seconds"]), max(0, until - time.monotonic())))
        self.sandbox.signal(signal.SIGTERM)
        ended = self.sandbox.wait(max(2, until - time.monotonic()))
        if not ended:
            self.sandbox.kill()
        return ended


def _get(url: str, seconds: float) -> tuple[bool, str]:
    context = ssl._create_unverified_context() if url.startswith("https") else None  # noqa: S323, SLF001 - as kubelets do
    try:
        with urllib.request.urlopen(url, timeout=seconds, context=context) as answer:  # noqa: S310 - as rendered
            return True, answer.read(200).decode(errors="replace")
    except urllib.error.HTTPError as error:
        return False, f"{error.code} {error.read(200).decode(errors='replace')}"
    except OSError as error:
        return False, str(error)
