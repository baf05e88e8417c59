"""A member's pages: `/livez`, `/readyz` for the kubelet, `/metrics` for Prometheus, `/cluster` for other members."""

import http.server
import json
import os
import pathlib
import socket
import threading
from http import HTTPStatus

from raft import Failed


def metrics(member):
    """What Prometheus may know of this member."""
    kind, ready = os.environ["KIND"], member.ready() is None
    known, store = member.known, pathlib.Path(os.environ["DATA"]) / f"{os.environ['KIND']}.db"
    values = {
        "ready": int(ready),
        "leader": int(ready and known.get("role") == "leader"),
        "members": len(known.get("servers", {})),
        "term": known.get("term") or 0,
        "entries_not_committed": known.get("uncommitted") or 0,
        "entries_not_applied": known.get("unapplied") or 0,
        "election_timer_milliseconds": known.get("timer") or 0,
        "database_bytes": store.stat().st_size if store.exists() else 0,
    }
    if not member.waits:
        try:
            shown = dict(pair.split(":") for pair in member.raft.tell("memory/show").split() if pair.count(":") == 1)
            values |= {f"memory_{name.replace('-', '_')}": int(shown[name]) for name in sorted(shown)}
        except (Failed, ValueError):
            values["ready"] = 0
    return "".join(f'ovn_db_{name}{{database="{kind}"}} {value}\n' for name, value in values.items())


class _Pages(http.server.BaseHTTPRequestHandler):
    member = None

    def do_GET(self):
        code, text = self.page()
        self.send_response(code)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(text.encode())

    def page(self):
        if self.path in ("/livez", "/readyz"):
            reason = self.member.live() if self.path == "/livez" else self.member.ready()
            return (HTTPStatus.SERVICE_UNAVAILABLE, f"{reason}\n") if reason else (HTTPStatus.OK, "ok\n")
        if self.path == "/metrics":
            return HTTPStatus.OK, metrics(self.member)
        if self.path == "/cluster":
            return HTTPStatus.OK, json.dumps(self.member.cluster()) + "\n"
        return HTTPStatus.NOT_FOUND, "no such page\n"

    def log_message(self, *_):
        pass


class Pages:
    """Serve them as long as the block lasts."""

    def __init__(self, address, member):
        self.address, self.member = address, member

    def __enter__(self):
        handler = type("Handler", (_Pages,), {"member": self.member})
        server = type("Server", (http.server.ThreadingHTTPServer,), {})
        server.address_family = socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET
        self.server = server(self.address, handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
