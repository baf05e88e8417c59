"""What every script of this chart knows of the cluster: its members, how to talk to them, whom the sentinels follow."""

import hashlib
import os
import pathlib
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

MEMBERS = os.environ["MEMBERS"].split()  # DNS names, in the order of their ordinals
MAJORITY = len(MEMBERS) // 2 + 1
NAME = os.environ["NAME"]  # by which clients ask the sentinels
SERVER, SENTINEL = int(os.environ["SERVER_PORT"]), int(os.environ["SENTINEL_PORT"])
ACCOUNTS = pathlib.Path(os.environ["ACCOUNTS"])
TLS = pathlib.Path(os.environ["TLS"]) if "TLS" in os.environ else None
CLOSED = 255  # more good replicas than anybody has: nobody can write

MARK = "oscompile:mark"  # what of its primary's life a member has seen; see record.py
USERS = "oscompile:users"  # hash of the consumers' accounts; see guard.py
SIZE = "oscompile:members"  # how many members there are to be; see resize.py
SUCCESSOR = "oscompile:successor"  # whom a primary that leaves hands over to; see handover.py


class Refused(Exception):
    """A server's own no."""


class Decision(NamedTuple):
    """What the sentinels that answer say: the primary of the newest epoch, how many name it, how many miss it."""

    host: str
    epoch: int
    votes: int
    missed: int

    @property
    def certain(self):
        return self.votes >= MAJORITY

    @property
    def down(self):
        return self.missed >= MAJORITY


def say(what, text):
    print(f"{what}: {text}", flush=True)


def name_of(host):
    return host.partition(".")[0]


def ordinal(host):
    return int(name_of(host).rpartition("-")[2])


def password(account):
    return (ACCOUNTS / account).read_text().strip()


def digest(secret):
    """A password as an account's rule has it."""
    return "#" + hashlib.sha256(secret.encode()).hexdigest()


def quoted(text):
    """A value as a configuration file has it, whatever is in it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Connection:
    """One connection, as one account. Raises OSError if nobody answers in time, Refused if the answer is a no."""

    def __init__(self, host, port, account="admin", seconds=2.0, secret=None):
        raw = socket.create_connection((host, port), seconds)
        try:
            self.socket = trust().wrap_socket(raw, server_hostname=host) if TLS else raw
        except OSError:
            raw.close()
            raise
        self.reader = self.socket.makefile("rb")
        try:
            if account:
                self.call("AUTH", account, secret or password(account))
        except (OSError, Refused):
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.reader.close()
        self.socket.close()

    def call(self, *argv):
        """Send one command; its answer."""
        (answer,) = self.together(argv)
        if isinstance(answer, Refused):
            raise answer
        return answer

    def together(self, *commands):
        """Send these commands in one piece: the server runs them without anybody else's between them."""
        self.socket.sendall(b"".join(encoded(command) for command in commands))
        return [self._answer() for _ in commands]

    def _answer(self):
        line = self.reader.readline()
        if not line.endswith(b"\r\n"):
            raise OSError("the connection was closed")
        kind, rest = line[:1], line[1:-2].decode(errors="replace")
        if kind == b"-":
            return Refused(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$" and int(rest) >= 0:
            return self.reader.read(int(rest) + 2)[:-2].decode(errors="replace")
        if kind == b"*" and int(rest) >= 0:
            return [self._answer() for _ in range(int(rest))]
        return rest if kind == b"+" else None

    def info(self, section="replication"):
        """A section of INFO as a dict."""
        return dict(line.split(":", 1) for line in self.call("INFO", section).splitlines() if ":" in line)


def encoded(command):
    parts = [str(part).encode() for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


def trust():
    """The members' certificates; a Job has only the authority."""
    context = ssl.create_default_context(cafile=TLS / "ca.crt")
    if (TLS / "tls.crt").exists():
        context.load_cert_chain(TLS / "tls.crt", TLS / "tls.key")
    return context


def at_once(ask, hosts):
    """Ask all of them at the same time: answers by host; None from whom none came."""

    def one(host):
        try:
            return ask(host)
        except (OSError, Refused, ValueError, KeyError):
            return None

    with ThreadPoolExecutor(len(hosts) or 1) as pool:
        return dict(zip(hosts, pool.map(one, hosts), strict=True))


def followed(host):
    """Whom a member's sentinel follows, since which epoch, and whether it misses it. No account is needed to ask."""
    with Connection(host, SENTINEL, account="") as sentinel:
        flat = sentinel.call("SENTINEL", "MASTER", NAME)
    said = dict(zip(flat[::2], flat[1::2], strict=True))
    return said["ip"], int(said["config-epoch"]), "s_down" in said["flags"].split(",")


def decided():
    """What the sentinels say now; None if fewer than a majority answer: then a newer primary may be out of sight."""
    answers = [said for said in at_once(followed, MEMBERS).values() if said]
    if len(answers) < MAJORITY:
        return None
    host, epoch, _ = max(answers, key=lambda said: said[1])
    same = [down for named, since, down in answers if (named, since) == (host, epoch)]
    return Decision(host, epoch, len(same), sum(same))


def copies(info):
    """The replicas that a primary's INFO lists as attached: offset by host."""
    found = {}
    for name, text in info.items():
        if name.startswith("slave") and name[5:].isdigit():
            said = dict(pair.split("=", 1) for pair in text.split(","))
            if said["state"] == "online":
                found[said["ip"]] = int(said["offset"])
    return found
