"""A pod: its containers in their order, its probes and what follows from them, its end."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.servers.kubelet import api
from tests.servers.kubelet.container import TICK, Container, Probe, Verdict
from tests.servers.kubelet.names import DOMAIN
from tests.servers.kubelet.sandbox import ROOT, Identity, Mount, Sandbox
from tests.servers.kubelet.volumes import Volume

if TYPE_CHECKING:
    from tests.servers.kubelet.cluster import Cluster

_LONGEST_BACK_OFF = 5.0
_MADE = itertools.count(1)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_VENV = "/var/lib/kolla/venv"


@dataclass(frozen=True)
class Completed:
    """How a pod that ends by itself has ended: the exit code of its container, and what it printed."""

    code: int
    log: str


class Pod:
    """One pod of a workload. Its claims outlive it; everything else is new with each start."""

    def __init__(  # noqa: PLR0913 - what a controller gives its pods
        self,
        cluster: Cluster,
        name: str,
        template: Mapping[str, Any],
        *,
        workload: str = "",
        claims: tuple[str, ...] = (),
        service: str = "",
    ) -> None:
        self.service = service
        self.cluster, self.name, self.template, self.workload, self.claims = cluster, name, template, workload, claims
        self.home = cluster.home / name
        self.home.mkdir(parents=True, exist_ok=True)
        self.ip = ""
        self.inits: list[Container] = []
        self.sidecars: list[Container] = []
        self.containers: list[Container] = []
        self.wanted = False
        self.clocked = False
        self._made = 0
        self.done = threading.Event()
        self.overran = False
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None

    # What it is.

    @property
    def spec(self) -> Mapping[str, Any]:
        """The pod's spec, as rendered."""
        return dict(self.template["spec"])

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        own = {
            "statefulset.kubernetes.io/pod-name": self.name,
            "apps.kubernetes.io/pod-index": self.name.rpartition("-")[2],
        }
        return {**self.template["metadata"].get("labels", {}), **(own if self.claims else {})}

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.template["metadata"].get("namespace", self.cluster.namespace))

    def port_number(self, name: str) -> int | None:
        """The number of a named port of one of its containers."""
        for container in (*self.spec.get("initContainers", []), *self.spec["containers"]):
            for port in container.get("ports", []):
                if port.get("name") == name:
                    return int(port["containerPort"])
        return None

    @property
    def all(self) -> list[Container]:
        """Every container that it has by now."""
        return [*self.inits, *self.sidecars, *self.containers]

    def container(self, name: str = "") -> Container:
        """A container by its name; the first of the main ones without one."""
        if not name:
            return self.containers[0]
        return next(container for container in self.all if container.name == name)

    @property
    def running(self) -> bool:
        """Whether it has been started and not stopped."""
        return self.wanted

    @property
    def ready(self) -> bool:
        """Whether a Service may lead to it."""
        return (
            self.wanted
            and bool(self.containers)
            and all(c.running and c.ready for c in (*self.sidecars, *self.containers))
        )

    def field(self, reference: Mapping[str, Any]) -> str:
        """A field of the pod, as ``fieldRef`` and ``resourceFieldRef`` name it."""
        if "resourceFieldRef" in reference:
            return self._resource(reference["resourceFieldRef"])
        path = reference["fieldRef"]["fieldPath"]
        if match := re.fullmatch(r"metadata\.(labels|annotations)\['(.*)'\]", path):
            values = self.labels if match[1] == "labels" else self.template["metadata"].get("annotations", {})
            return str(values.get(match[2], ""))
        known = {
            "metadata.name": self.name,
            "metadata.namespace": self.namespace,
            "metadata.uid": f"uid-{self._made}-of-{self.name}",
            "status.podIP": self.ip,
            "status.podIPs": self.ip,
            "status.hostIP": self.ip,
            "spec.nodeName": f"host-of-{self.name}",
            "spec.serviceAccountName": str(self.spec.get("serviceAccountName", "default")),
        }
        return known[path]

    def _resource(self, reference: Mapping[str, Any]) -> str:
        containers = [*self.spec.get("initContainers", []), *self.spec["containers"]]
        spec = next(c for c in containers if c["name"] == reference["containerName"])
        kind, _, resource = reference["resource"].partition(".")
        return str(
            int(_quantity(str(spec["resources"][kind][resource])) / _quantity(str(reference.get("divisor", "1"))))
        )

    def configmap(self, name: str) -> Mapping[str, str]:
        """The data of a ConfigMap of its namespace."""
        return dict(self.cluster.find("ConfigMap", name).get("data", {}))

    def secret(self, name: str) -> Mapping[str, str]:
        """The data of a Secret."""
        return self.cluster.secrets[name]

    def environment(self, spec: Mapping[str, Any]) -> dict[str, str]:
        """The environment of a container, as the kubelet expands it over what an image brings."""
        found: dict[str, str] = {}
        for source in spec.get("envFrom", []):
            data = (
                self.configmap(source["configMapRef"]["name"])
                if "configMapRef" in source
                else self.secret(source["secretRef"]["name"])
            )
            found |= {source.get("prefix", "") + key: value for key, value in data.items()}
        for entry in spec.get("env", []):
            found[entry["name"]] = self._value(entry, found)
        user = self._identity(spec).user
        return {**_image_environment(str(spec.get("image", "")), user), "HOSTNAME": self.name, **found}

    def _value(self, entry: Mapping[str, Any], found: Mapping[str, str]) -> str:
        if "valueFrom" not in entry:
            return _expand(str(entry.get("value", "")), found)
        source = entry["valueFrom"]
        if "secretKeyRef" in source:
            return self.secret(source["secretKeyRef"]["name"])[source["secretKeyRef"]["key"]]
        if "configMapKeyRef" in source:
            return self.configmap(source["configMapKeyRef"]["name"])[source["configMapKeyRef"]["key"]]
        return self.field(source)

    def _identity(self, spec: Mapping[str, Any]) -> Identity:
        security = {**self.spec.get("securityContext", {}), **spec.get("securityContext", {})}
        user = int(security.get("runAsUser", 0))
        group = int(security.get("runAsGroup", user))
        more = [int(g) for g in (security.get("fsGroup"), *security.get("supplementalGroups", [])) if g is not None]
        return Identity(user, group, tuple(dict.fromkeys([group, *more])))

    # Its volumes.

    def volumes(self) -> dict[str, Volume]:
        """Its volumes by name."""
        group = self.spec.get("securityContext", {}).get("fsGroup")
        found = {}
        for spec in [*self.spec.get("volumes", []), *([api.VOLUME] if self._token else [])]:
            claim = spec.get("persistentVolumeClaim", {}).get("claimName")
            path = self.cluster.home / "claims" / claim if claim else self.home / "volumes" / spec["name"]
            found[spec["name"]] = Volume(spec, path, group)
        for name in self.claims:
            found[name] = Volume({"name": name, "persistentVolumeClaim": {}}, self.home / "claims" / name, group)
        return found

    @property
    def _token(self) -> bool:
        """Whether it has a token for the API server."""
        return self.cluster.has_api and bool(self.spec.get("automountServiceAccountToken", True))

    def volume(self, name: str) -> Path:
        """Where a volume is on this machine."""
        return self.volumes()[name].path

    def empty(self, name: str) -> None:
        """Replace the volume of a claim by a new one."""
        assert not self.wanted, "the pod runs"
        shutil.rmtree(self.volume(name), ignore_errors=True)

    def refresh(self) -> None:
        """Bring what changed in ConfigMaps and Secrets into the running pod."""
        for volume in self.volumes().values():
            if volume.projected:
                volume.refresh(self)

    # What happens to it.

    def wind(self, offset: str) -> None:
        """Let its wall clock differ by this much from the true one from now on: ``+2h``, ``-1d``.

        Only a pod that was started while it was ``clocked`` has a clock of its own. Probes and hooks see the true time.
        """
        assert self.clocked, f"{self.name} was not started with a clock of its own"
        self._clock.write_text(offset)

    @property
    def _clock(self) -> Path:
        return self.home / "clock"

    def start(self) -> None:
        """A new pod: new address, new volumes but for its claims."""
        with self._lock:
            assert not self.wanted, f"{self.name} runs already"
            self.cluster.network.heal(self.name)
            self.ip = self.cluster.network.address(self.name)
            self._name()
            for volume in self.volumes().values():
                volume.prepare(self)
            self._clock.write_text("+0")
            for log in self.home.glob("*.log"):
                log.rename(log.with_suffix(f".{time.time_ns()}.before"))
            self.inits, self.sidecars, self.containers = [], [], []
            self.wanted, self.overran = True, False
            self._made = next(_MADE)
            self.done.clear()
        self.cluster.changed()
        self._thread = threading.Thread(target=self._live, daemon=True, name=self.name)
        self._thread.start()

    def _name(self) -> None:
        """Its own name and its name server."""
        domain = f".{service}.{self.namespace}.svc.{DOMAIN}" if (service := self.service) else ""
        names = f"{self.name}{domain} {self.name}" if domain else self.name
        (self.home / "hosts").write_text(f"127.0.0.1 localhost\n::1 localhost\n{self.ip} {names}\n")
        (self.home / "resolv.conf").write_text(self.cluster.names.resolver(self.namespace))

    def _make(self, spec: Mapping[str, Any]) -> Container:
        mounts = []
        volumes = self.volumes()
        token = [{"name": api.VOLUME["name"], "mountPath": api.MOUNT}] if self._token else []
        for mount in [*spec.get("volumeMounts", []), *token]:
            volume = volumes[mount["name"]]
            source = volume.path / _expand(mount.get("subPathExpr", mount.get("subPath", "")), self.environment(spec))
            if not source.exists():
                source.mkdir(parents=True)
                if volume.group is not None:
                    os.chown(source, -1, volume.group)
                    source.chmod(0o2775)
            mounts.append(
                Mount(source.resolve(), mount["mountPath"].rstrip("/"), bool(mount.get("readOnly")) or volume.projected)
            )
        environment = self.environment(spec)
        command = [_expand(str(word), environment) for word in (*spec.get("command", []), *spec.get("args", []))]
        if self.clocked:
            mounts.append(Mount(self._clock, "/etc/faketimerc", read_only=True))
            command = [*_clock_of_its_own(), *command]
        home = self.home / "containers" / spec["name"]
        home.mkdir(parents=True, exist_ok=True)
        sandbox = Sandbox(
            self.name,
            self.cluster.network.space(self.name),
            home,
            self.home / "hosts",
            self.home / "resolv.conf",
            command,
            environment,
            tuple(mounts),
            self._identity(spec),
            read_only=bool(spec.get("securityContext", {}).get("readOnlyRootFilesystem")),
            directory=str(spec.get("workingDir", "/")),
        )
        return Container(self, spec, sandbox, self.home / f"{spec['name']}.log")

    def _live(self) -> None:
        try:
            for spec in self.spec.get("initContainers", []):
                self._initialise(spec)
            with self._lock:
                if not self.wanted:
                    return
                self.containers = [self._make(spec) for spec in self.spec["containers"]]
                for container in self.containers:
                    container.start()
            while self.wanted and not self._ended():
                self._keep()
                time.sleep(TICK)
        finally:
            self.done.set()

    def _initialise(self, spec: Mapping[str, Any]) -> None:
        container = self._make(spec)
        sidecar = spec.get("restartPolicy") == "Always"
        with self._lock:
            if not self.wanted:
                return
            (self.sidecars if sidecar else self.inits).append(container)
            container.start()
        while self.wanted:
            self._keep(init=container)
            if sidecar and container.started:
                return
            if not sidecar and container.sandbox.code == 0:
                return
            if self._never and container.sandbox.code is not None:
                self.wanted = False
            time.sleep(TICK)

    @property
    def _never(self) -> bool:
        return bool(self.spec.get("restartPolicy", "Always") == "Never")

    def _ended(self) -> bool:
        """Whether a pod that is to end has ended."""
        policy = self.spec.get("restartPolicy", "Always")
        if policy == "Always":
            return False
        codes = [container.sandbox.code for container in self.containers]
        return all((code is not None) if policy == "Never" else (code == 0) for code in codes)

    def _keep(self, init: Container | None = None) -> None:
        """What the kubelet does again and again: start what ended, ask the probes."""
        for container in (*self.sidecars, *self.containers, *([init] if init and init not in self.sidecars else [])):
            if not self.wanted:
                return
            if container.running:
                self._probe(container)
            elif not (
                container.sandbox.code == 0 and (container is init or self.spec.get("restartPolicy") == "OnFailure")
            ):
                self._restart(container)

    def _restart(self, container: Container) -> None:
        now = time.monotonic()
        if container.ready:
            container.ready = False
            self.cluster.changed()
        if not container.back_at:
            container.back_at = now + min(_LONGEST_BACK_OFF, 0.3 * 2**container.restarts)
        if now < container.back_at or self._never:
            return
        container.back_at = 0.0
        container.restarts = 0 if now - container.begun > 60 else container.restarts + 1
        with self._lock:
            if self.wanted:
                container.start()

    def _probe(self, container: Container) -> None:
        if not container.started:
            startup = container.probes.get("startup")
            if startup is None:
                container.started = True
            elif time.monotonic() >= startup.due:
                self._ask(container, startup)
        if container.started:
            readiness, liveness = container.probes.get("readiness"), container.probes.get("liveness")
            if readiness is None and not container.ready:
                container.ready = True
                self.cluster.changed()
            for probe in (readiness, liveness):
                if probe is not None and time.monotonic() >= probe.due and container.running:
                    self._ask(container, probe)

    def _ask(self, container: Container, probe: Probe) -> None:
        passed, said = container.ask(probe.kind)
        now = time.monotonic()
        if not self.wanted or not container.running:
            return
        acted = self._passed(container, probe) if passed else self._failed(container, probe, now)
        waiting = probe.kind == "startup" or (probe.kind == "readiness" and not container.ready)
        probe.due = now + (min(1.0, probe.period) if waiting else probe.period)
        self.cluster.verdicts.append(Verdict(now, self.name, container.name, probe.kind, passed, said, acted))

    def _passed(self, container: Container, probe: Probe) -> str:
        probe.passed()
        if probe.kind == "startup":
            container.started = True
        if probe.kind == "readiness" and not container.ready:
            container.ready = True
            self.cluster.changed()
            return "ready"
        return ""

    def _failed(self, container: Container, probe: Probe, now: float) -> str:
        if not probe.failed(now):
            return ""
        if probe.kind == "readiness":
            was, container.ready = container.ready, False
            self.cluster.changed()
            return "unready" if was else ""
        grace = float(probe.spec.get("terminationGracePeriodSeconds", self.grace))
        container.stop(now + grace)
        return "killed"

    @property
    def grace(self) -> float:
        """Seconds that it has to stop."""
        return float(self.spec.get("terminationGracePeriodSeconds", 30))

    def crash(self, container: str = "") -> None:
        """SIGKILL one container; the kubelet starts it again."""
        self.container(container).sandbox.kill()

    def kill(self, *, power: bool = True) -> None:
        """Its host is lost: every container dies at once; with ``power`` nobody is told (the cable goes first)."""
        if power:
            self.cluster.network.cut(self.name)
        self.wanted = False
        with self._lock:
            for container in self.all:
                container.sandbox.signal(signal.SIGKILL)
        self._gone()

    def delete(self) -> float:
        """Delete it as the API server's clients do: preStop, SIGTERM, sidecars last. The seconds it took; ``overran`` tells of SIGKILL."""
        began = time.monotonic()
        until = began + self.grace
        self.wanted = False
        self.cluster.changed()
        threads = [threading.Thread(target=self._stop, args=(container, until)) for container in self.containers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for container in reversed((*self.inits, *self.sidecars)):
            self._stop(container, max(until, time.monotonic() + 2))
        self._gone()
        return time.monotonic() - began

    def _stop(self, container: Container, until: float) -> None:
        if container.running and not container.stop(until):
            self.overran = True

    def _gone(self) -> None:
        for container in self.all:
            container.sandbox.wait(30)
            container.ready = False
        if self._thread is not None:
            self._thread.join(60)
        self.ip = ""
        with suppress(AssertionError):
            self.cluster.network.forget(self.name)
        self.cluster.changed()

    # What is asked of it.

    def run(self, *argv: str, container: str = "", seconds: float = 60, stdin: str = "") -> Completed:
        """A command in a container, as ``kubectl exec`` runs it."""
        done = self.container(container).sandbox.run(*argv, seconds=seconds, stdin=stdin)
        return Completed(done.returncode, done.stdout)

    def probe(self, kind: str, container: str = "") -> str | None:
        """None if the probe passes now, else what it says."""
        passed, said = self.container(container).ask(kind)
        return None if passed else said or "failed"

    def log(self, container: str = "", *, before: bool = False) -> str:
        """What a container printed since its pod started; with ``before``, in earlier pods of that name too."""
        name = container or str(self.spec["containers"][0]["name"])
        files = sorted(self.home.glob(f"{name}.*.before")) if before else []
        return "".join(f.read_text(errors="replace") for f in (*files, self.home / f"{name}.log") if f.exists())

    def restarts(self, container: str = "") -> int:
        """How often a container was started again."""
        return self.container(container).restarts


def _expand(text: str, environment: Mapping[str, str]) -> str:
    """``$(NAME)`` as Kubernetes expands it; ``$$`` escapes."""
    return re.sub(r"\$\$|\$\((\w+)\)", lambda m: "$" if m[0] == "$$" else environment.get(m[1], m[0]), text)


def _clock_of_its_own() -> list[str]:
    """What a command begins with whose wall clock is told by ``/etc/faketimerc`` (libfaketime)."""
    library = next((ROOT / "usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    preload = f"LD_PRELOAD=/{library.relative_to(ROOT)}"
    return ["env", preload, "FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_CACHE_DURATION=1"]


def _image_environment(image: str, user: int) -> dict[str, str]:
    """What kolla's images set."""
    service = image.rpartition("/")[2].partition(":")[0].partition("-")[0]
    venv = (ROOT / _VENV.lstrip("/") / "bin" / f"{service}-manage").exists()
    return {"PATH": f"{_VENV}/bin:{_PATH}" if venv else _PATH, "LANG": "C.UTF-8", "HOME": next(_homes(user), "/")}


def _homes(user: int) -> Iterator[str]:
    for line in (ROOT / "etc" / "passwd").read_text().splitlines():
        _, _, number, _, _, home, _ = line.split(":")
        if int(number) == user:
            yield home


def _quantity(text: str) -> float:
    """A Kubernetes quantity as a number."""
    match = re.fullmatch(r"([0-9.]+)(m|[kMGT]i?|)", text)
    assert match, text
    powers = {
        "": 1,
        "m": 1e-3,
        "k": 1e3,
        "M": 1e6,
        "G": 1e9,
        "T": 1e12,
        "Ki": 2**10,
        "Mi": 2**20,
        "Gi": 2**30,
        "Ti": 2**40,
    }
    return float(match[1]) * float(powers[match[2]])
