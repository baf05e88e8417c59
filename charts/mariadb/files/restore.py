"""Bring the consumers' databases back to a backup, once for each request.

The backup is read to its end before anything is changed. Then every database in it is replaced as a whole, by ordinary
statements that every member applies; databases that it does not have stay. A run that was cut short is begun anew.
"""

import gzip
import os
import subprocess
import sys
import time

import dump

HOST, NAME, REQUEST = os.environ["HOST"], os.environ["BACKUP"], os.environ["REQUEST"]
TABLE = "oscompile.restored"
QUOTED = dump.text(REQUEST)


def chosen():
    found = dump.backups()
    if not found:
        sys.exit("there are no backups on this volume; nothing was changed")
    path = found[-1] if NAME == "latest" else dump.PLACE / NAME
    if path not in found:
        sys.exit(f"there is no backup {NAME}; nothing was changed. There are: {', '.join(p.name for p in found)}")
    return path


def wait_for_server():
    until = time.monotonic() + float(os.environ["WAIT_SECONDS"])
    while (done := dump.ask(HOST, "SELECT 1;")).returncode:
        if time.monotonic() > until:
            sys.exit(f"no database at {HOST}: {done.stderr.strip()}")
        time.sleep(3)


def main():
    path = chosen()
    dump.check(path)
    wait_for_server()
    dump.must(HOST, "CREATE DATABASE IF NOT EXISTS oscompile;")
    columns = "request VARCHAR(64) PRIMARY KEY, backup VARCHAR(64) NOT NULL, at TIMESTAMP DEFAULT CURRENT_TIMESTAMP"
    dump.must(HOST, f"CREATE TABLE IF NOT EXISTS {TABLE} ({columns});")
    if done := dump.must(HOST, f"SELECT backup FROM {TABLE} WHERE request = {QUOTED};"):  # noqa: S608 - quoted
        print(f"the request {REQUEST!r} was done before, with {done[0]}; nothing was changed")
        return
    process = subprocess.Popen(dump.client("mariadb", HOST), stdin=subprocess.PIPE, env=dump.ENVIRONMENT)
    with gzip.open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            process.stdin.write(chunk)
    process.stdin.close()
    if process.wait():
        sys.exit("the restore failed half way; it is begun anew when this Job runs again")
    dump.must(HOST, f"INSERT INTO {TABLE} (request, backup) VALUES ({QUOTED}, {dump.text(path.name)});")  # noqa: S608 - quoted
    print(f"{path.name} is restored")


if __name__ == "__main__":
    main()
