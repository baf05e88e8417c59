"""The member's own voice: says over HTTP what this member holds and does, for its peers, the proxies and its probes.

It also does the few things that need the running server: opens it for writes once it stands in a majority, keeps the
passwords of the chart's own accounts equal to their Secrets, and lets a server without a quorum step back when others
wait for its vote.
"""

import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import member

ACCOUNTS = pathlib.Path(os.environ["ACCOUNTS"])
STEP_BACK_AFTER = float(os.environ["STEP_BACK_SECONDS"])
SILENT_AFTER = 15.0  # seconds: start.py says that it waits twice a second
CHECK_ACCOUNTS = 60.0  # seconds
STATUS = (
    "wsrep_connected",
    "wsrep_cluster_status",
    "wsrep_cluster_state_uuid",
    "wsrep_local_state_comment",
    "wsrep_ready",
    "wsrep_cluster_size",
    "wsrep_local_index",
    "wsrep_last_committed",
)
NOBODY = {
    "phase": "down",
    "beat": 0,
    "action": "",
    "choice": None,
    "reason": "",
    "data": False,
    "seqno": -1,
    "view_seqno": -1,
    "view": [],
}

# The administrator is for the Jobs of this chart. It cannot write to a member that is closed to writes.
# `monitor` sees the server's state, no data.
GRANTS = {
    "root": "GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;"
    "REVOKE READ ONLY ADMIN ON *.* FROM 'root'@'%';",
    "monitor": "GRANT PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.* TO 'monitor'@'%' WITH MAX_USER_CONNECTIONS 3;",
}


class Member:
    """The last look at the server, and what follows from it."""

    def __init__(self):
        self.status, self.open, self.seen = {}, False, 0.0
        self.lock = threading.Lock()
        self.out_since = None
        self.checked = {}
        self.context, self.certified = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), 0.0

    def look(self, age=0.0):
        """Ask the server, unless the last answer is younger than `age` seconds."""
        with self.lock:
            if time.monotonic() - self.seen < age:
                return
            try:
                rows = member.sql("SHOW GLOBAL STATUS LIKE 'wsrep\\_%'; SHOW GLOBAL VARIABLES LIKE 'read_only';")
                status = {name: "".join(value) for name, *value in rows}
                self.open = status.get("read_only") == "OFF"
                self.status = {name: status.get(name, "") for name in STATUS}
            except (subprocess.SubprocessError, OSError):
                self.status, self.open = {}, False
            self.seen = time.monotonic()

    @property
    def serving(self):
        """In a primary component, whatever it does there."""
        return self.status.get("wsrep_cluster_status") == "Primary" and self.status.get("wsrep_ready") == "ON"

    @property
    def synced(self):
        return self.serving and self.status.get("wsrep_local_state_comment") == "Synced"

    @property
    def ready(self):
        """Takes its full part."""
        return self.synced and self.open and not member.LEAVING.exists()

    @property
    def writable(self):
        """May be given clients. A donor may: its copy does not block, and it can be the only member left."""
        state = self.status.get("wsrep_local_state_comment", "")
        return self.serving and self.open and state in ("Synced", "Donor/Desynced") and not member.LEAVING.exists()

    def report(self):
        progress = member.read(member.PROGRESS, NOBODY)
        known = member.memory()
        phase = progress["phase"]
        if self.status:
            phase = "running"
        elif phase == "waiting" and time.monotonic() - progress["beat"] > SILENT_AFTER:
            phase = "down"  # nobody waits any more: what it said does not count as a vote
        uuid = self.status.get("wsrep_cluster_state_uuid") if self.serving else progress.get("uuid", known["uuid"])
        return {
            **{key: progress.get(key, default) for key, default in NOBODY.items() if key != "beat"},
            **{key: known[key] for key in ("epoch", "forks", "left")},
            "incomplete": known["incomplete"] if self.status else progress.get("incomplete", known["incomplete"]),
            "ordinal": member.ORDINAL,
            "phase": phase,
            "uuid": uuid,
            "serving": self.serving,
            "synced": self.synced,
            "writable": self.writable,
            "size": int(self.status.get("wsrep_cluster_size") or 0),
            "committed": int(self.status.get("wsrep_last_committed") or -1),
            "draining": member.DRAINING.exists(),
            "leaving": member.LEAVING.exists(),
            "sealed": member.SEALED.exists(),
        }

    def tend(self):
        """One round of the things that need doing."""
        self.renew_certificate()
        if self.synced:
            self.out_since = None
            if not member.DRAINING.exists() and member.read(member.PROGRESS, NOBODY)["phase"] == "starting":
                member.remember(uuid=self.status["wsrep_cluster_state_uuid"], incomplete=False, left="running")
                self.open_for_writes()
                self.keep_accounts()
        elif self.status and not self.serving:
            self.out_since = self.out_since or time.monotonic()
            if time.monotonic() - self.out_since >= STEP_BACK_AFTER:
                self.step_back()

    def open_for_writes(self):
        """Every server starts read-only: a component without a majority acknowledges nothing, whoever started it.

        First its members remember which start they follow; writes come when a majority has, so that no later election
        can miss it.
        """
        if self.open or int(self.status["wsrep_cluster_size"]) < member.MAJORITY:
            return
        forks = member.memory()["forks"]
        epoch = forks[-1][0] if forks else 0
        member.remember(epoch=epoch)
        if sum(r["serving"] and r["epoch"] == epoch for r in member.states().values()) >= member.MAJORITY:
            member.sql("SET GLOBAL read_only = OFF;")
            self.open = True
            member.say(f"open for writes in a component of {self.status['wsrep_cluster_size']}")

    def keep_accounts(self):
        """The accounts that have a Secret have its password, also a new one; the first member sees to it."""
        if not self.open or self.status["wsrep_local_index"] != "0":
            return
        for account, grants in GRANTS.items():
            file = ACCOUNTS / account
            if not file.exists():
                continue
            password = file.read_text(encoding="utf-8").strip("\n")
            known, checked = self.checked.get(account, ("", 0.0))
            if password == known and time.monotonic() - checked < CHECK_ACCOUNTS:
                continue
            if not self.gets_in(account, password):
                quoted = password.replace("\\", "\\\\").replace("'", "\\'")
                user = f"'{account}'@'%'"
                member.sql(
                    f"CREATE USER IF NOT EXISTS {user}; ALTER USER {user} IDENTIFIED BY '{quoted}'; {grants}",
                    timeout=30,
                )
                member.say(f"the password of {account} is now its Secret's")
            self.checked[account] = (password, time.monotonic())

    def gets_in(self, account, password):
        client = [
            "mariadb",
            "--no-defaults",
            f"--host={member.ADDRESS}",
            f"--port={member.SQL_PORT}",
            f"--user={account}",
            "--connect-timeout=3",
            "--execute=SELECT 1",
            *(["--ssl", "--skip-ssl-verify-server-cert"] if member.TLS else []),  # to itself
        ]
        done = subprocess.run(client, env={**os.environ, "MYSQL_PWD": password}, capture_output=True, timeout=10)
        return done.returncode == 0

    def renew_certificate(self):
        """A certificate that was renewed on disk is taken into use, by the agent and by the running server."""
        if not member.TLS:
            return
        changed = (member.TLS / "tls.crt").stat().st_mtime
        if changed == self.certified:
            return
        self.context.load_cert_chain(member.TLS / "tls.crt", member.TLS / "tls.key")
        if self.certified and self.status:
            reload = "wsrep_provider_socket_ssl_reload"  # from 11.4 on; before, one of the provider's options
            known = member.sql(f"FLUSH LOCAL SSL; SHOW GLOBAL VARIABLES LIKE '{reload}';")
            member.sql(
                f"SET GLOBAL {reload} = ON;" if known else "SET GLOBAL wsrep_provider_options = 'socket.ssl_reload=1';"
            )
            member.say("the certificate was renewed")
        self.certified = changed

    def step_back(self):
        """Stop a server that is of no use as it is, so that start.py can do better.

        One that has left the group (a copy or a difference that failed, an inconsistency) never goes back by itself.
        One without a primary component does, but when others wait for an election it is one vote too few.
        """
        if self.status["wsrep_connected"] == "OFF":
            member.say("not in the group any more: stopping, to join it again")
        elif self.status["wsrep_cluster_status"] != "Primary":
            waiting = [o for o, r in member.states().items() if o != member.ORDINAL and r["phase"] == "waiting"]
            if not waiting:
                return
            member.say(f"no primary component, and members {waiting} wait: stopping, to elect with them")
            member.remember(left="idle")
        else:
            return
        member.sql("SET SESSION wsrep_on = OFF; SHUTDOWN;")  # statements are refused without a quorum


