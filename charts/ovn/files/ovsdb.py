"""What the scripts of this chart know of a clustered database: its members by name, and their pages.

Each member serves pages beside its database (`member.py`): whether it lives, whether it is ready, its metrics, who is a
member as it knows it, and whether its volume is empty.
"""

import json
import os
import pathlib
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

DATABASES = {"nb": "OVN_Northbound", "sb": "OVN_Southbound"}


def say(what, text):
    print(f"{what}: {text}", flush=True)


def listed(kind):
    """The members' DNS names in the order of their ordinals, as the values have them now: the file changes in place."""
    return (pathlib.Path(os.environ["MEMBERS"]) / kind).read_text().split()


def short(host):
    """A member's short name: its pod's."""
    return host.partition(".")[0]


def get(host, port, path, seconds=3):
    """The code and the text of a page; raises OSError if nobody answers."""
    try:
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=seconds) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def view(host, port):
    """A member's page `/cluster` as a dict; None if it does not answer."""
    try:
        code, text = get(host, port, "/cluster")
    except OSError:
        return None
    return json.loads(text) if code == HTTPStatus.OK else None


def views(hosts, port):
    """The pages of these members, asked at once."""
    with ThreadPoolExecutor(len(hosts) or 1) as pool:
        return dict(zip(hosts, pool.map(lambda host: view(host, port), hosts), strict=True))


def address(host, port):
    """A member as OVSDB's programs name it: their resolver does not search domains, so the name is a whole one."""
    return f"{os.environ['SCHEME']}:{host}.{os.environ['CLUSTER_DOMAIN']}:{port}"


def remotes(hosts, port):
    """Members as OVSDB's clients name them."""
    return ",".join(address(host, port) for host in hosts)


def certificates():
    """Options of OVSDB's programs for TLS."""
    if os.environ["SCHEME"] != "ssl":
        return []
    home = os.environ["TLS"]
    return [f"--private-key={home}/tls.key", f"--certificate={home}/tls.crt", f"--ca-cert={home}/ca.crt"]
