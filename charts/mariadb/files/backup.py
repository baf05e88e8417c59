"""Take a backup: every consumer's database in one consistent dump, compressed, checked, and the newest few kept.

It reads from the last member that answers, so the one with the clients has no work of it. Accounts are not part of it:
the Jobs that prepare consumers make them anew. Names count up, so a clock that jumps hides nothing.
"""

import gzip
import os
import subprocess
import sys
import time

import dump

KEEP = int(os.environ["KEEP"])


def reachable():
    """The member to read from."""
    for host in reversed(os.environ["MEMBERS"].split()):
        if not dump.ask(host, "SELECT 1;").returncode:
            return host
    sys.exit("no member answers; nothing was saved")


def save(host, names, path):
    command = dump.client("mariadb-dump", host)
    options = ["--single-transaction", "--quick", "--routines", "--triggers", "--events", "--hex-blob"]
    command += [*options, "--default-character-set=utf8mb4", "--add-drop-database", "--databases", *names]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=dump.ENVIRONMENT)
    with path.open("wb") as file:
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6) as out:
            for chunk in iter(lambda: process.stdout.read(1 << 20), b""):
                out.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if process.wait():
        sys.exit("the dump failed; nothing was saved")


def main():
    host = reachable()
    names = [line for line in dump.must(host, "SHOW DATABASES;") if line not in dump.NOT_CONSUMERS]
    if not names:
        sys.exit("there is no database of a consumer yet; nothing was saved")
    dump.PLACE.mkdir(exist_ok=True)
    for rest in dump.PLACE.glob("*.new"):
        rest.unlink()
    kept = dump.backups()
    number = 1 + max((int(path.name[:6]) for path in kept), default=0)
    path = dump.PLACE / f"{number:06d}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.sql.gz"
    new = path.with_name(path.name + ".new")
    save(host, names, new)
    dump.check(new)
    new.replace(path)
    print(f"{path.name}: {path.stat().st_size} bytes of {', '.join(names)}, read from {host}")
    for old in dump.backups()[:-KEEP]:
        old.unlink()
        print(f"{old.name} removed: {KEEP} are kept")


if __name__ == "__main__":
    main()
