"""Bring databases of the running clusters back to what snapshots hold, once for each request.

Each is one transaction of OVSDB: all of it or nothing, and members, their number and their volumes stay as they are.
"""

import os
import pathlib
import subprocess
import sys

import ovsdb

BACKUP = pathlib.Path(os.environ["BACKUP"])


def chosen(kind, wanted):
    """The snapshot that is wanted."""
    found = sorted(path.name for path in BACKUP.glob(f"{kind}-*.db"))
    name = found[-1] if wanted == "latest" and found else wanted
    if name not in found:
        sys.exit(
            f"restore: `restore.{kind}` must name a snapshot, but is {wanted!r}. "
            f"There are: {', '.join(found) or 'none'}"
        )
    return BACKUP / name


def restore(kind, snapshot):
    """Write one snapshot to its cluster."""
    servers = ovsdb.remotes(ovsdb.listed(kind), os.environ[f"{kind.upper()}_PORT"])
    command = ["ovsdb-client", "--timeout=600", *ovsdb.certificates(), "restore", servers, ovsdb.DATABASES[kind]]
    with snapshot.open("rb") as source:
        if subprocess.run(command, stdin=source).returncode:
            sys.exit(f"restore: {snapshot.name} was not restored; see above. The database is as it was")


def main():
    for kind in ovsdb.DATABASES:
        wanted = os.environ[f"RESTORE_{kind.upper()}"]
        done = BACKUP / f"restored-{kind}-{os.environ['REQUEST']}"
        if not wanted:
            continue
        if done.exists():
            ovsdb.say(
                "restore",
                f"{kind}: this request was done: {done.read_text()}. For another one change `restore.request`",
            )
            continue
        snapshot = chosen(kind, wanted)
        restore(kind, snapshot)
        done.write_text(snapshot.name)
        ovsdb.say("restore", f"{kind}: the database holds what {snapshot.name} holds")


if __name__ == "__main__":
    main()
