"""What backup and restore share: how to reach the database as its administrator, and what a whole backup is."""

import gzip
import os
import pathlib
import re
import subprocess
import sys

PLACE = pathlib.Path(os.environ["PLACE"]) / "dumps"
NOT_CONSUMERS = {"information_schema", "mysql", "oscompile", "performance_schema", "sys"}
ENVIRONMENT = {**os.environ, "MYSQL_PWD": os.environ["ADMIN_PASSWORD"]}
END = b"-- Dump completed"


def client(program, host):
    """A command line; neither statements nor the password are on it."""
    tls = [f"--ssl-ca={os.environ['TLS']}/ca.crt", "--ssl-verify-server-cert"] if "TLS" in os.environ else []
    login = [f"--host={host}", f"--port={os.environ['PORT']}", "--user=root", "--protocol=tcp", *tls]
    return [program, "--no-defaults", *login]


def ask(host, statements):
    command = [*client("mariadb", host), "--batch", "--skip-column-names", "--raw", "--connect-timeout=5"]
    return subprocess.run(command, input=statements, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)


def must(host, statements):
    done = ask(host, statements)
    if done.returncode:
        sys.exit(f"refused: {done.stderr.strip()}")
    return done.stdout.splitlines()


def text(value):
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def backups():
    """Whole backups, oldest first."""
    found = PLACE.glob("*.sql.gz")
    return sorted(path for path in found if re.fullmatch(r"\d{6}-\d{8}T\d{6}Z\.sql\.gz", path.name))


def check(path):
    """End the program unless a backup can be read to its end, and the end is there."""
    last = b""
    try:
        with gzip.open(path, "rb") as file:
            for chunk in iter(lambda: file.read(1 << 20), b""):
                last = (last + chunk)[-400:]
    except (OSError, EOFError) as error:
        sys.exit(f"{path.name} is damaged: {error}")
    if END not in last:
        sys.exit(f"{path.name} is cut short: its last line is not there")
