"""A small kubelet: runs the pods of a rendered mariadb chart as processes on loopback addresses.

Everything comes from the rendered manifests: commands, environment, files, probes and hooks. What differs from a pod is
only where things are: each mount is a directory of its own, each pod has an address of its own in 127.0.0.0/8, and names of
Services stand for the addresses behind them. As under a kubelet, a container that ends is started again.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

CHART = Path(__file__).parents[2] / "charts" / "mariadb"
NAMESPACE = "openstack"

# A machine of a test is smaller than a host; nothing else of the chart's behaviour is changed.
SMALL = {
    "server": {"bufferPool": "64Mi", "redoLog": "48Mi", "maxConnections": 200},
    "galera": {"cache": "64Mi"},
    "recovery": {"patienceSeconds": 15, "stepBackSeconds": 5},
    "drain": {"seconds": 40, "handOverSeconds": 2},
    "proxy": {"replicas": 2, "lameDuckSeconds": 1, "drainSeconds": 2},
}


def merged(low: dict[str, Any], high: dict[str, Any]) -> dict[str, Any]:
    """Values laid over values."""
    both = dict(low)
    for key, value in high.items():
        both[key] = merged(both[key], value) if isinstance(value, dict) and isinstance(both.get(key), dict) else value
    return both


def render(instance: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    """The manifests of one instance."""
    helm = os.environ.get("HELM_BIN") or shutil.which("helm") or "helm"
    command = [helm, "template", instance, str(CHART), "--namespace", NAMESPACE, "--values", "-"]
    done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=True)
    return [d for d in YAML(typ="safe").load_all(done.stdout) if d]


class Container:
    """One container of one pod: a process that is started again when it ends."""

    def __init__(self, pod: Pod, spec: dict[str, Any]) -> None:
        self.pod, self.spec, self.name = pod, spec, spec["name"]
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        mounts = {m["mountPath"]: pod.volume(m["name"]) for m in spec.get("volumeMounts", [])}
        self.paths = sorted(((k, v) for k, v in mounts.items() if k != "/tmp"), key=lambda kv: -len(kv[0]))
        env = {item["name"]: pod.value(item) for item in spec.get("env", [])}
        self.env = {
            name: self.here(re.sub(r"\$\((\w+)\)", lambda m: env.get(m[1], m[0]), v)) for name, v in env.items()
        }

    def here(self, text: str) -> str:
        """The text with every path of a mount, and every name of a Service, replaced by what stands for it here."""
        for path, place in self.paths:
            text = re.sub(re.escape(path) + r"(?=/|$|;)", str(place), text)
        for name, address in self.pod.cluster.names.items():
            text = text.replace(name, address)
        return text

    def command(self, command: list[str]) -> list[str]:
        """The command as the container's user runs it, paths and names replaced."""
        words = [re.sub(r"\$\((\w+)\)", lambda m: self.env.get(m[1], m[0]), self.here(str(w))) for w in command]
        user = self.pod.cluster.user_of(self.pod.component)
        return ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--", *words]

    def run(self, command: list[str], timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """`kubectl exec`, as probes and hooks do it."""
        return subprocess.run(
            self.command(command), env=self.environment(), capture_output=True, text=True, timeout=timeout, check=False
        )

    def environment(self) -> dict[str, str]:
        """The container's environment and nothing of the test's."""
        return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", **self.env}

    def start(self) -> None:
        """Start its process."""
        self.starts += 1
        with (self.pod.root / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(self.spec["command"]),
                env=self.environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def alive(self) -> bool:
        """Whether its first process runs."""
        return self.process is not None and self.process.poll() is None

    def signal(self, number: int) -> None:
        """To the whole container for SIGKILL, as the kernel does when its first process ends; else to the first process."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                (os.killpg if number == signal.SIGKILL else os.kill)(self.process.pid, number)

    def wait(self, seconds: float) -> bool:
        """Whether its first process ended in time."""
        try:
            assert self.process
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def probe(self, which: str) -> bool:
        """The verdict of one probe, asked once as the kubelet would."""
        probe = self.spec[f"{which}Probe"]
        if "exec" in probe:
            try:
                return self.run(probe["exec"]["command"], probe.get("timeoutSeconds", 1)).returncode == 0
            except subprocess.TimeoutExpired:
                return False
        port = next(p["containerPort"] for p in self.spec["ports"] if p["name"] == probe["httpGet"]["port"])
        url = f"http://{self.pod.address}:{port}{probe['httpGet']['path']}"
        return subprocess.run(["curl", "-fsS", "-m", "2", "-o", "/dev/null", url], check=False).returncode == 0


class Pod:
    """A pod on an address; its volume outlives it."""

    def __init__(self, cluster: Cluster, workload: dict[str, Any], name: str, address: str) -> None:
        self.cluster, self.name, self.address = cluster, name, address
        self.component = workload["metadata"]["labels"]["app.kubernetes.io/component"]
        self.root = cluster.root / name
        self.root.mkdir(exist_ok=True)
        self.spec = workload["spec"]["template"]["spec"]
        self.claims = {c["metadata"]["name"] for c in workload["spec"].get("volumeClaimTemplates", [])}
        self.wanted = False
        self.containers: list[Container] = []
        self.lock = threading.RLock()

    def volume(self, name: str) -> Path:
        """The directory that stands for a volume, filled as the kubelet fills it."""
        place = self.root / name
        if place.exists():
            return place
        source: dict[str, Any] = next((v for v in self.spec.get("volumes", []) if v["name"] == name), {})
        place.mkdir(mode=0o755)
        if "configMap" in source:
            for file, text in self.cluster.find("ConfigMap", source["configMap"]["name"])["data"].items():
                (place / file).write_text(text)
        for projected in source.get("projected", {}).get("sources", []):
            for item in projected["secret"]["items"]:
                (place / item["path"]).write_text(self.cluster.secret(projected["secret"]["name"], item["key"]))
        shutil.chown(place, self.cluster.user_of(self.component))
        return place

    def value(self, item: dict[str, Any]) -> str:
        """The value of one environment variable."""
        if "value" in item:
            return str(item["value"])
        source = item["valueFrom"]
        if "fieldRef" in source:
            return {"metadata.name": self.name, "status.podIP": self.address}[source["fieldRef"]["fieldPath"]]
        return self.cluster.secret(source["secretKeyRef"]["name"], source["secretKeyRef"]["key"])

    def container(self, name: str) -> Container:
        """One of its containers."""
        return next(c for c in self.containers if c.name == name)

    def start(self) -> None:
        """What the kubelet does with a new pod."""
        with self.lock:
            for name in {v["name"] for v in self.spec["volumes"]} - self.claims:  # these go with the pod
                shutil.rmtree(self.root / name, ignore_errors=True)
            self.containers = [
                Container(self, s) for s in [*self.spec.get("initContainers", []), *self.spec["containers"]]
            ]
            self.wanted = True
            for container in self.containers:
                log = self.root / f"{container.name}.log"
                if log.exists():
                    log.rename(log.with_suffix(f".{time.time_ns()}.log"))
                container.start()

    def keep(self) -> None:
        """What the kubelet does all the time: a container that ended is started again."""
        with self.lock:
            for container in self.containers if self.wanted else ():
                if not container.alive():
                    container.signal(signal.SIGKILL)  # what is left of the container
                    container.start()

    def kill(self, *, host: bool = True) -> None:
        """SIGKILL: the whole host, or only the main container, which the kubelet then starts again."""
        with self.lock:
            if host:
                self.wanted = False
                for container in self.containers:
                    container.signal(signal.SIGKILL)
                for container in self.containers:
                    container.wait(10)
            else:
                self.containers[-1].signal(signal.SIGKILL)

    def stop(self, grace: float | None = None) -> float:
        """What the kubelet does with a deleted pod: preStop, SIGTERM, and sidecars last. The seconds it took."""
        self.wanted = False
        began = time.monotonic()
        grace = grace or self.spec["terminationGracePeriodSeconds"]
        main = self.containers[-1]
        with contextlib.suppress(subprocess.TimeoutExpired):
            main.run(main.spec["lifecycle"]["preStop"]["exec"]["command"], grace)
        main.signal(signal.SIGTERM)
        if not main.wait(max(1, grace - (time.monotonic() - began))):
            main.signal(signal.SIGKILL)
        for container in reversed(self.containers):
            container.signal(signal.SIGKILL)
            container.wait(10)
        return time.monotonic() - began

    def empty(self) -> None:
        """A new, empty volume."""
        for claim in self.claims:
            shutil.rmtree(self.root / claim, ignore_errors=True)

    def log(self, name: str = "server") -> str:
        """What a container printed since its pod started."""
        return (self.root / f"{name}.log").read_text(errors="replace")


class Cluster:
    """One instance of the chart: its members and proxies. `net` keeps instances apart: members are 127.0.<net>.1, .2, ..."""

    def __init__(self, instance: str, members: int, net: int, values: dict[str, Any] | None = None) -> None:
        self.instance, self.net = instance, net
        self.root = Path(tempfile.mkdtemp(prefix=f"mariadb-{instance}-", dir=os.environ.get("SERVERS_DIR")))
        self.root.chmod(0o755)
        self.addresses = [f"127.0.{net}.{i + 1}" for i in range(members)]
        given = {"replicas": members, "network": {"members": self.addresses}}
        self.values = merged(merged(SMALL, given), values or {})
        self.secrets: dict[str, dict[str, str]] = {}
        self.manifests = render(instance, self.values)
        self.names = {f"{instance}-proxy.{NAMESPACE}.svc": f"127.0.{net}.101"}
        server, proxy = self.find("StatefulSet", f"{instance}-server"), self.find("Deployment", f"{instance}-proxy")
        assert server["spec"]["podManagementPolicy"] == "Parallel"
        self.members = [Pod(self, server, f"{instance}-server-{i}", a) for i, a in enumerate(self.addresses)]
        self.proxies = [
            Pod(self, proxy, f"{instance}-proxy-{i}", f"127.0.{net}.{101 + i}")
            for i in range(proxy["spec"]["replicas"])
        ]
        self.running = True
        self.kubelet = threading.Thread(target=self._keep, daemon=True)
        self.kubelet.start()

    def user_of(self, component: str) -> str:
        """The user that stands for kolla's."""
        return "haproxy" if component == "proxy" else "mysql"

    def find(self, kind: str, name: str) -> dict[str, Any]:
        """One manifest."""
        return next(d for d in self.manifests if d["kind"] == kind and d["metadata"]["name"] == name)

    def secret(self, name: str, key: str) -> str:
        """A value of a Secret: made up at first sight, with characters that need quoting."""
        return self.secrets.setdefault(name, {}).setdefault(key, f'{name}\'s "{key}" \\ 1')

    def reconfigure(self, values: dict[str, Any]) -> None:
        """Render again; pods have it from their next start."""
        self.values = merged(self.values, values)
        self.manifests = render(self.instance, self.values)
        for pod in [*self.members, *self.proxies]:
            kind, suffix = ("Deployment", "proxy") if pod.component == "proxy" else ("StatefulSet", "server")
            pod.spec = self.find(kind, f"{self.instance}-{suffix}")["spec"]["template"]["spec"]

    def _keep(self) -> None:
        while self.running:
            for pod in [*self.members, *self.proxies]:
                pod.keep()
            time.sleep(0.3)

    def start(self) -> None:
        """Start every pod that does not run, all at once."""
        for pod in [*self.proxies, *self.members]:
            if not pod.wanted:
                pod.start()

    def close(self) -> None:
        """Kill everything and forget it."""
        self.running = False
        self.kubelet.join()
        for pod in [*self.members, *self.proxies]:
            pod.kill()
        if not os.environ.get("SERVERS_KEEP"):
            shutil.rmtree(self.root, ignore_errors=True)

    def ready(self) -> list[int]:
        """Members that the rendered readiness probe calls ready."""
        return [i for i, m in enumerate(self.members) if m.wanted and m.container("server").probe("readiness")]

    def wait_ready(self, wanted: list[int] | None = None, seconds: float = 120) -> float:
        """Until all (or exactly the wanted) members are ready; the seconds it took."""
        wanted = wanted if wanted is not None else [i for i, m in enumerate(self.members) if m.wanted]
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if (found := self.ready()) == wanted:
                return time.monotonic() - began
            time.sleep(0.3)
        tails = "\n".join(f"== {m.name}\n{m.log()[-3000:]}\n-- agent\n{m.log('agent')[-500:]}" for m in self.members)
        raise AssertionError(f"ready: {found}, wanted: {wanted} after {seconds} s\n{tails}")

    def wait_said(self, ordinal: int, text: str, seconds: float = 60) -> None:
        """Until a member's log has a text."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if text in self.members[ordinal].log():
                return
            time.sleep(0.3)
        raise AssertionError(
            f"{self.members[ordinal].name} never said {text!r}:\n{self.members[ordinal].log()[-3000:]}"
        )

    def state(self, ordinal: int) -> dict[str, Any]:
        """What the member's agent reports."""
        done = subprocess.run(
            ["curl", "-sS", "-m", "2", f"http://{self.addresses[ordinal]}:4569/state"], capture_output=True, check=True
        )
        return dict(json.loads(done.stdout))

    def sql(self, ordinal: int, statement: str) -> list[tuple[Any, ...]]:
        """Over the member's own socket, as its own user."""
        client = [
            "mariadb",
            "--no-defaults",
            f"--socket={self.members[ordinal].root}/run/mariadb.sock",
            "-BNe",
            statement,
        ]
        done = subprocess.run(
            ["setpriv", "--reuid", "mysql", "--regid", "mysql", "--clear-groups", *client],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return [tuple(line.split("\t")) for line in done.stdout.splitlines()]

    def provision(self) -> list[subprocess.CompletedProcess[str]]:
        """Run every Job of the manifests once."""
        done = []
        for job in (d for d in self.manifests if d["kind"] == "Job"):
            pod = Pod(self, job, job["metadata"]["name"], f"127.0.{self.net}.200")
            container = Container(pod, job["spec"]["template"]["spec"]["containers"][0])
            done.append(container.run(container.spec["command"], 120))
        return done


def consumer(name: str, **more: str) -> dict[str, Any]:
    """Values of one consumer."""
    entry = {
        "instance": name,
        "namespace": NAMESPACE,
        "chart": "example",
        "requirement": "database",
        "interface": "mysql",
    }
    return {f"{name}-database": {**entry, "database": name, "username": name, "secretName": f"{name}-database", **more}}


class Session:
    """One connection to the proxies, held by the servers' own client program."""

    def __init__(self, host: str, user: str, password: str) -> None:
        options = [
            "--no-defaults",
            "--protocol=tcp",
            f"--host={host}",
            "--port=3306",
            f"--user={user}",
            f"--database={user}",
        ]
        self.client = subprocess.Popen(
            ["mariadb", *options, "--batch", "--skip-column-names", "--unbuffered", "--connect-timeout=2"],
            env={**os.environ, "MYSQL_PWD": password},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )

    def run(self, statement: str, seconds: float = 10) -> None:
        """Return when the server has acknowledged the statement; raises ConnectionError when it has not."""
        client = self.client
        assert client.stdin
        assert client.stdout
        assert client.stderr
        with contextlib.suppress(BrokenPipeError):
            client.stdin.write(f"{statement}; SELECT 'done';\n".encode())
        readable, _, _ = select.select([client.stdout], [], [], seconds)
        if not readable:
            raise ConnectionError(f"no answer within {seconds} s")
        if client.stdout.readline() != b"done\n":
            raise ConnectionError(client.stderr.read().decode().strip())

    def close(self) -> None:
        """Give the connection up, whatever it does."""
        self.client.kill()
        self.client.communicate()


class Writer:
    """A client that writes one row after another through the proxies, and keeps what was acknowledged."""

    def __init__(self, cluster: Cluster, user: str, table: str = "written") -> None:
        self.cluster, self.user, self.table = cluster, user, table
        self.acknowledged: list[int] = []
        self.times: list[float] = []
        self.errors: list[str] = []
        self.stopping = threading.Event()
        session = self.connect()
        session.run(f"CREATE TABLE {table} (id BIGINT PRIMARY KEY, at TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP(3))")
        session.close()
        self.thread = threading.Thread(target=self._write, daemon=True)
        self.thread.start()

    def connect(self) -> Session:
        """Through another proxy each time, as the Service would."""
        proxies = [p for p in self.cluster.proxies if p.wanted]
        password = self.cluster.secret(f"{self.user}-database", "password")
        return Session(proxies[len(self.errors) % len(proxies)].address, self.user, password)

    def _write(self) -> None:
        session, number = self.connect(), 0
        while not self.stopping.is_set():
            number += 1
            try:
                session.run(f"INSERT INTO {self.table} (id) VALUES ({number})")  # noqa: S608
                self.acknowledged.append(number)
                self.times.append(time.monotonic())
                time.sleep(0.004)
            except ConnectionError as error:
                self.errors.append(str(error))
                session.close()
                time.sleep(0.1)
                session = self.connect()
        session.close()

    def stop(self) -> None:
        """Write no more."""
        self.stopping.set()
        self.thread.join(30)

    def longest_gap(self) -> float:
        """Seconds between two acknowledged writes, at worst."""
        return max((b - a for a, b in itertools.pairwise(self.times)), default=0.0)

    def lost(self, ordinal: int) -> set[int]:
        """Acknowledged rows that a member does not have."""
        rows = self.cluster.sql(ordinal, f"SELECT id FROM {self.user}.{self.table}")  # noqa: S608
        return set(self.acknowledged) - {int(row[0]) for row in rows}

    def verdict(self, ordinals: list[int]) -> dict[str, Any]:
        """What was written, lost (worst of the members) and how long nothing could be written."""
        lost = max(len(self.lost(o)) for o in ordinals)
        gap = round(self.longest_gap(), 1)
        return {"acknowledged": len(self.acknowledged), "failed": len(self.errors), "lost": lost, "gap": gap}
