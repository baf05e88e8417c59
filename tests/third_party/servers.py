"""Where charts are published: a chart repository and an OCI registry, on this machine, for as long as a test needs."""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

_CONFIG: Final = "application/vnd.cncf.helm.config.v1+json"
_CHART: Final = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"


class _QuietFiles(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _serving(server: ThreadingHTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def chart_repository(directory: Path, helm: Path) -> Iterator[str]:
    """Serve the archives in ``directory``, with the index that the real ``helm repo index`` makes of them."""
    subprocess.run([str(helm), "repo", "index", str(directory)], check=True, capture_output=True)
    handler = partial(_QuietFiles, directory=str(directory))
    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as address:
        yield f"http://{address}"


@contextmanager
def registry(charts: Mapping[str, bytes]) -> Iterator[str]:
    """Serve ``charts`` (``<folder>/<name>:<version>`` to archive) by the pull half of the OCI distribution protocol."""
    objects = dict(_objects(charts))

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            kind, content = objects.get(self.path, ("application/json", b""))
            self.send_response(200 if self.path in objects else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Docker-Content-Digest", _digest(content))
            self.end_headers()
            if with_body:
                self.wfile.write(content)

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as address:
        yield f"oci://{address}"


def _objects(charts: Mapping[str, bytes]) -> Iterator[tuple[str, tuple[str, bytes]]]:
    yield "/v2/", ("application/json", b"{}")
    for reference, archive in charts.items():
        name, _, tag = reference.partition(":")
        config = json.dumps({"name": name.rpartition("/")[2], "version": tag, "apiVersion": "v2"}).encode()
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": _MANIFEST,
                "config": {"mediaType": _CONFIG, "digest": _digest(config), "size": len(config)},
                "layers": [{"mediaType": _CHART, "digest": _digest(archive), "size": len(archive)}],
            }
        ).encode()
        yield f"/v2/{name}/tags/list", ("application/json", json.dumps({"name": name, "tags": [tag]}).encode())
        for place in (tag, _digest(manifest)):
            yield f"/v2/{name}/manifests/{place}", (_MANIFEST, manifest)
        for blob in (config, archive):
            yield f"/v2/{name}/blobs/{_digest(blob)}", ("application/octet-stream", blob)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
