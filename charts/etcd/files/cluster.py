"""What every script of this chart knows of the cluster, by way of etcdctl: who is a member, who leads, who answers.

etcdctl reads its endpoints and certificates from the environment (`ETCDCTL_*`), so the scripts name neither.
"""

import json
import os
import subprocess
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

MEMBERS = os.environ["MEMBERS"].split()  # DNS names, in the order of their ordinals
SCHEME = os.environ["SCHEME"]
CLIENT, PEER, METRICS = (int(os.environ[name]) for name in ("CLIENT_PORT", "PEER_PORT", "METRICS_PORT"))
SECONDS = 5


class Failed(Exception):
    """etcdctl said no, or nothing; what it said."""


def say(what, text):
    print(f"{what}: {text}", flush=True)


def client_url(host):
    return f"{SCHEME}://{host}:{CLIENT}"


def peer_url(host):
    return f"{SCHEME}://{host}:{PEER}"


def name_of(host):
    """The member's name in the cluster: its pod's."""
    return host.partition(".")[0]


def ordinal(name):
    return int(name.rpartition("-")[2])


def ctl(*argv, hosts=None, seconds=SECONDS, decode=True):
    """Run etcdctl; its answer. Raises Failed with what it said."""
    environment = dict(os.environ, ETCDCTL_ENDPOINTS=",".join(map(client_url, hosts or MEMBERS)))
    command = ["etcdctl", f"--command-timeout={seconds}s", "--dial-timeout=2s", *argv]
    if decode:  # not every command can write JSON
        command += ["-w", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 10, env=environment)
    except subprocess.TimeoutExpired:
        raise Failed(f"etcdctl {argv[0]}: no answer after {seconds + 10} s") from None
    if done.returncode:
        raise Failed(f"etcdctl {' '.join(argv[:2])}: {reason(done.stderr)}")
    return json.loads(done.stdout) if decode else done.stdout


def reason(text):
    """What etcdctl gives as its reason, between its log and its traces."""
    lines = [line for line in text.splitlines() if line.startswith(("Error:", '{"level":"fatal"'))] or text.splitlines()
    return lines[-1][:300] if lines else "no reason given"


def listed(hosts=None, seconds=SECONDS):
    """Every member that the cluster knows, as a majority of it says. Raises Failed without a majority."""
    return ctl("member", "list", hosts=hosts, seconds=seconds)["members"]


def number(member):
    """The number by which etcdctl names a member."""
    return format(member["ID"], "x")


def ours(member, host):
    """Whether a listed member is the one at this host; one that has never started has no name."""
    return member.get("name") == name_of(host) or peer_url(host) in member["peerURLs"]


def status(host):
    """What a member says of itself; None if it does not answer."""
    try:
        return ctl("endpoint", "status", hosts=[host], seconds=3)[0]["Status"]
    except Failed:
        return None


def statuses(hosts):
    """What each of these members says of itself, asked at once."""
    with ThreadPoolExecutor(len(hosts) or 1) as pool:
        return dict(zip(hosts, pool.map(status, hosts), strict=True))


def get(host, path, seconds=2):
    """The code and the text of a page beside the metrics; raises OSError if nobody answers."""
    try:
        with urllib.request.urlopen(f"http://{host}:{METRICS}{path}", timeout=seconds) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
