"""A site of two keystones on one database and one cache, compiled as any site is, on the tests' cluster."""

from __future__ import annotations

import base64
import http.client
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compiler.pipeline import Request, compile_site
from compiler.pipeline import secrets as needs
from tests.conftest import ROOT, World, copy_tree
from tests.servers.galera import rows
from tests.servers.kubelet import Cluster, Completed, Pod
from tests.servers.writers import Ledger, writing

SITE = """
apiVersion: oscompile/v1alpha1
kind: Environment
metadata: {name: servers}
kubernetes: {version: "1.35"}
site: {release: "2026.1", region: RegionOne}
secrets: {backend: external-secrets, store: vault}
delivery: {output: rendered/servers, repository: {url: https://git.example.org/servers.git}, argocd: {}}
defaults:
  keystone:
    replicas: {api: 2}
    probes:
      startup: {timeoutSeconds: 30, failureThreshold: 300}
      readiness: {timeoutSeconds: 30}
      liveness: {timeoutSeconds: 30}
    conf: {uwsgi: {processes: 2}}
    database: {contract: true, answerSeconds: 5}
instances:
  mariadb:
    chart: mariadb
    values:
      tls: {enabled: true}
      server: {bufferPool: 64Mi, redoLog: 48Mi, maxConnections: 200}
      galera: {cache: 64Mi}
      proxy: {replicas: 2}
      probes: {readiness: {timeoutSeconds: 30}, liveness: {timeoutSeconds: 30}}
  memcached:
    chart: memcached
    values: {memory: 64, probes: {readiness: {timeoutSeconds: 30}, liveness: {timeoutSeconds: 30}}}
  keystone: {chart: keystone}
  keystone-other: {chart: keystone}
"""
"""The database speaks TLS. Whatever else differs from the defaults makes it fit a small, busy machine: less memory, probes that wait longer for a turn on
the processor. Three members of each data service stay."""

SINCE = "oscompile.io/keys-since"
"""Where the rotation keeps when each key took its role."""

NAMES = ("keystone", "keystone-other")


class Site:
    """The site: its objects, the Secrets that its store would hold, and what is asked of a keystone."""

    def __init__(self, cluster: Cluster, directory: Path) -> None:
        self.cluster = cluster
        assert cluster.api
        world = World(directory).write({"environments/servers/environment.yaml": SITE})
        copy_tree(ROOT / "charts", directory / "charts")
        request = Request("servers", world.root, cached=False, jobs=1)
        compiled = compile_site(request)
        values: dict[str, dict[str, str]] = {}
        for need in needs(request):
            made = {key: _made(spec.generate) for key, spec in need.spec.keys.items()}
            cluster.secrets[need.name] = values.setdefault(need.path, made)
        cluster.apply([manifest.data() for bundle in compiled.bundles for manifest in bundle.manifests])

    def job(self, instance: str, component: str) -> Completed:
        """Run the Job of a component, which is called by it and a digest."""
        found = [
            name
            for name in self.cluster.jobs(f"{instance}-{component}-")
            if len(name) == len(f"{instance}-{component}-") + 10
        ]
        assert len(found) == 1, found
        return self.cluster.run_job(found[0], seconds=600)

    def provision(self) -> list[Completed]:
        """Run the Jobs that prepare the databases of both keystones."""
        return [self.cluster.run_job(name, seconds=600) for name in self.cluster.jobs("mariadb-provision")]

    def writer(self) -> Pod | None:
        """The database member that the keystones are connected to; None if that is not one."""
        ask = "SELECT COUNT(*) FROM information_schema.processlist WHERE user LIKE 'keystone%'"
        members = [member for member in self.cluster.of("mariadb-server") if member.ready]
        found = [member for member in members if rows(member, ask) != [("0",)]]
        return found[0] if len(found) == 1 else None

    def keystone(self, instance: str = "keystone") -> Keystone:
        """A client of one keystone, as its administrator."""
        return Keystone(self, instance)


class AnsweredNothingError(OSError):
    """A pod closed the connection without an answer; says what the pods say."""


@dataclass(frozen=True)
class Answer:
    """What the API answered."""

    status: int
    token: str
    body: Mapping[str, Any]


