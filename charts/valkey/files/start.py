"""Start one member's server, and stay beside it: its pages, and its guard.

The sentinels decide who is the primary, by a majority of them; this only never helps them to a wrong one:

* a majority of the sentinels must answer. Then this member is a replica of whom they name in their newest epoch.
* whom they name starts as the primary only if no member that answers holds more than it, and a majority does answer. A
  member that lost its volume, or the end of it, waits instead: the sentinels find it missing, and take another one.
* the very first primary is the first member. It starts from nothing only if every other member says that its volume is
  empty, too, and the values allow it: a cluster whose volumes were lost never starts empty because one is out of sight.

A primary takes writes only after its guard has opened it (guard.py), and the guard asks a majority again.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

import cluster
import record
from guard import Guard
from pages import Pages

POLL_SECONDS = 0.5
VOLUME, RUN, CONFIG = (pathlib.Path(os.environ[name]) for name in ("VOLUME", "RUN", "CONFIG"))
DATA = VOLUME / "data"
LOG = DATA / "appendonlydir"
UNREADABLE = RUN / "unreadable"  # the server could not read its volume in the life of this pod
ME = os.environ["POD_NAME"] + "." + os.environ["DOMAIN"]
OTHERS = [host for host in cluster.MEMBERS if host != ME]


def say(text):
    cluster.say("start", text)


def held():
    """What this volume holds; None for nothing, or nothing that can be read."""
    return None if UNREADABLE.exists() else record.read(LOG)


def decide(pages):
    """Wait until it is certain what to be. Returns the primary's host."""
    while True:
        decision = cluster.decided()
        if decision is None:
            pages.wait_as("waiting: fewer than a majority of the sentinels answer")
        elif decision.host != ME:
            if not UNREADABLE.exists() or writable(decision.host):
                return decision.host
            pages.wait_as(f"this volume cannot be read: waiting until {cluster.name_of(decision.host)} serves")
        else:
            reason = not_primary(held(), cluster.at_once(pages.ask, OTHERS))
            if not reason:
                return ME
            pages.wait_as(f"the sentinels name this member as the primary, but {reason}")
        time.sleep(POLL_SECONDS)


def not_primary(mine, theirs):
    """Why this member must not start as the primary, given what the volumes hold; empty if it may.

    `theirs` has for each other member None (no answer), or what its page says.
    """
    answers = [said["record"] for said in theirs.values() if said is not None]
    if mine is None:
        missing = [cluster.name_of(host) for host, said in theirs.items() if not said or said["record"]]
        if UNREADABLE.exists():
            return "its volume cannot be read: waiting until another one is the primary"
        if missing:
            return f"its volume is empty, and not known to be so or not so are those of {', '.join(missing)}"
        if os.environ["BOOTSTRAP"] != "true":
            return "every volume is empty, and `bootstrap` is false: set it to true to start empty"
        return ""
    if len(answers) + 1 < cluster.MAJORITY:
        return f"only {len(answers)} others of {len(theirs)} say what they hold; a majority must"
    most = max(tuple(said) for said in [*answers, mine])
    return "" if tuple(mine) >= most else f"another one holds more: {most}, this one {mine}"


def writable(host):
    """Whether this member serves as the primary."""
    try:
        with cluster.Connection(host, cluster.SERVER, "admin") as server:
            return server.info()["role"] == "master"
    except (OSError, cluster.Refused):
        return False


def configure(primary):
    """Write the configuration: the chart's file, and what only this member knows. Closed, until its guard opens it."""
    port = "tls-port" if cluster.TLS else "port"
    own = [
        f"include {CONFIG}/valkey.conf",
        *(["port 0"] if cluster.TLS else []),
        f"{port} {cluster.SERVER}",
        f"dir {DATA}",
        f"aclfile {RUN}/users.acl",
        f"replica-announce-ip {ME}",
        f"replica-announce-port {cluster.SERVER}",
        "masteruser replica",
        f"masterauth {cluster.quoted(cluster.password('replication'))}",
        f"min-replicas-to-write {cluster.CLOSED}",
        "replica-priority 0",
        *([f"replicaof {primary} {cluster.SERVER}"] if primary != ME else []),
    ]
    (RUN / "users.acl").write_text(accounts())
    path = RUN / "valkey.conf"
    path.write_text("".join(f"{line}\n" for line in own))
    return path


def accounts():
    """The accounts of the chart itself, each with what it needs; the guard adds the consumers'."""
    text = (CONFIG / "users.acl").read_text()
    for account in ("admin", "replication", "sentinel", "monitor"):
        if (cluster.ACCOUNTS / account).exists():
            text = text.replace(f"({account})", cluster.digest(cluster.password(account)))
    return text


def readable():
    """Whether the append-only files are whole, or there are none."""
    manifest = LOG / record.MANIFEST
    if not manifest.exists():
        return not any(LOG.glob("*.aof")) and not any(LOG.glob("*.rdb"))
    return subprocess.run(["valkey-check-aof", str(manifest)], stdout=sys.stderr).returncode == 0


def set_aside():
    """Begin with an empty volume where the old one cannot be read; it is kept until the next one that cannot."""
    shutil.rmtree(VOLUME / "unreadable", ignore_errors=True)
    DATA.rename(VOLUME / "unreadable")
    UNREADABLE.unlink()
    say(f"what could not be read is kept in {VOLUME}/unreadable; everything is copied from the primary")


def run(config, pages):
    """Run the server until it ends. Asked to stop, this process ends with it."""
    server = subprocess.Popen(["valkey-server", str(config)])
    asked = threading.Event()

    def stop(*_):
        asked.set()
        server.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    guard = Guard(ME, held, pages)
    pages.guard = guard
    threading.Thread(target=guard.watch, daemon=True).start()
    code = server.wait()
    if asked.is_set():
        sys.exit(0)
    if not guard.served and not readable():
        UNREADABLE.touch()
        sys.exit(f"start: the server ended with {code}, and its volume cannot be read; see above. Nothing is removed")
    sys.exit(f"start: the server ended with {code}; see above")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # as process 1 it would be ignored
    if ME not in cluster.MEMBERS:
        sys.exit(f"start: {ME} must be one of {cluster.MEMBERS}, but is not. Raise `replicas`, or remove the pod")
    DATA.mkdir(mode=0o700, exist_ok=True)
    (RUN / "draining").unlink(missing_ok=True)
    if not (LOG / record.MANIFEST).exists() and not readable():
        UNREADABLE.touch()  # the server would start empty
    pages = Pages(held)
    primary = decide(pages)
    if UNREADABLE.exists():
        set_aside()
        DATA.mkdir(mode=0o700)
    say("this member is the primary" if primary == ME else f"a replica of {cluster.name_of(primary)}")
    run(configure(primary), pages)


if __name__ == "__main__":
    main()
