"""Pods of a rendered rabbitmq chart as processes of this machine.

A small kubelet for the tests: it takes a pod template from the rendered manifests and runs its container in namespaces
of its own (network, mounts, processes, host name) over the root file system of a Debian release that has the server.
Files, environment, user, probes and hooks are the manifest's; the tests write none of them.

What a cluster would provide is provided: addresses and names of pods (a hosts file), Secrets, volumes.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[2] / "charts" / "rabbitmq"
ROOT = Path(os.environ.get("OSCOMPILE_TRIXIE", "/opt/trixie"))

# Debian 13 has RabbitMQ 4.0, where the Raft metadata store is a choice: what 4.0 switches on by itself, and that one.
FLAGS_OF_4_0 = [
    "detailed_queues_endpoint",
    "khepri_db",
    "message_containers_deaths_v2",
    "quorum_queue_non_voters",
    "rabbitmq_4.0.0",
]


def sh(*argv: str, check: bool = True, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program of this machine and keep what it says."""
    return subprocess.run(argv, check=check, text=True, capture_output=True, input=stdin)


def render(instance: str, namespace: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    """The chart's objects for one instance. Raises CalledProcessError with Helm's message if the chart refuses."""
    helm = os.environ.get("HELM_BIN", "helm")
    text = sh(
        helm, "template", instance, str(CHART), "--namespace", namespace, "--values", "-", stdin=yaml.safe_dump(values)
    ).stdout
    return [document for document in yaml.safe_load_all(text) if document]


@dataclass
class Network:
    """Pods' addresses on one bridge, in a namespace of its own. A pod can be cut off and given back."""

    name: str
    subnet: int
    addresses: dict[str, str] = field(default_factory=dict)  # pod -> address
    names: dict[str, str] = field(default_factory=dict)  # DNS name -> address
    hosts: set[Path] = field(default_factory=set)  # files that tell pods the names, also running ones

    def __post_init__(self) -> None:
        self._ip("netns", "add", self.hub)
        self._ip("-n", self.hub, "link", "add", "br0", "type", "bridge")
        self._ip("-n", self.hub, "link", "set", "br0", "up")

    @property
    def hub(self) -> str:
        """The namespace with the bridge."""
        return f"{self.name}-hub"

    def namespace(self, pod: str) -> str:
        """The network namespace of a pod."""
        return f"{self.name}-{pod}"

    @staticmethod
    def _ip(*argv: str) -> None:
        sh("ip", *argv)

    def plug(self, pod: str) -> str:
        """The address of a pod, made on first use."""
        if pod in self.addresses:
            return self.addresses[pod]
        number = len(self.addresses) + 1
        space, port = self.namespace(pod), f"p{number}"
        address = self.addresses[pod] = f"10.{self.subnet}.0.{number}"
        self._ip("netns", "add", space)
        self._ip("-n", space, "link", "set", "lo", "up")
        self._ip("link", "add", "eth0", "netns", space, "type", "veth", "peer", "name", port, "netns", self.hub)
        self._ip("-n", space, "addr", "add", f"{address}/24", "dev", "eth0")
        self._ip("-n", space, "link", "set", "eth0", "up")
        self._ip("-n", self.hub, "link", "set", port, "master", "br0")
        self._ip("-n", self.hub, "link", "set", port, "up")
        return address

    def resolve(self, name: str, address: str) -> None:
        """Let a name lead to an address, for all pods."""
        self.names[name] = address
        self.publish()

    def publish(self) -> None:
        """Tell every pod all names."""
        lines = [f"{address} {name}\n" for name, address in self.names.items()]
        for path in self.hosts:
            with path.open("w") as file:  # in place: pods have this very file mounted
                file.writelines(["127.0.0.1 localhost\n", *lines])

    def _port(self, pod: str) -> str:
        return "p" + self.addresses[pod].rsplit(".", 1)[1]

    def cut(self, pod: str) -> None:
        """Pull the cable."""
        self._ip("-n", self.hub, "link", "set", self._port(pod), "nomaster")

    def heal(self, pod: str) -> None:
        """Plug it in again."""
        self._ip("-n", self.hub, "link", "set", self._port(pod), "master", "br0")

    def remove(self) -> None:
        """Leave nothing behind."""
        for pod in self.addresses:
            sh("ip", "netns", "del", self.namespace(pod), check=False)
        sh("ip", "netns", "del", self.hub, check=False)


SETUP = r"""
set -eu
mount --make-rprivate /
mount --bind "$ROOT" "$NEW"
mount -o remount,bind,ro "$NEW"
mount -t proc proc "$NEW/proc"
mount --rbind /dev "$NEW/dev"
mount --bind "$HOSTS" "$NEW/etc/hosts"
while read -r source target mode; do
  mount --bind "$source" "$NEW$target"
  [ "$mode" = ro ] && mount -o remount,bind,ro "$NEW$target"
done < "$MOUNTS"
hostname "$POD"
exec chroot "$NEW" setpriv --reuid "$USER_ID" --regid "$GROUP_ID" --groups "$GROUP_ID" \
  --bounding-set=-all --inh-caps=-all --no-new-privs env -u ROOT -u NEW -u HOSTS -u MOUNTS -u POD -u USER_ID -u GROUP_ID "$@"
"""


class Pod:
    """One pod of a workload: its container can be started, probed, asked to stop and killed; its volume stays."""

    def __init__(self, name: str, template: dict[str, Any], instance: Instance) -> None:
        self.name, self.network, self.secrets = name, instance.network, instance.secrets
        self.spec = template["spec"]
        [self.container] = self.spec["containers"]
        self.configmaps = {
            item["metadata"]["name"]: item["data"] for item in instance.objects if item["kind"] == "ConfigMap"
        }
        self.home = instance.scratch / name
        self.home.mkdir(parents=True, exist_ok=True)
        self.address = self.network.plug(name)
        self.process: subprocess.Popen[bytes] | None = None
        self.log = self.home / "log"

    # What the kubelet prepares.

    @property
    def user(self) -> int:
        """The uid of the container."""
        return int(self.spec["securityContext"]["runAsUser"])

    @property
    def group(self) -> int:
        """The group that owns its volumes."""
        return int(self.spec["securityContext"]["fsGroup"])

    def environment(self) -> dict[str, str]:
        """The environment as the kubelet expands it."""
        found: dict[str, str] = {}
        for entry in self.container["env"]:
            if "value" in entry:
                found[entry["name"]] = re.sub(
                    r"\$\((\w+)\)", lambda match: found.get(match[1], match[0]), entry["value"]
                )
            elif "secretKeyRef" in entry["valueFrom"]:
                reference = entry["valueFrom"]["secretKeyRef"]
                found[entry["name"]] = self.secrets[reference["name"]][reference["key"]]
            else:
                assert entry["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
                found[entry["name"]] = self.name
        return {"PATH": os.environ["PATH"], **found}

    def _volume(self, name: str) -> Path:
        """The directory of one volume, filled as the kubelet does."""
        path = self.home / "volumes" / name
        source = next((volume for volume in self.spec.get("volumes", []) if volume["name"] == name), None)
        files: dict[str, str] = {}
        mode = 0o444
        if source is None:  # a claim: kept
            path.mkdir(parents=True, exist_ok=True)
        else:
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir(parents=True)
            if "configMap" in source:
                files = self.configmaps[source["configMap"]["name"]]
            elif "secret" in source:
                files, mode = self.secrets[source["secret"]["secretName"]], source["secret"].get("defaultMode", 0o644)
        for key, content in files.items():
            (path / key).write_text(content)
            (path / key).chmod(mode)
            os.chown(path / key, 0, self.group)
        os.chown(path, 0, self.group)
        path.chmod(0o2775)
        return path

    def volume(self, name: str) -> Path:
        """Where a volume is on this machine."""
        return self.home / "volumes" / name

    def start(self) -> None:
        """Start the container; its log goes on."""
        assert not self.running
        mounts = []
        for mount in self.container["volumeMounts"]:
            (ROOT / mount["mountPath"].lstrip("/")).mkdir(parents=True, exist_ok=True)
            mounts.append(
                f"{self._volume(mount['name'])} {mount['mountPath']} {'ro' if mount.get('readOnly') else 'rw'}"
            )
        mounts.sort(key=lambda line: line.split()[1])
        (self.home / "mounts").write_text("\n".join(mounts) + "\n")
        self.network.hosts.add(self.home / "hosts")
        self.network.publish()
        new = self.home / "root"
        new.mkdir(exist_ok=True)
        extra = {
            "ROOT": str(ROOT),
            "NEW": str(new),
            "HOSTS": str(self.home / "hosts"),
            "MOUNTS": str(self.home / "mounts"),
            "POD": self.name,
            "USER_ID": str(self.user),
            "GROUP_ID": str(self.group),
        }
        with self.log.open("ab") as log:
            os.fchown(log.fileno(), self.user, self.group)  # as the container runtime does
            self.process = subprocess.Popen(
                [
                    "ip",
                    "netns",
                    "exec",
                    self.network.namespace(self.name),
                    "unshare",
                    "--mount",
                    "--pid",
                    "--uts",
                    "--fork",
                    "--kill-child",
                    "bash",
                    "-c",
                    SETUP,
                    "setup",
                    *self.container["command"],
                    *self.container.get("args", []),
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**self.environment(), **extra},
                start_new_session=True,
            )

    # What happens to it.

    @property
    def running(self) -> bool:
        """Whether the container runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """Process 1 of the container, as this machine numbers it."""
        assert self.process
        while not (found := Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()):
            time.sleep(0.01)
        return int(found[0])

    def kill(self) -> None:
        """Power loss: every process of the container dies at once."""
        os.kill(self.pid, signal.SIGKILL)
        assert self.process
        self.process.wait(30)

    def terminate(self, *, hooks: bool = True) -> float:
        """Stop as the kubelet does: preStop hook, SIGTERM, and SIGKILL when the grace period is over. Returns the seconds it took."""
        assert self.process
        start = time.monotonic()
        grace = self.spec.get("terminationGracePeriodSeconds", 30)
        hook = self.container.get("lifecycle", {}).get("preStop")
        if hooks and hook:
            self.run(*hook["exec"]["command"], timeout=grace)
        os.kill(self.pid, signal.SIGTERM)
        try:
            self.process.wait(max(2, grace - (time.monotonic() - start)))
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} outlived its grace period of {grace} s") from None
        return time.monotonic() - start

    def run(self, *argv: str, timeout: float = 120, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A command inside the container, as `kubectl exec` and probes run it."""
        return subprocess.run(
            [
                "nsenter",
                "--target",
                str(self.pid),
                "--mount",
                "--pid",
                "--net",
                "--uts",
                f"--root=/proc/{self.pid}/root",
                "env",
                "--chdir=/",
                "setpriv",
                "--reuid",
                str(self.user),
                "--regid",
                str(self.group),
                "--groups",
                str(self.group),
                "--bounding-set=-all",
                "--inh-caps=-all",
                "--no-new-privs",
                *argv,
            ],
            check=False,
            text=True,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            env=self.environment(),
        )

    def probe(self, kind: str) -> str | None:
        """None if the probe passes, else its reason."""
        if not self.running:
            return "not running"
        probe = self.container[f"{kind}Probe"]
        try:
            done = self.run(*probe["exec"]["command"], timeout=probe["timeoutSeconds"])
        except subprocess.TimeoutExpired:
            return "timeout"
        return None if done.returncode == 0 else done.stdout.strip() or f"exit {done.returncode}"


class Instance:
    """One release of the chart: its members, its Secrets, its provisioning Jobs."""

    def __init__(
        self, name: str, network: Network, scratch: Path, values: dict[str, Any], namespace: str = "openstack"
    ) -> None:
        self.name, self.namespace, self.network, self.scratch = name, namespace, network, scratch / name
        self.secrets = {
            f"{name}-admin": {"password": "Adm1n-of-" + name},
            f"{name}-cookie": {"cookie": "COOKIE" + name.upper()},
        }
        self.members: list[Pod] = []
        self.clients: list[subprocess.Popen[str]] = []  # they end with the instance
        self.render(values)

    def render(self, values: dict[str, Any]) -> None:
        """Apply values: new members are added, the manifests of the others replaced (they take effect when they start)."""
        self.values = values
        self.objects = render(self.name, self.namespace, values)
        [workload] = [item for item in self.objects if item["kind"] == "StatefulSet"]
        for consumer in values.get("consumers", {}).values():
            self.secrets.setdefault(consumer["secretName"], {"password": "pw-" + consumer["username"]})
        kept = {pod.name: pod.process for pod in self.members}
        self.members = []
        for ordinal in range(workload["spec"]["replicas"]):
            pod = Pod(f"{workload['metadata']['name']}-{ordinal}", workload["spec"]["template"], self)
            pod.process = kept.get(pod.name)
            domain = f"{workload['spec']['serviceName']}.{self.namespace}.svc"
            self.network.resolve(f"{pod.name}.{domain}", pod.address)
            self.members.append(pod)
        # The client Service leads to one member that is ready; the tests' stands for the first.
        self.network.resolve(f"{self.name}-server.{self.namespace}.svc", self.members[0].address)

    def service(self, member: Pod) -> None:
        """Let the client Service lead to this member."""
        self.network.resolve(f"{self.name}-server.{self.namespace}.svc", member.address)

    def start(self, *members: Pod) -> float:
        """Start members and wait until they are ready; returns the seconds it took."""
        begin = time.monotonic()
        for member in members or self.members:
            member.start()
        self.await_ready(*members)
        return time.monotonic() - begin

    def await_ready(self, *members: Pod, seconds: float = 120) -> None:
        """Wait for readiness; a member that ends meanwhile, or takes longer, fails the test with its log."""
        waiting = list(members or self.members)
        end = time.monotonic() + seconds
        while waiting:
            waiting = [member for member in waiting if member.probe("readiness")]
            for member in waiting:
                assert member.running, f"{member.name} ended: {member.log.read_text()[-3000:]}"
                assert time.monotonic() < end, (
                    f"{member.name}: {member.probe('readiness')}: {member.log.read_text()[-3000:]}"
                )
            time.sleep(0.2)

    def jobs(self) -> list[Pod]:
        """The provisioning Jobs' pods."""
        found = [item for item in self.objects if item["kind"] == "Job"]
        return [Pod(job["metadata"]["name"], job["spec"]["template"], self) for job in found]

    def provision(self) -> dict[str, str]:
        """Run every provisioning Job once; what each said, by its consumer."""
        said = {}
        for job in self.jobs():
            job.log.unlink(missing_ok=True)
            job.start()
            assert job.process
            assert job.process.wait(120) == 0, job.log.read_text()
            said[job.environment()["USERNAME"]] = job.log.read_text().strip().splitlines()[-1]
        return said

    def api(
        self, path: str, member: Pod | None = None, method: str = "GET", user: str = "", password: str = ""
    ) -> tuple[int, str]:
        """A request to a member's management API, from inside its pod. Returns status and body."""
        user, password = user or "admin", password or self.secrets[f"{self.name}-admin"]["password"]
        port = self.values.get("ports", {}).get("management", 15672)
        code = (
            "import sys, urllib.request as u, urllib.error as e\n"
            "r = u.Request(sys.argv[1], method=sys.argv[2], headers={'Authorization': 'Basic ' + sys.stdin.read()})\n"
            "try:\n  a = u.urlopen(r, timeout=10); print(a.status, a.read().decode())\n"
            "except e.HTTPError as x: print(x.code, x.read().decode())"
        )
        done = (member or self.members[0]).run(
            "python3",
            "-c",
            code,
            f"http://localhost:{port}/api/{path}",
            method,
            stdin=b64encode(f"{user}:{password}".encode()).decode(),
        )
        status, _, body = done.stdout.partition(" ")
        return int(status), body.strip()

    def stop(self) -> None:
        """Kill what runs."""
        for member in self.members:
            if member.running:
                member.kill()
        for client in self.clients:
            client.kill()
            client.communicate()