class Handler(BaseHTTPRequestHandler):
    """/state: the report, true at this moment. /ready and /writable: 200 or 503. /live: 200."""

    member = None
    timeout = 10  # for one who connects and then says nothing

    def do_GET(self):
        if self.path == "/state":
            self.member.look(age=0.3)  # who asks is about to decide something
        elif self.path != "/live":
            self.member.look(age=5)  # after a stall, never what was true before it
        report = self.member.report() if self.path != "/live" else {}
        verdicts = {"/live": True, "/state": True, "/ready": self.member.ready, "/writable": self.member.writable}
        verdict = verdicts.get(self.path)
        body = json.dumps(report).encode()
        self.send_response(404 if verdict is None else 200 if verdict else 503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Checks come every second; they are not news."""


class Server(ThreadingHTTPServer):
    """On the member's address, of either family."""

    daemon_threads = True
    request_queue_size = 64
    address_family = socket.AF_INET6 if ":" in member.ADDRESS else socket.AF_INET

    def handle_error(self, *_):
        """Who asked went away; a proxy may, at any moment."""


def main():
    # As process 1 it would be ignored, and the pod's end would wait for the whole grace period.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Handler.member = Member()
    server = Server((member.ADDRESS, int(member.AGENT_PORT)), Handler)
    if member.TLS:
        Handler.member.renew_certificate()
        # A connection's handshake is its own thread's: one that never comes holds up nobody.
        server.socket = Handler.member.context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while True:
        Handler.member.look()
        try:
            Handler.member.tend()
        except (subprocess.SubprocessError, OSError) as error:
            member.say(f"will try again: {error} {getattr(error, 'stderr', None) or ''}".strip())
        time.sleep(1)


if __name__ == "__main__":
    main()
