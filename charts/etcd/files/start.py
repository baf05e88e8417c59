"""Start one member of the cluster, and stay beside it.

A member with data starts at once, alone or not.

A member whose volume is empty must never guess. If it formed a cluster of its own while the one it belongs to is merely
out of sight, clients would find an empty store. So it waits, and says so to whoever asks, until one of two things is
certain:

* another member serves, which takes a majority: it joins that cluster. If the cluster knows a member of this name, that
  one has lost its volume; it is removed first, since it may have promised what the new one knows nothing of. The new
  one learns everything before it gets a vote, so joining never costs the cluster its majority.
* it is the first member, every other one says that it waits with an empty volume too, and the values allow it: nobody
  has data, so it forms the cluster, alone; the others join it.

A member that the cluster has removed (`resize.py`, or a human) stays away as long as its pod lives. In a new pod it
joins again, since then somebody wants it back; what it has is worth nothing to the cluster and is removed first.
"""

import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
from http import HTTPStatus

import cluster
from cluster import Failed

POLL_SECONDS = 1
DATA = pathlib.Path(os.environ["DATA"])
STORE = DATA / "member"  # etcd's own
LEFT = DATA / "left"  # the pod in which this member was removed from the cluster
ADDRESS = DATA / "peer-url"  # what the other members know this one by
CONFIG = pathlib.Path(os.environ["CONFIG"])
RUN = pathlib.Path(os.environ["RUN"])
SETTLED = RUN / "settled"  # it has been a member with a vote in the life of this pod
POD = os.environ["POD_UID"]
ME = os.environ["POD_NAME"] + "." + os.environ["DOMAIN"]


def say(text):
    cluster.say("start", text)


def record(path, text):
    """Write a file of the volume whole or not at all."""
    draft = path.with_suffix(".new")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def has_data():
    """The log of etcd is made whole or not at all; with one the member belongs to a cluster."""
    return any((STORE / "wal").glob("*.wal"))


class Waiting(http.server.BaseHTTPRequestHandler):
    """The pages of a member that does not run yet: alive, not ready, and whether its volume is empty."""

    reason = "starting"
    empty = False

    def do_GET(self):
        pages = {"/livez": (200, "ok"), "/waiting": (200, "empty" if Waiting.empty else "no")}
        code, text = pages.get(self.path, (503, Waiting.reason))
        self.send_response(code)
        self.end_headers()
        self.wfile.write(f"{text}\n".encode())

    def log_message(self, *_):
        pass


class Pages:
    """Serve these pages as long as the block lasts."""

    def __enter__(self):
        listen = os.environ["LISTEN"]
        self.server = http.server.ThreadingHTTPServer((listen, cluster.METRICS), Waiting)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def wait_as(reason):
    """Say once why this member waits, on its pages and in its log."""
    if reason != Waiting.reason:
        Waiting.reason = reason
        say(reason)


def look(host):
    """What another member does: `serves`, `waits` (with an empty volume), or `is not there` (or not yet)."""
    try:
        code, text = cluster.get(host, "/waiting")
        if code == HTTPStatus.OK and text.strip() == "empty":
            return "waits"
        return "serves" if cluster.get(host, "/readyz", seconds=4)[0] == HTTPStatus.OK else "has no majority"
    except OSError:
        return "is not there"


def decide():
    """Wait until it is certain what to do. Returns the members that serve, or nothing to form the cluster."""
    others = [host for host in cluster.MEMBERS if host != ME]
    while True:
        with cluster.ThreadPoolExecutor(len(others) or 1) as pool:
            now = dict(zip(others, pool.map(look, others), strict=True))
        serving = [host for host, what in now.items() if what == "serves"]
        if serving:
            return serving
        unanimous = not LEFT.exists() and all(what == "waits" for what in now.values())
        if unanimous and os.environ["BOOTSTRAP"] != "true":
            wait_as(
                "every volume is empty, and `bootstrap` is false: waiting for a human. Set it to true to start empty"
            )
        elif unanimous and cluster.MEMBERS[0] == ME:
            return []
        else:
            seen = ", ".join(f"{cluster.name_of(host)} {what}" for host, what in now.items())
            wait_as(f"this volume is empty: waiting until another member serves, or all of them wait; {seen}")
        time.sleep(POLL_SECONDS)


def join(serving):
    """Make this member known to the cluster, without a vote. Returns the addresses of all members."""
    known = cluster.listed(serving)
    for member in known:
        if cluster.ours(member, ME):
            say(f"the cluster knows a member {member.get('name') or 'without a name'} at this address: removing it")
            cluster.ctl("member", "remove", cluster.number(member), hosts=serving)
    clear()
    record(ADDRESS, cluster.peer_url(ME))
    added = cluster.ctl(
        *("member", "add", cluster.name_of(ME), "--learner", f"--peer-urls={cluster.peer_url(ME)}"), hosts=serving
    )
    return [f"{named(member)}={url}" for member in added["members"] for url in member["peerURLs"]]