class Keystone:
    """One keystone through its Service."""

    def __init__(self, site: Site, instance: str) -> None:
        self.site, self.cluster, self.instance = site, site.cluster, instance
        self.password = site.cluster.secrets[f"{instance}-admin"]["password"]

    @property
    def pods(self) -> list[Pod]:
        """The pods of its API."""
        return self.cluster.of(f"{self.instance}-api")

    def ask(
        self, method: str, path: str, body: object = None, token: str = "", pod: Pod | None = None, **headers: str
    ) -> Answer:
        """One request, through the Service or to one pod. Raises ``OSError`` and ``http.client.HTTPException``."""
        host = pod.ip if pod else self.cluster.address(f"{self.instance}-api")
        with self.cluster.network.entered():
            connection = http.client.HTTPConnection(host, 5000, timeout=60)
            connection.connect()
        sent = {"Content-Type": "application/json", **({"X-Auth-Token": token} if token else {}), **headers}
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, sent)
            answer = connection.getresponse()
            text = answer.read()
            return Answer(answer.status, answer.headers.get("X-Subject-Token", ""), json.loads(text) if text else {})
        except http.client.RemoteDisconnected as error:
            raise AnsweredNothingError(self.cluster.report(*self.pods)) from error
        finally:
            connection.close()

    def issue(self, pod: Pod | None = None) -> Answer:
        """A token of the administrator."""
        user = {"name": "admin", "domain": {"id": "default"}, "password": self.password}
        scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
        identity = {"methods": ["password"], "password": {"user": user}}
        return self.ask("POST", "/v3/auth/tokens", {"auth": {"identity": identity, "scope": scope}}, pod=pod)

    def token(self) -> str:
        """A token, of a keystone that issues some."""
        answer = self.issue()
        assert answer.status == 201, answer
        return answer.token

    def valid(self, token: str, pod: Pod | None = None) -> bool:
        """Whether a token is valid, as the administrator is told who asks with the token itself."""
        return self.ask("GET", "/v3/auth/tokens", token=token, pod=pod, **{"X-Subject-Token": token}).status == 200

    def refuses(self, token: str, pod: Pod) -> bool:
        """Whether a pod answers that a token is not valid; a request that was under way when its clock jumped has no answer."""
        try:
            return not self.valid(token, pod)
        except AnsweredNothingError:
            return False

    def names(self, kind: str) -> set[str]:
        """The names of all its users, or projects, or services."""
        return {entry["name"] for entry in self.ask("GET", f"/v3/{kind}", token=self.token()).body[kind]}

    @contextmanager
    def logging_in(self) -> Iterator[Ledger]:
        """Logins one after another, as long as the block lasts."""

        def login(_number: int) -> bool:
            try:
                return self.issue().status == 201
            except http.client.HTTPException as error:
                raise OSError(str(error)) from error

        with writing(login, pause=0.05) as ledger:
            yield ledger

    def rotate(self, which: str, after: float) -> list[str]:
        """Run the CronJob that rotates the keys ``fernet`` or ``credential``, ``after`` so many seconds; the keys' numbers.

        Time passes for the Secret: it, and what the last run wrote down, become that much older.
        """
        secret = f"{self.instance}-{which}"
        self.cluster.api.show(secret)
        about = self.cluster.api.metadata[secret]
        about.created -= after
        since = json.loads(about.annotations.get(SINCE, "{}"))
        about.annotations[SINCE] = json.dumps({number: at - after for number, at in since.items()})
        done = self.cluster.run_job(f"{secret}-rotate", seconds=600)
        assert done.code == 0, done.log
        return sorted(self.cluster.secrets[secret])

    def forget(self) -> None:
        """Let the caches forget what they hold, as they do when its time is over."""
        for member in self.cluster.of("memcached-server"):
            member.kill(power=False)
        self.cluster.start("memcached-server", seconds=600)

    def keep(self, blob: str) -> str:
        """Store a credential of the administrator, which keystone encrypts; its identity."""
        answer = self.issue()
        user = answer.body["token"]["user"]["id"]
        body = {"credential": {"type": "note", "blob": blob, "user_id": user}}
        made = self.ask("POST", "/v3/credentials", body, token=answer.token)
        assert made.status == 201, made
        return str(made.body["credential"]["id"])

    def kept(self, credential: str, pod: Pod) -> str:
        """What a pod reads of a credential."""
        answer = self.ask("GET", f"/v3/credentials/{credential}", token=self.token(), pod=pod)
        assert answer.status == 200, answer
        return str(answer.body["credential"]["blob"])


def _made(kind: str) -> str:
    """A value as a site's store would hold it."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode() if kind == "fernet" else secrets.token_urlsafe(24)
