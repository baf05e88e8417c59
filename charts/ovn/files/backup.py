"""Take a snapshot of each database, check it, and keep the newest ones.

Names count up, so that a clock that jumps neither hides a new snapshot nor removes it for an old one.
"""

import os
import pathlib
import re
import subprocess
import sys
import time

import ovsdb

BACKUP = pathlib.Path(os.environ["BACKUP"])


def snapshots(kind):
    """Finished snapshots of a database, oldest first."""
    name = re.compile(rf"{kind}-\d{{6}}-\d{{8}}T\d{{6}}Z\.db")
    return sorted(path for path in BACKUP.iterdir() if name.fullmatch(path.name))


def take(kind):
    """One snapshot of a database. Raises CalledProcessError."""
    kept = snapshots(kind)
    count = int(kept[-1].name.split("-")[1]) + 1 if kept else 1
    final = BACKUP / f"{kind}-{count:06}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.db"
    draft = final.with_suffix(".part")
    servers = ovsdb.remotes(ovsdb.listed(kind), os.environ[f"{kind.upper()}_PORT"])
    command = ["ovsdb-client", "--timeout=600", *ovsdb.certificates(), "backup", servers, ovsdb.DATABASES[kind]]
    with draft.open("wb") as out:
        subprocess.run(command, stdout=out, check=True)
    subprocess.run(["ovsdb-tool", "db-cksum", str(draft)], check=True)
    draft.replace(final)
    ovsdb.say("backup", f"{final.name}, {final.stat().st_size} bytes")
    for old in [*kept, final][: -int(os.environ["KEEP"])]:
        old.unlink()
        ovsdb.say("backup", f"{old.name} is not kept any more")


def main():
    for leftover in BACKUP.glob("*.part"):
        leftover.unlink()
    try:
        for kind in ovsdb.DATABASES:
            take(kind)
    except subprocess.CalledProcessError as error:
        sys.exit(f"backup: no snapshot was taken: {error}. The older ones are kept")


if __name__ == "__main__":
    main()
