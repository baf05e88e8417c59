"""A namespace or more of a cluster: rendered objects, the workloads' pods, Services, Secrets, Jobs."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import yaml

from tests.servers.kubelet.api import NAME as API_NAME
from tests.servers.kubelet.api import ApiServer
from tests.servers.kubelet.certificates import Authority
from tests.servers.kubelet.container import Verdict
from tests.servers.kubelet.names import DOMAIN, NameServer
from tests.servers.kubelet.network import NAME_SERVER, Endpoint, Network, Rule
from tests.servers.kubelet.pod import Completed, Pod
from tests.servers.kubelet.policies import chains
from tests.servers.kubelet.sandbox import ROOT, Mount

REPOSITORY = Path(__file__).parents[3]
HELM = REPOSITORY / ".venv" / "programs" / "helm4"

Object = dict[str, Any]
_WORKLOADS = ("StatefulSet", "Deployment", "DaemonSet")


def render(chart: str, instance: str, values: Mapping[str, Any], namespace: str = "openstack") -> list[Object]:
    """The objects of one instance of a chart of ours, by the helm program.

    Raises ``AssertionError`` with Helm's message if the chart refuses its values.
    """
    command = [
        str(HELM),
        "template",
        instance,
        str(REPOSITORY / "charts" / chart),
        "--namespace",
        namespace,
        "--values",
        "-",
    ]
    done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


class Cluster:
    """Objects that were applied, and the pods that they come to. Use it as a context; it leaves nothing behind."""

    def __init__(self, namespace: str = "openstack") -> None:
        self.namespace = namespace
        self.home = Path(tempfile.mkdtemp(prefix="kubelet-"))
        self.home.chmod(0o755)
        self.network = Network()
        self.names = NameServer(self.home, self.network.hub, NAME_SERVER)
        self.objects: dict[tuple[str, str, str], Object] = {}
        self.secrets: dict[str, dict[str, str]] = {}
        self.pods: dict[str, Pod] = {}
        self.verdicts: list[Verdict] = []
        self._authority: Authority | None = None
        self._api: ApiServer | None = None
        self._addresses: dict[tuple[str, str], str] = {}
        self._numbers = itertools.count(1)
        self._clients: list[subprocess.Popen[str]] = []
        self._lock = threading.RLock()
        (self.home / "resolv.conf").write_text(self.names.resolver(namespace))
        self.client_address = self.network.address("client")
        self.changed()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill everything and forget it."""
        for client in self._clients:
            client.kill()
            client.communicate()
        running = [pod for pod in self.pods.values() if pod.wanted]
        for pod in running:
            pod.wanted = False
        for pod in running:
            pod.kill(power=False)
        if self._api is not None:
            self._api.close()
        self.names.close()
        self.network.remove()
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def authority(self) -> Authority:
        """The issuer behind cert-manager's Certificates."""
        if self._authority is None:
            self._authority = Authority(self.home / "authority")
        return self._authority

    @property
    def api(self) -> ApiServer:
        """The API server, made at first use; pods with a token find it from their next start."""
        if self._api is None:
            self._api = ApiServer(self)
            about = {"name": "kube-root-ca.crt", "namespace": self.namespace}
            self.apply([{"kind": "ConfigMap", "metadata": about, "data": {"ca.crt": self._api.authority}}])
        return self._api

    @property
    def has_api(self) -> bool:
        """Whether there is one yet."""
        return self._api is not None

    # What is applied.

    def apply(self, objects: Iterable[Object]) -> None:
        """Take these objects over what was applied before.

        Pods that run keep their template until they are made anew; pods that a workload no longer wants stay until ``scale``
        or ``delete``. Secrets and Certificates are fulfilled; a Secret that exists is left as it is.
        """
        for item in objects:
            namespace = item["metadata"].get("namespace", self.namespace)
            self.objects[item["kind"], namespace, item["metadata"]["name"]] = item
            if item["kind"] == "Secret":
                self.secrets[item["metadata"]["name"]] = _secret_data(item)
            if item["kind"] == "Certificate" and item["spec"]["secretName"] not in self.secrets:
                self.secrets[item["spec"]["secretName"]] = self.authority.fulfil(item)
        for item in self.objects.values():
            if item["kind"] in _WORKLOADS:
                self._adopt(item)
        for pod in self.pods.values():
            if pod.wanted:
                pod.refresh()
        self.changed()

    def remove(self, instance: str) -> None:
        """Remove an instance: its pods are killed, its objects are gone, its volumes are kept."""
        label = "app.kubernetes.io/instance"
        for pod in [pod for pod in self.pods.values() if pod.labels.get(label) == instance]:
            if pod.wanted:
                pod.kill(power=False)
            del self.pods[pod.name]
        mine = [key for key, item in self.objects.items() if item["metadata"].get("labels", {}).get(label) == instance]
        for key in mine:
            del self.objects[key]
        self.changed()

    def _adopt(self, workload: Object) -> None:
        for pod in self._wanted(workload):
            if pod.name in self.pods:
                self.pods[pod.name].template, self.pods[pod.name].claims = pod.template, pod.claims
            else:
                self.pods[pod.name] = pod

    def _wanted(self, workload: Object) -> list[Pod]:
        name, spec = workload["metadata"]["name"], workload["spec"]
        count = 1 if workload["kind"] == "DaemonSet" else spec.get("replicas", 1)
        claims = tuple(claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", []))
        suffix = "" if workload["kind"] == "StatefulSet" else "pod-"
        template = {
            **spec["template"],
            "metadata": {
                **spec["template"]["metadata"],
                "namespace": workload["metadata"].get("namespace", self.namespace),
            },
        }
        service = spec.get("serviceName", "")
        return [
            Pod(self, f"{name}-{suffix}{n}", template, workload=name, claims=claims, service=service)
            for n in range(count)
        ]

    def find(self, kind: str, name: str) -> Object:
        """An applied object. Raises ``KeyError`` with what there is of its kind."""
        for (found, _, called), item in self.objects.items():
            if (found, called) == (kind, name):
                return item
        known = sorted(called for found, _, called in self.objects if found == kind)
        message = f"{kind} {name}; there are {known}"
        raise KeyError(message)

    def of(self, workload: str) -> list[Pod]:
        """The pods of a workload that it wants now and that there are, in order; another thread may be applying more."""
        item = next(i for (k, _, n), i in list(self.objects.items()) if k in _WORKLOADS and n == workload)
        return [self.pods[pod.name] for pod in self._wanted(item) if pod.name in self.pods]

    def update_secret(self, name: str, **data: str) -> None:
        """Change keys of a Secret (dots as in ``**{"tls.crt": ...}``); running pods see it in their files at once."""
        self.secrets[name] = {**self.secrets.get(name, {}), **data}
        for pod in self.pods.values():
            if pod.wanted:
                pod.refresh()

    # Pods in their order.

    def start(self, *workloads: str, wait: bool = True, seconds: float = 120) -> float:
        """Start the pods of these workloads (all without a name) that do not run, in their order; the seconds until all are ready."""
        began = time.monotonic()
        pods: list[Pod] = []
        for (kind, _, name), item in list(self.objects.items()):
            if kind not in _WORKLOADS or (workloads and name not in workloads):
                continue
            for pod in self.of(name):
                if not pod.wanted:
                    pod.start()
                if kind == "StatefulSet" and item["spec"].get("podManagementPolicy") != "Parallel":
                    self.await_ready(pod, seconds=seconds)
                pods.append(pod)
        if wait:
            self.await_ready(*pods, seconds=seconds)
        return time.monotonic() - began

    def await_ready(self, *pods: Pod, seconds: float = 120) -> float:
        """Wait until these pods are ready; the seconds it took. Raises ``AssertionError`` with their logs."""
        return self.until(
            lambda: all(pod.ready for pod in pods), seconds, lambda: self.report(*[p for p in pods if not p.ready])
        )

    def until(
        self, happens: Callable[[], bool], seconds: float = 120, report: Callable[[], str] | None = None
    ) -> float:
        """Wait until something is so; the seconds it took. Raises ``AssertionError`` with ``report``."""
        began = time.monotonic()
        while not happens():
            if time.monotonic() - began > seconds:
                raise AssertionError(f"not so within {seconds} s\n{report() if report else self.report()}")
            time.sleep(0.1)
        return time.monotonic() - began

    def report(self, *pods: Pod) -> str:
        """What pods say: the ends of their logs, and the last verdicts of their probes."""
        lines = []
        for pod in pods or tuple(self.pods.values()):
            lines.append(
                f"== {pod.name} {pod.ip} {'ready' if pod.ready else 'not ready' if pod.wanted else 'not running'}"
            )
            for container in pod.all:
                state = "runs" if container.running else f"ended with {container.sandbox.code}"
                lines += [
                    f"-- {container.name} {state}, restarts: {container.restarts}",
                    pod.log(container.name)[-2500:],
                ]
            lines += [str(verdict) for verdict in [v for v in self.verdicts if v.pod == pod.name and not v.passed][-3:]]
        return "\n".join(lines)

    def scale(self, workload: str) -> None:
        """Bring the pods of a StatefulSet to the number that was applied: more are started, what is too much is deleted, last first."""
        item = self.find("StatefulSet", workload)
        parallel = item["spec"].get("podManagementPolicy") == "Parallel"
        wanted = {pod.name for pod in self._wanted(item)}
        surplus = [pod for pod in self.pods.values() if pod.workload == workload and pod.name not in wanted]
        _each([pod.delete for pod in reversed(surplus) if pod.wanted], parallel=parallel)
        for pod in surplus:
            del self.pods[pod.name]
        self.start(workload)

    def roll(self, workload: str, seconds: float = 400) -> float:
        """A rolling restart as the controller does it; returns the seconds it took.

        A StatefulSet from the last member to the first, a Deployment with one more pod before one less.
        """
        began = time.monotonic()
        stateful = any(k == "StatefulSet" and n == workload for k, _, n in self.objects)
        for pod in reversed(self.of(workload)):
            if stateful:
                pod.delete()
                pod.start()
                self.await_ready(pod, seconds=seconds)
                continue
            surge = Pod(self, f"{pod.name}-surge", pod.template, workload=workload)
            self.pods[surge.name] = surge
            surge.start()
            self.await_ready(surge, seconds=seconds)
            pod.delete()
            pod.start()
            self.await_ready(pod, seconds=seconds)
            surge.delete()
            del self.pods[surge.name]
        return time.monotonic() - began

    def cut(self, pod: Pod) -> None:
        """Partition a pod away from everything."""
        self.network.cut(pod.name)

    def heal(self, pod: Pod) -> None:
        """Give it back."""
        self.network.heal(pod.name)

    # Jobs.

    def jobs(self, prefix: str = "") -> list[str]:
        """The names of the applied Jobs."""
        return [name for kind, _, name in self.objects if kind == "Job" and name.startswith(prefix)]

    def run_job(self, name: str, seconds: float = 120) -> Completed:
        """Run a Job, or a CronJob's next Job, once: the exit code of its container, and what it printed.

        The retries of ``restartPolicy: OnFailure`` are cut after the first failure.
        """
        item = next(i for (k, _, n), i in self.objects.items() if k in ("Job", "CronJob") and n == name)
        spec = item["spec"]["jobTemplate"]["spec"] if item["kind"] == "CronJob" else item["spec"]
        template = {**spec["template"], "spec": {**spec["template"]["spec"], "restartPolicy": "Never"}}
        template["metadata"] = {
            **template.get("metadata", {}),
            "namespace": item["metadata"].get("namespace", self.namespace),
        }
        pod = Pod(self, f"{name[:50]}-{next(self._numbers)}", template, workload=name)
        self.pods[pod.name] = pod
        try:
            pod.start()
            pod.done.wait(seconds)
            assert pod.done.is_set(), f"{name} took more than {seconds} s\n{self.report(pod)}"
            last = (pod.containers or pod.inits)[-1]
            log = "".join(pod.log(container.name) for container in pod.all)
            return Completed(last.sandbox.code if last.sandbox.code is not None else -1, log)
        finally:
            pod.kill(power=False)
            del self.pods[pod.name]

    # Names and Services.

    def changed(self) -> None:
        """Publish names and Services anew, after something about pods changed."""
        with self._lock:
            names, rules = self._names()
            self.network.serve(tuple(rules))
            self._restrict()
            self.names.publish(names)

    def _restrict(self) -> None:
        """Enforce the NetworkPolicies between the pods that have an address."""
        policies = [item for (kind, _, _), item in self.objects.items() if kind == "NetworkPolicy"]
        pods = [pod for pod in self.pods.values() if pod.ip]
        for pod in pods:
            self.network.restrict(pod.name, chains(pod, pods, policies).text([self.client_address, pod.ip]))

    def _names(self) -> tuple[dict[str, list[str]], list[Rule]]:
        names: dict[str, list[str]] = {}
        rules: list[Rule] = []
        if self._api is not None:
            names[f"{API_NAME}.{DOMAIN}"] = [self._api.address]
        for (kind, namespace, name), item in list(self.objects.items()):
            if kind != "Service":
                continue
            spec = item["spec"]
            behind = [
                p for p in self.pods.values() if p.ip and p.namespace == namespace and _selects(spec.get("selector"), p)
            ]
            shown = [p for p in behind if p.ready or spec.get("publishNotReadyAddresses")]
            if spec.get("clusterIP") == "None":
                self._headless(names, name, namespace, shown)
                continue
            address = self._addresses.setdefault((namespace, name), f"10.96.0.{len(self._addresses) + 1}")
            _name(names, name, namespace, address)
            rules += [self._rule(address, port, shown) for port in spec["ports"]]
        return names, rules

    @staticmethod
    def _headless(names: dict[str, list[str]], name: str, namespace: str, pods: list[Pod]) -> None:
        for pod in pods:
            _name(names, name, namespace, pod.ip)
            if pod.claims or pod.name.rpartition("-")[2].isdigit():
                _name(names, f"{pod.name}.{name}", namespace, pod.ip)

    @staticmethod
    def _rule(address: str, port: Mapping[str, Any], pods: list[Pod]) -> Rule:
        target = port.get("targetPort", port["port"])
        ends = [Endpoint(pod.ip, _port_of(pod, target)) for pod in pods]
        return Rule(address, port["port"], port.get("protocol", "TCP").lower(), tuple(ends))

    def address(self, service: str, namespace: str = "") -> str:
        """The ClusterIP of a Service."""
        self.changed()
        return self._addresses[namespace or self.namespace, service]

    # Clients.

    def client(
        self,
        *argv: str,
        inside: bool = False,
        environment: Mapping[str, str] | None = None,
        mounts: Iterable[Mount] = (),
    ) -> subprocess.Popen[str]:
        """A process in the pods' network that knows their names; ``inside`` runs the servers' own programs. stdin and stdout are pipes."""
        space = self.network.space("client")
        resolver = self.home / "resolv.conf"
        lines = [f'mount --bind "{resolver}" {f"{ROOT}/etc/resolv.conf" if inside else "/etc/resolv.conf"}']
        if inside:
            lines += [f"mount -t proc proc {ROOT}/proc", f"mount --rbind /dev {ROOT}/dev"]
            lines += [f'mount --bind "{mount.source}" {ROOT}{mount.target}' for mount in mounts]
        enter = f'exec chroot {ROOT} "$@"' if inside else 'exec "$@"'
        script = "set -e; " + "; ".join([*lines, enter])
        process = subprocess.Popen(
            ["ip", "netns", "exec", space, "unshare", "--mount", "sh", "-c", script, "client", *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **(environment or {})},
        )
        self._clients.append(process)
        return process

    def end(self, client: subprocess.Popen[str]) -> None:
        """Kill a client."""
        client.kill()
        client.communicate()
        self.ended(client)

    def ended(self, client: subprocess.Popen[str]) -> None:
        """Forget a client that has ended."""
        self._clients.remove(client)

    def call(
        self,
        *argv: str,
        inside: bool = True,
        seconds: float = 60,
        stdin: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> Completed:
        """A client that ends by itself."""
        process = self.client(*argv, inside=inside, environment=environment)
        try:
            said, _ = process.communicate(stdin, timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            return Completed(124, said)
        finally:
            self._clients.remove(process)
        return Completed(process.returncode, said)

    def verdicts_since(self, moment: float) -> str:
        """What probes said since then, in words: which pods became unready, which containers were killed."""
        found = [verdict for verdict in self.verdicts if verdict.at >= moment]
        unready = sorted({verdict.pod for verdict in found if verdict.acted == "unready"})
        killed = sorted({f"{verdict.pod}/{verdict.container}" for verdict in found if verdict.acted == "killed"})
        return f"unready: {', '.join(unready) or 'none'}; killed: {', '.join(killed) or 'none'}"

    def restarts(self) -> dict[str, int]:
        """Containers that their probes killed since the beginning, and how often."""
        killed = [f"{verdict.pod}/{verdict.container}" for verdict in self.verdicts if verdict.acted == "killed"]
        return {name: killed.count(name) for name in sorted(set(killed))}


def _each(calls: list[Callable[[], object]], *, parallel: bool) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
        if not parallel:
            thread.join()
    for thread in threads:
        thread.join()


def _secret_data(item: Object) -> dict[str, str]:
    coded = {key: base64.b64decode(value).decode() for key, value in (item.get("data") or {}).items()}
    return {**coded, **(item.get("stringData") or {})}


def _selects(selector: Mapping[str, str] | None, pod: Pod) -> bool:
    return bool(selector) and all(pod.labels.get(key) == value for key, value in (selector or {}).items())


def _name(names: dict[str, list[str]], name: str, namespace: str, address: str) -> None:
    known = names.setdefault(f"{name}.{namespace}.svc.{DOMAIN}", [])
    if address not in known:
        known.append(address)


def _port_of(pod: Pod, target: int | str) -> int:
    if isinstance(target, int):
        return target
    number = pod.port_number(target)
    assert number is not None, f"{pod.name} has no port {target}"
    return number
