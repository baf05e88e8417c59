"""Prepare one consumer: its database, its user, its rights on its own databases and on nothing else.

Runs as often as wanted with the same result. A user who has what it needs never loses it on the way.
"""

import os
import re
import subprocess
import sys
import time

HOST, PORT, USER = os.environ["HOST"], os.environ["PORT"], os.environ["USERNAME"]
ADMIN_PASSWORD, PASSWORD = os.environ["ADMIN_PASSWORD"], os.environ["PASSWORD"]
DATABASE, DATABASES = os.environ["DATABASE"], os.environ["DATABASES"].split()
ACCOUNT = f"'{USER}'@'%'"


def ask(statements, user="root", password=ADMIN_PASSWORD):
    """Run statements; neither they nor the password are on a command line."""
    client = [
        "mariadb",
        "--no-defaults",
        f"--host={HOST}",
        f"--port={PORT}",
        f"--user={user}",
        "--protocol=tcp",
        "--batch",
        "--skip-column-names",
        "--raw",
        "--connect-timeout=5",
        *([f"--ssl-ca={os.environ['TLS']}/ca.crt", "--ssl-verify-server-cert"] if "TLS" in os.environ else []),
    ]
    return subprocess.run(
        client, input=statements, env={**os.environ, "MYSQL_PWD": password}, capture_output=True, text=True, timeout=300
    )


def do(statements):
    done = ask(statements)
    if done.returncode:
        sys.exit(f"refused: {done.stderr.strip()}")
    return done.stdout.splitlines()


def wait_for_server():
    until = time.monotonic() + float(os.environ["WAIT_SECONDS"])
    while (done := ask("SELECT 1;")).returncode:
        if time.monotonic() > until:
            sys.exit(f"no database at {HOST}:{PORT}: {done.stderr.strip()}")
        print(f"waiting for {HOST}:{PORT}: {done.stderr.strip()}", flush=True)
        time.sleep(3)


def text(value):
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def scope(database):
    """`_` and `%` are patterns in a grant: unescaped, `nova_api` would open `nova-api` too."""
    return "`" + re.sub(r"([_%])", r"\\\1", database) + "`.*"


def surplus(grants, wanted):
    """Statements that take away what the user has beyond `wanted` (scopes); grants are lines of SHOW GRANTS."""
    for grant in grants:
        rights, where = re.match(r"GRANT (.+?) ON (\S+) TO ", grant).groups()
        if where not in wanted and rights != "USAGE":
            yield f"REVOKE ALL PRIVILEGES ON {where} FROM {ACCOUNT};"
        if "WITH GRANT OPTION" in grant:
            yield f"REVOKE GRANT OPTION ON {where} FROM {ACCOUNT};"


def main():
    if USER in ("root", "mysql", "mariadb.sys", "monitor") or not re.fullmatch(r"[A-Za-z0-9_.-]{1,80}", USER):
        sys.exit(f"{USER!r} cannot be a consumer's user")
    if not all(re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name) for name in DATABASES):
        sys.exit(f"{DATABASES} must be names of at most 64 letters, digits, `_`, `-` and `.`")
    wait_for_server()
    do(f"CREATE DATABASE IF NOT EXISTS `{DATABASE}` CHARACTER SET utf8mb4 COLLATE {os.environ['COLLATION']};")
    do(f"CREATE USER IF NOT EXISTS {ACCOUNT} IDENTIFIED BY {text(PASSWORD)};")
    if ask("SELECT 1;", USER, PASSWORD).returncode:
        do(f"ALTER USER {ACCOUNT} IDENTIFIED BY {text(PASSWORD)};")
        print(f"{ACCOUNT} has its Secret's password now")
    wanted = [scope(name) for name in DATABASES]
    for where in wanted:
        do(f"GRANT ALL PRIVILEGES ON {where} TO {ACCOUNT};")
    for statement in surplus(do(f"SHOW GRANTS FOR {ACCOUNT};"), wanted):
        print(statement)
        do(statement)
    print("\n".join(re.sub(r" IDENTIFIED .*", "", line) for line in do(f"SHOW GRANTS FOR {ACCOUNT};")))


if __name__ == "__main__":
    main()
