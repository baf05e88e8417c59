"""Where charts are published: a chart repository on this machine, for as long as a test needs. Registries are real: tests/servers."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


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
