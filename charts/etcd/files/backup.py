"""Take a snapshot of the whole store, check it, and keep the newest ones.

Names count up, so that a clock that jumps neither hides a new snapshot nor removes it for an old one.
"""

import os
import pathlib
import re
import subprocess
import sys
import time

import cluster
from cluster import Failed

BACKUP = pathlib.Path(os.environ["BACKUP"])
NAME = re.compile(r"(\d{6})-\d{8}T\d{6}Z\.db")


def snapshots():
    """Finished snapshots, oldest first."""
    return sorted(path for path in BACKUP.iterdir() if NAME.fullmatch(path.name))


def take(draft):
    """A snapshot of one member, a follower if one answers: reading the whole store slows it down."""
    answers = {host: said for host, said in cluster.statuses(cluster.MEMBERS).items() if said}
    if not answers:
        raise Failed("no member answers")
    host = min(answers, key=lambda host: answers[host]["leader"] == answers[host]["header"]["member_id"])
    cluster.ctl("snapshot", "save", str(draft), hosts=[host], seconds=600, decode=False)
    subprocess.run(["etcdutl", "snapshot", "status", str(draft)], check=True)
    return host


def main():
    for leftover in BACKUP.glob("*.part*"):
        leftover.unlink()
    kept = snapshots()
    count = int(kept[-1].name[:6]) + 1 if kept else 1
    final = BACKUP / f"{count:06}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.db"
    draft = final.with_suffix(".part")
    try:
        host = take(draft)
    except (Failed, subprocess.CalledProcessError) as error:
        sys.exit(f"backup: no snapshot was taken: {error}. The older ones are kept")
    draft.replace(final)
    cluster.say("backup", f"{final.name}, {final.stat().st_size} bytes, from {cluster.name_of(host)}")
    for old in [*kept, final][: -int(os.environ["KEEP"])]:
        old.unlink()
        cluster.say("backup", f"{old.name} is not kept any more")


if __name__ == "__main__":
    main()
