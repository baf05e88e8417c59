"""A member's pages: whether it lives, whether it may have clients, and what its volume holds, for the other members."""

import json
import os
import ssl
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cluster

PORT = int(os.environ["AGENT_PORT"])
FRESH_SECONDS = 10


class Pages:
    """Serve them from now on. `held` says what the volume holds; `guard` is there once the server is started."""

    def __init__(self, held):
        self.held, self.guard, self.reason = held, None, "starting"
        handler = type("Handler", (Handler,), {"pages": self})
        server = ThreadingHTTPServer((os.environ["LISTEN"], PORT), handler)
        self.context = None
        if cluster.TLS:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.certify()
            server.socket = self.context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def certify(self):
        """Take the certificates as they are now."""
        if self.context:
            self.context.load_cert_chain(cluster.TLS / "tls.crt", cluster.TLS / "tls.key")

    def wait_as(self, reason):
        """Say once why this member waits."""
        if reason != self.reason:
            self.reason = reason
            cluster.say("start", reason)

    def live(self):
        """Nobody else is asked; a server that is busy with loading, or has no primary, is alive."""
        if self.guard is None or not self.guard.served:
            return None
        try:
            with cluster.Connection("localhost", cluster.SERVER, account="", seconds=4) as server:
                server.call("PING")
        except cluster.Refused:
            return None
        except OSError as error:
            return f"the server does not answer: {error}"
        return None

    def ready(self):
        """Whether this member can do its part: take writes as the primary, hold what the primary has as a replica."""
        if self.guard is None:
            return self.reason
        if time.monotonic() - self.guard.looked > FRESH_SECONDS:
            return "the server was not asked lately"
        return self.guard.reason

    def ask(self, host):
        """What another member's volume holds (`record`: an empty list for nothing), and which primary it `left`."""
        scheme = "https" if cluster.TLS else "http"
        context = cluster.trust() if cluster.TLS else None
        with urllib.request.urlopen(f"{scheme}://{host}:{PORT}/record", timeout=3, context=context) as answer:
            return json.load(answer)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    timeout = 10

    def do_GET(self):
        if self.path == "/record":
            left = self.pages.guard.left if self.pages.guard else None
            self.answer(200, json.dumps({"record": self.pages.held() or [], "left": left}))
        elif self.path in ("/livez", "/readyz"):
            reason = self.pages.live() if self.path == "/livez" else self.pages.ready()
            self.answer(503 if reason else 200, reason or "ok")
        else:
            self.answer(404, "no such page")

    def answer(self, code, text):
        self.send_response(code)
        self.end_headers()
        self.wfile.write(f"{text}\n".encode())

    def log_message(self, *_):
        pass
