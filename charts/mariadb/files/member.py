"""What the scripts of one Galera member share: where things are, what is remembered, how to ask the server and peers.

Everything comes from the environment of the pod, so the same files run under a kubelet and as plain processes.
"""

import json
import os
import pathlib
import re
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

CLIENT_ERRORS = 2000  # error numbers from here on are the client's own
NOTHING = "00000000-0000-0000-0000-000000000000"

POD = os.environ["POD_NAME"]
ORDINAL = int(POD.rpartition("-")[2])
ADDRESS = os.environ["POD_IP"]
MEMBERS = os.environ["MEMBERS"].split()
MAJORITY = len(MEMBERS) // 2 + 1

SQL_PORT = os.environ["SQL_PORT"]
AGENT_PORT = os.environ["AGENT_PORT"]

TLS = pathlib.Path(os.environ["TLS"]) if "TLS" in os.environ else None  # certificate, key and authority
SCHEME = "https" if TLS else "http"

VOLUME = pathlib.Path(os.environ["VOLUME"])
DATA = VOLUME / "data"
RUN = pathlib.Path(os.environ["RUN"])
SOCKET = RUN / "mariadb.sock"
CONFIG = os.environ["CONFIG"]

MEMORY = VOLUME / "member.json"  # on the volume: survives the pod
PROGRESS = RUN / "progress.json"  # beside the socket: what start.py is doing, read by the agent
DRAINING = RUN / "draining"  # the pod was asked to stop
LEAVING = RUN / "leaving"  # and nothing holds it any more: proxies let go of it
SEALED = RUN / "sealed"  # every member stops: no more writes here

FRESH = {"uuid": NOTHING, "epoch": 0, "forks": [], "incomplete": False, "left": "running"}


def url_host(address):
    """An address as it is written before `:port`."""
    return f"[{address}]" if ":" in address else address


def say(text):
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {POD}: {text}", flush=True)


def write(path, value):
    """Replace a JSON file so that a crash or a power loss leaves the old or the new one."""
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="utf-8") as out:
        json.dump(value, out)
        out.flush()
        os.fsync(out.fileno())
    new.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


def read(path, default):
    """A JSON file's content over `default`; a missing or damaged file is `default`."""
    try:
        return {**default, **json.loads(path.read_text(encoding="utf-8"))}
    except (OSError, ValueError, TypeError):
        return dict(default)


def memory():
    return read(MEMORY, FRESH)


def remember(**facts):
    """Change what the volume remembers; writes only when something is new."""
    known = memory()
    if {**known, **facts} != known or not MEMORY.exists():
        write(MEMORY, {**known, **facts})


def sql(statements, timeout=5):
    """Rows (lists of strings) of statements, run over the socket as the server's own user; raises when they fail."""
    client = [
        "mariadb",
        "--no-defaults",
        f"--socket={SOCKET}",
        "--user=mysql",
        "--batch",
        "--skip-column-names",
        "--connect-timeout=3",
    ]
    done = subprocess.run(client, input=statements, capture_output=True, text=True, timeout=timeout, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def answers(timeout=5):
    """Whether the server says anything at all; a refusal (no quorum, too many connections, no access) is an answer."""
    try:
        sql("SELECT 1;", timeout)
    except subprocess.CalledProcessError as error:
        code = re.search(r"ERROR (\d+)", error.stderr)
        return bool(code) and int(code.group(1)) < CLIENT_ERRORS
    except subprocess.TimeoutExpired:
        return False
    return True


def ask(address, path, timeout):
    """The answer of the agent at `address`; raises OSError. Another member must have a certificate of its name."""
    context = None
    if TLS:
        context = ssl.create_default_context(cafile=TLS / "ca.crt")
        context.check_hostname = address != ADDRESS
    url = f"{SCHEME}://{url_host(address)}:{AGENT_PORT}{path}"
    return urllib.request.urlopen(url, timeout=timeout, context=context)


def state_of(address, timeout=2):
    """What the agent at `address` reports, or None."""
    try:
        with ask(address, "/state", timeout) as reply:
            return json.load(reply)
    except (OSError, ValueError, urllib.error.URLError):
        return None


def states():
    """{ordinal: report} of every member that answers, this one included, asked at the same time."""
    with ThreadPoolExecutor(len(MEMBERS)) as pool:
        reports = pool.map(state_of, [ADDRESS if i == ORDINAL else m for i, m in enumerate(MEMBERS)])
        return {ordinal: report for ordinal, report in enumerate(reports) if report and report["ordinal"] == ordinal}
