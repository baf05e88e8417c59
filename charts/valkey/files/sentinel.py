"""Start this member's sentinel with what it has promised, and with the members that there are to be.

Sentinel keeps its state in its configuration file: its number, the epochs it voted in, the primary, whom it knows. That
file is written anew here at each start: what it promised is taken over, other members than those of this instance are
forgotten, since a sentinel counts its majority by whom it knows. Lines that cannot be read are left out; a sentinel
without any begins with the first member in epoch 0, and learns better from the others, whose epochs are higher.
"""

import os
import pathlib
import re

import cluster

VOLUME, RUN, CONFIG = (pathlib.Path(os.environ[name]) for name in ("VOLUME", "RUN", "CONFIG"))
ME = os.environ["POD_NAME"] + "." + os.environ["DOMAIN"]
STATE = VOLUME / "sentinel"
FILE = STATE / "sentinel.conf"
NAME = re.escape(cluster.NAME)
HOST = "|".join(map(re.escape, cluster.MEMBERS))
MONITOR = re.compile(rf"^sentinel monitor {NAME} ({HOST}) {cluster.SERVER} \d+$", re.MULTILINE)
PROMISED = re.compile(r"^sentinel (?:myid [0-9a-f]{40}|current-epoch \d+)$", re.MULTILINE)
KNOWN = re.compile(
    rf"^sentinel (?:(?:config|leader)-epoch {NAME} \d+|known-(?:replica|slave) {NAME} (?:{HOST}) {cluster.SERVER}"
    rf"|known-sentinel {NAME} (?:{HOST}) {cluster.SENTINEL} [0-9a-f]{{40}})$",
    re.MULTILINE,
)


def written(before):
    """The configuration, after what the old one says."""
    port = "tls-port" if cluster.TLS else "port"
    secret = cluster.quoted(cluster.password("sentinel"))
    monitor = MONITOR.search(before)
    primary = monitor[1] if monitor else cluster.MEMBERS[0]
    if before and not monitor:
        cluster.say("sentinel", "the state on the volume names no member as the primary: learning it from the others")
    lines = [
        *(["port 0"] if cluster.TLS else []),
        f"{port} {cluster.SENTINEL}",
        f"dir {STATE}",
        f"aclfile {RUN}/sentinel.acl",
        *PROMISED.findall(before),
        "sentinel resolve-hostnames yes",
        "sentinel announce-hostnames yes",
        f"sentinel announce-ip {ME}",
        f"sentinel announce-port {cluster.SENTINEL}",
        "sentinel sentinel-user sentinel",
        f"sentinel sentinel-pass {secret}",
        f"sentinel monitor {cluster.NAME} {primary} {cluster.SERVER} {cluster.MAJORITY}",
        f"sentinel auth-user {cluster.NAME} sentinel",
        f"sentinel auth-pass {cluster.NAME} {secret}",
        f"sentinel down-after-milliseconds {cluster.NAME} {os.environ['DOWN_AFTER']}",
        f"sentinel failover-timeout {cluster.NAME} {os.environ['FAILOVER_TIMEOUT']}",
        f"sentinel parallel-syncs {cluster.NAME} {len(cluster.MEMBERS)}",
        *(KNOWN.findall(before) if monitor else []),
    ]
    return (CONFIG / "sentinel.conf").read_text() + "".join(f"{line}\n" for line in lines)


def main():
    STATE.mkdir(mode=0o700, exist_ok=True)
    before = FILE.read_text(errors="replace") if FILE.exists() else ""
    accounts = (CONFIG / "sentinel.acl").read_text()
    (RUN / "sentinel.acl").write_text(accounts.replace("(sentinel)", cluster.digest(cluster.password("sentinel"))))
    draft = FILE.with_suffix(".new")
    draft.touch(mode=0o600)
    with draft.open("w") as file:
        file.write(written(before))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(FILE)
    os.execvp("valkey-sentinel", ["valkey-sentinel", str(FILE)])


if __name__ == "__main__":
    main()
