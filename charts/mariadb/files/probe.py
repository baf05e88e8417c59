"""The kubelet's questions, answered from inside the server's container.

startup: the server answers, whatever it says. Before that start.py may wait for its peers and a copy may take hours,
which the startup probe's patience covers.
live: it answers, and has not left the group for good. A lost quorum is no reason to kill it.
ready: synced, in a primary component, open for writes.
"""

import subprocess
import sys

import member


def ready():
    try:
        member.ask(member.ADDRESS, "/ready", 3).close()
    except OSError:
        return False
    return True


def live():
    try:
        return ["wsrep_connected", "OFF"] not in member.sql("SHOW GLOBAL STATUS LIKE 'wsrep\\_connected';")
    except subprocess.CalledProcessError:
        return member.answers()
    except subprocess.TimeoutExpired:
        return False


if __name__ == "__main__":
    question = {"startup": member.answers, "live": live, "ready": ready}[sys.argv[1]]
    sys.exit(0 if question() else 1)