def named(member):
    """A member's name for etcd's list of addresses; one that has not started yet has none, and any will do."""
    return cluster.name_of(ME) if cluster.ours(member, ME) else member.get("name") or cluster.number(member)


def clear():
    """Remove what a member that left, or whose join was cut short, has."""
    for path in (LEFT, ADDRESS):
        path.unlink(missing_ok=True)
    shutil.rmtree(STORE, ignore_errors=True)


def settle():
    """Ask for a vote once this member knows everything; then say that it has one. Returns when it has."""
    before = None
    while True:
        time.sleep(POLL_SECONDS)
        try:
            mine = [member for member in cluster.listed() if cluster.ours(member, ME) and member.get("name")]
            if mine and not mine[0].get("isLearner"):
                SETTLED.touch()
                return
            if mine:
                cluster.ctl("member", "promote", cluster.number(mine[0]), decode=False)
                say("this member has learnt everything and votes now")
                continue
            reason = "the cluster does not list this member yet"
        except Failed as error:
            reason = str(error)
        if reason != before:
            say(f"not settled yet: {reason}")
            before = reason


def configure(initial):
    """Write the configuration: the chart's file, and what only this member knows. `initial` is who is there already."""
    own = json.loads(CONFIG.read_text())
    me = cluster.name_of(ME)
    listen = "[{LISTEN}]".format(**os.environ) if ":" in os.environ["LISTEN"] else os.environ["LISTEN"]
    own |= {
        "name": me,
        "data-dir": str(DATA),
        "listen-client-urls": f"{cluster.SCHEME}://{listen}:{cluster.CLIENT}",
        "listen-peer-urls": f"{cluster.SCHEME}://{listen}:{cluster.PEER}",
        "listen-metrics-urls": f"http://{listen}:{cluster.METRICS}",
        "advertise-client-urls": cluster.client_url(ME),
        "initial-advertise-peer-urls": cluster.peer_url(ME),
        "initial-cluster": ",".join(initial or [f"{me}={cluster.peer_url(ME)}"]),
        "initial-cluster-state": "existing" if initial else "new",
    }
    path = RUN / "etcd.json"
    path.write_text(json.dumps(own, indent=2))
    return path


def run(config):
    """Run etcd until it ends. Asked to stop, this process ends with it; else it returns the exit code."""
    server = subprocess.Popen(["etcd", "--config-file", str(config)])
    asked = threading.Event()

    def stop(*_):
        asked.set()
        server.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=settle, daemon=True).start()
    code = server.wait()
    if asked.is_set():
        sys.exit(0)
    return code


def removed():
    """Whether a majority of the others says that this member is none."""
    others = [host for host in cluster.MEMBERS if host != ME]
    try:
        return bool(others) and not any(cluster.ours(member, ME) for member in cluster.listed(others))
    except Failed:
        return False


def explain(code):
    """Say what to do about an etcd that ended by itself, and end."""
    if removed():
        record(LEFT, POD if SETTLED.exists() else "an earlier pod")
        if SETTLED.exists():
            sys.exit("start: the cluster has removed this member. It stays away until its pod is made anew")
        sys.exit("start: the cluster has removed this member before this pod was made. It joins again")
    others = [host for host in cluster.MEMBERS if host != ME and look(host) == "serves"]
    if others:
        sys.exit(
            f"start: etcd ended with {code}; see above. {cluster.name_of(others[0])} serves and has everything: if "
            f"this volume is damaged, delete its claim and this pod, and the member joins again with an empty one"
        )
    sys.exit(f"start: etcd ended with {code}; see above. No other member serves, so keep this volume")


def check():
    """Refuse what cannot end well."""
    if ME not in cluster.MEMBERS:
        sys.exit(f"start: {ME} must be one of {cluster.MEMBERS}, but is not. Raise `replicas`, or remove the pod")
    known = ADDRESS.read_text() if ADDRESS.exists() else cluster.peer_url(ME)
    if has_data() and known != cluster.peer_url(ME):
        sys.exit(
            f"start: this volume's member is known to the others as {known!r}, but would be {cluster.peer_url(ME)!r}. "
            "Neither the name, the peer port nor TLS of a cluster can change in place: take a backup, remove the "
            "volumes, start anew and restore"
        )


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # as process 1 it would be ignored
    check()
    DATA.mkdir(mode=0o700, exist_ok=True)
    initial = []
    if LEFT.exists() or not has_data():
        with Pages():
            while LEFT.exists() and LEFT.read_text() == POD:
                wait_as("the cluster has removed this member; it stays away until its pod is made anew")
                time.sleep(POLL_SECONDS)
            Waiting.empty = not LEFT.exists()
            while True:
                serving = decide()
                try:
                    initial = join(serving) if serving else []
                    break
                except Failed as error:
                    wait_as(f"not joined yet: {error}")
                    time.sleep(POLL_SECONDS)
        say("joining the cluster" if initial else "every member waits and none has data: forming the cluster")
    record(ADDRESS, cluster.peer_url(ME))
    explain(run(configure(initial)))


if __name__ == "__main__":
    main()
