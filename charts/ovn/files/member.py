"""Start one member of a clustered database (northbound or southbound), and stay beside it.

A member with a database starts at once, alone or not.

A member whose volume is empty must never guess. If it made a database of its own while its cluster is merely out of
sight, OVN would be told that there are no networks. So it waits, and says so on its page `/cluster`, until one of two
things is certain:

* another member is in a cluster with a leader, and that cluster knows no member at this one's address: it joins. Where
  the cluster does know one, that one has lost its database; the leader sees this member wait with an empty volume, and
  takes the lost one out first, since it may have promised what the new one knows nothing of.
* it is the first member, every other one says that it waits with an empty volume too, and the values allow it: it makes
  the database, and the others join it one by one.

The list of members is a file that changes in place. A member that is not on it any more leaves the cluster, and stays
away until it is on it again; what it has is worth nothing then and is removed before it joins.

The leader also brings the election timer and the schema of the database to what they should be.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

import ovsdb
from pages import Pages
from raft import Failed, Raft

POLL_SECONDS = 1
KIND = os.environ["KIND"]  # nb or sb
DATABASE = ovsdb.DATABASES[KIND]
DATA, RUN = pathlib.Path(os.environ["DATA"]), pathlib.Path(os.environ["RUN"])
STORE = DATA / f"{KIND}.db"
LEFT = DATA / "left"  # this member has left the cluster
SCHEMA = os.environ["SCHEMA"]
RAFT_PORT, PAGES_PORT = os.environ["RAFT_PORT"], int(os.environ["PAGES_PORT"])
TIMER = int(os.environ["ELECTION_TIMER"])
CONTROL, SOCKET = RUN / "control", RUN / "socket"
ME = os.environ["POD_NAME"] + "." + os.environ["DOMAIN"]


def say(text):
    ovsdb.say(KIND, text)


def raft_address(host):
    return ovsdb.address(host, RAFT_PORT)


def others():
    return [host for host in ovsdb.listed(KIND) if host != ME]


class Member:
    """What this member shows on its pages; the server, once it runs."""

    def __init__(self):
        self.raft = Raft(CONTROL, DATABASE)
        self.waits = "starting"  # why it waits; empty when the server runs
        self.known = {}  # what the server said of itself last
        self.converted = False  # the database has this image's schema

    def wait_as(self, reason):
        """Say once why this member waits."""
        if reason != self.waits:
            self.waits = reason
            say(reason)

    def look(self):
        """Ask the server anew. Raises Failed."""
        self.known = self.raft.status()
        return self.known

    @property
    def in_cluster(self):
        """Whether it has a place in a cluster that has a leader."""
        return self.known.get("status") == "cluster member" and self.known.get("leader", "unknown") != "unknown"

    def empty(self):
        return bool(self.waits) and not STORE.exists() and not LEFT.exists()

    # The pages.

    def live(self):
        """Why this member is to be killed; None: it waits, or its server answers. It asks nobody else."""
        if self.waits:
            return None
        try:
            self.raft.tell("version")
        except Failed as error:
            return str(error)
        return None

    def ready(self):
        """Why clients must not come; None: it is in a cluster with a leader, so it reaches a majority."""
        if self.waits:
            return self.waits
        try:
            self.look()
        except Failed as error:
            return str(error)
        if self.in_cluster:
            return None
        return f"{self.known['status']}, {self.known['role']}, leader {self.known['leader']}: no majority"

    def cluster(self):
        """What other members and the Jobs ask: is the volume empty, is there a leader, who is a member."""
        reason = self.ready()
        return {
            "empty": self.empty(),
            "serves": reason is None,
            "leads": reason is None and self.known["role"] == "leader",
            "servers": {} if self.waits else self.known.get("servers", {}),
            "reason": reason or "",
        }


def decide(member):
    """Wait until it is certain what to do. Returns the addresses to join by, or nothing to make the database."""
    while True:
        if ME not in ovsdb.listed(KIND):
            member.wait_as("this member is not on the list of members: it stays away")
            time.sleep(POLL_SECONDS)
            continue
        seen = ovsdb.views(others(), PAGES_PORT)
        serving = {host: view for host, view in seen.items() if view and view["serves"]}
        if any(ME not in view["servers"] for view in serving.values()):
            return sorted({raft_address(host) for view in serving.values() for host in view["servers"] if host != ME})
        unanimous = not serving and all(view and view["empty"] for view in seen.values())
        if LEFT.exists():  # it may be listed still, or be alone: what it has is not served from
            unanimous = False
        if unanimous and os.environ["BOOTSTRAP"] != "true":
            member.wait_as(
                "every volume is empty, and `bootstrap` is false: waiting for a human. Set it to true to start empty"
            )
        elif unanimous and ovsdb.listed(KIND)[0] == ME:
            return []
        elif serving:
            member.wait_as(
                "this volume is empty, but the cluster counts on it: waiting until the leader has taken that one out"
            )
        else:
            told = ", ".join(f"{ovsdb.short(host)} {describe(view)}" for host, view in seen.items())
            member.wait_as(f"this volume is empty: waiting until another member serves, or all of them wait; {told}")
        time.sleep(POLL_SECONDS)


def describe(view):
    if view is None:
        return "is not there"
    return "waits" if view["empty"] else view["reason"]


def make(remotes):
    """Make this member's database: the cluster's first, or one that joins. It is there whole or not at all."""
    draft = STORE.with_suffix(".new")
    for leftover in (draft, draft.with_name(f".{draft.name}.~lock~"), LEFT, STORE):
        leftover.unlink(missing_ok=True)
    if remotes:
        argv = ["ovsdb-tool", "join-cluster", str(draft), DATABASE, raft_address(ME), *remotes]
    else:
        argv = [
            "ovsdb-tool",
            f"--election-timer={min(TIMER, 10000)}",
            "create-cluster",
            str(draft),
            SCHEMA,
            raft_address(ME),
        ]
    subprocess.run(argv, check=True)
    draft.replace(STORE)
    say(f"joining {', '.join(remotes)}" if remotes else "every member waits and none has data: made the database")


def serve():
    """Start the server."""
    for leftover in (CONTROL, SOCKET):
        leftover.unlink(missing_ok=True)
    config = RUN / "ovsdb.json"
    shutil.copyfile(os.environ["CONFIG"], config)
    argv = ["ovsdb-server", "--no-chdir", "-vconsole:info", "-vsyslog:off", "-vfile:off", f"--unixctl={CONTROL}"]
    return subprocess.Popen([*argv, f"--config-file={config}", *ovsdb.certificates()])


def await_end(member, server):
    """Look after the server until it ends; its exit code."""
    while server.poll() is None:
        time.sleep(POLL_SECONDS)
        with contextlib.suppress(Failed):
            tend(member, server)
    return server.wait()


def tend(member, server):
    """What a running member sees to."""
    member.look()
    listed = ovsdb.listed(KIND)
    if member.known["status"].startswith("left"):
        LEFT.touch()
        say("this member is in the cluster no more")
        stop(server, member)
    elif ME not in listed and member.in_cluster and len(member.known["servers"]) > 1:
        say("this member is not on the list of members any more: leaving the cluster")
        member.raft.tell("cluster/leave", DATABASE)
    elif member.in_cluster and member.known["role"] == "leader":
        lead(member)


def lead(member):
    """What only the leader does, one thing at a time."""
    for host, view in ovsdb.views(others(), PAGES_PORT).items():
        sid = member.known["servers"].get(host)
        if sid and view and view["empty"]:
            say(f"{ovsdb.short(host)} has lost its database: taking the lost one out")
            member.raft.tell("cluster/kick", DATABASE, sid)
            return
    timer = int(member.known["timer"])
    if timer != TIMER:  # the server doubles it at most
        member.raft.tell("cluster/change-election-timer", DATABASE, str(min(TIMER, 2 * timer)))
    elif not member.converted:
        convert(member)


def convert(member):
    """Bring the database to the schema of this image, if it has another."""
    ask = ["ovsdb-client", "--timeout=10", "needs-conversion", f"unix:{SOCKET}", SCHEMA]
    answer = subprocess.run(ask, capture_output=True, text=True).stdout.strip()
    member.converted = answer == "no"
    if answer == "yes":
        say("bringing the database to this image's schema")
        subprocess.run(["ovsdb-client", "--timeout=60", "convert", f"unix:{SOCKET}", SCHEMA])


def stop(server, member):
    """Ask the server to end; a leader hands over the lead first, as the server does when it is told by this command."""
    try:
        member.raft.tell("exit", seconds=20)
        server.wait(20)
    except (Failed, subprocess.TimeoutExpired):
        server.terminate()


def explain(code):
    """Say what to do about a server that ended by itself, and end."""
    if LEFT.exists():
        sys.exit(f"{KIND}: the cluster has no place for this member; starting anew")
    serving = [host for host, view in ovsdb.views(others(), PAGES_PORT).items() if view and view["serves"]]
    if serving:
        sys.exit(
            f"{KIND}: the server ended with {code}; see above. {ovsdb.short(serving[0])} serves and has everything: if "
            "this volume is damaged, delete its claim and this pod, and the member joins again with an empty one"
        )
    sys.exit(f"{KIND}: the server ended with {code}; see above. No other member serves, so keep this volume")


def check():
    """Refuse a volume whose member has another address: the cluster would not find it."""
    done = subprocess.run(["ovsdb-tool", "db-local-address", str(STORE)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(
            f"{KIND}: {STORE} cannot be read: {done.stderr.strip()}. It is kept; "
            "if the others serve, delete this claim and pod"
        )
    if done.stdout.strip() != raft_address(ME):
        sys.exit(
            f"{KIND}: this volume's member is known to the others as {done.stdout.strip()}, but would be "
            f"{raft_address(ME)}. "
            "Neither the name, the Raft port nor TLS of a cluster can change in place: take a backup, remove the "
            "volumes, start anew and restore"
        )


def main():
    member, asked = Member(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # as process 1 it would be ignored
    with Pages((os.environ["ADDRESS"], PAGES_PORT), member):
        if LEFT.exists() or not STORE.exists():
            make(decide(member))
        check()
        server = serve()
        member.waits = ""

        def end(*_):
            asked.set()
            threading.Thread(target=stop, args=(server, member)).start()

        signal.signal(signal.SIGTERM, end)
        code = await_end(member, server)
    if asked.is_set():
        sys.exit(0)
    explain(code)


if __name__ == "__main__":
    main()
