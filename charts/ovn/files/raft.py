"""The database server of this member, asked and told over its own socket."""

import os
import re
import subprocess

_FIELDS = {
    "cid": r"^Cluster ID: \S+ \((.*)\)$",
    "sid": r"^Server ID: \S+ \((.*)\)$",
    "status": r"^Status: (.*)$",
    "role": r"^Role: (.*)$",
    "term": r"^Term: (\d+)$",
    "leader": r"^Leader: (.*)$",
    "timer": r"^Election timer: (\d+)$",
    "entries": r"^Log: \[(.*)\]$",
    "uncommitted": r"^Entries not yet committed: (\d+)$",
    "unapplied": r"^Entries not yet applied: (\d+)$",
}
_SERVER = re.compile(r"^    (\S+) \((\S+) at \w+:(.*):\d+\)(?: \(self\))?(.*)$", re.MULTILINE)


class Failed(Exception):
    """The server said no, or nothing; what it said."""


class Raft:
    """One member's server, by its control socket and the name of its database."""

    def __init__(self, control, database):
        self.control, self.database = control, database

    def tell(self, *command, seconds=5):
        """Run one command of the server; its answer. Raises Failed."""
        argv = ["ovs-appctl", f"--timeout={seconds}", "-t", str(self.control), *command]
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"{command[0]}: {(done.stderr or done.stdout).strip()[-300:]}")
        return done.stdout

    def status(self):
        """What this member knows of itself and of the cluster: fields as text, and its members' numbers by address."""
        text = self.tell("cluster/status", self.database)
        found = {name: re.search(pattern, text, re.MULTILINE) for name, pattern in _FIELDS.items()}
        known = {name: match[1] if match else "" for name, match in found.items()}
        suffix = f".{os.environ['CLUSTER_DOMAIN']}"
        found = _SERVER.findall(text.partition("\nServers:")[2])
        known["servers"] = {host.removesuffix(suffix): sid for sid, _, host, _ in found}
        return known
