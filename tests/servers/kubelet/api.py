"""The API server, as far as pods ask it: one Secret at a time, read and patched by whoever a Role lets do it."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.servers.kubelet.cluster import Cluster

TOKEN = "token of "
"""What a pod's token begins with; the name of its ServiceAccount follows."""

NAME = "kubernetes.default.svc"
MOUNT = "/run/secrets/kubernetes.io/serviceaccount"
"""Where it is; ``/var/run`` leads to ``/run`` in the containers, and out of them before they have their root."""

VOLUME = {
    "name": "kube-api-access",
    "projected": {
        "sources": [
            {"serviceAccountToken": {"path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt"}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
        ]
    },
}
"""What every pod has that does not decline it (``automountServiceAccountToken``)."""


@dataclass
class Metadata:
    """What the API server keeps of a Secret beside its data."""

    created: float = field(default_factory=time.time)
    version: int = 1
    annotations: dict[str, str] = field(default_factory=dict)


class ApiServer:
    """A server with TLS at the address of the Service ``kubernetes``."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.metadata: dict[str, Metadata] = {}
        self.address = cluster.network.address("kubernetes")
        issued = cluster.authority.issue(NAME, [NAME])
        certificate = cluster.home / "kubernetes.pem"
        certificate.write_text(issued["tls.crt"] + issued["tls.key"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        with cluster.network.entered("kubernetes"):
            self._server = ThreadingHTTPServer((self.address, 443), _handler(self))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.authority = issued["ca.crt"]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()

    def allowed(self, account: str, verb: str, secret: str) -> bool:
        """Whether a Role that is bound to a ServiceAccount lets it do this to a Secret."""
        bound = {
            item["roleRef"]["name"]
            for (kind, _, _), item in self.cluster.objects.items()
            if kind == "RoleBinding" and account in [subject["name"] for subject in item["subjects"]]
        }
        roles = [self.cluster.find("Role", name) for name in bound]
        rules = [rule for role in roles for rule in role["rules"] if "secrets" in rule["resources"]]
        return any(verb in rule["verbs"] and secret in rule.get("resourceNames", [secret]) for rule in rules)

    def show(self, secret: str) -> dict[str, Any]:
        """A Secret as the API has it."""
        known = self.metadata.setdefault(secret, Metadata())
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(known.created))
        about = {"name": secret, "resourceVersion": str(known.version), "annotations": known.annotations}
        data = {key: base64.b64encode(value.encode()).decode() for key, value in self.cluster.secrets[secret].items()}
        return {"kind": "Secret", "metadata": {**about, "creationTimestamp": created}, "data": data}

    def patch(self, secret: str, patch: dict[str, Any]) -> HTTPStatus:
        """Apply a merge patch (RFC 7386), if it is for the version that is there."""
        known = self.metadata.setdefault(secret, Metadata())
        if patch["metadata"].get("resourceVersion", str(known.version)) != str(known.version):
            return HTTPStatus.CONFLICT
        known.version += 1
        known.annotations |= patch["metadata"].get("annotations", {})
        changed = {key: base64.b64decode(value).decode() for key, value in patch["data"].items() if value is not None}
        left = {key: value for key, value in self.cluster.secrets[secret].items() if key not in patch["data"]}
        self.cluster.secrets[secret] = left
        self.cluster.update_secret(secret, **changed)
        return HTTPStatus.OK


def _handler(api: ApiServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("get")

        def do_PATCH(self) -> None:
            self._answer("patch")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class has it so
            """Say nothing."""

        def _answer(self, verb: str) -> None:
            secret = self.path.rpartition("/secrets/")[2]
            account = self.headers.get("Authorization", "").partition(f"Bearer {TOKEN}")[2]
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
            status = HTTPStatus.OK if api.allowed(account, verb, secret) else HTTPStatus.FORBIDDEN
            if status == HTTPStatus.OK and verb == "patch":
                status = api.patch(secret, body)
            text = json.dumps(api.show(secret) if status == HTTPStatus.OK else {"kind": "Status"}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    return Handler
