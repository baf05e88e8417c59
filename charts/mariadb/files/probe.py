"""The kubelet's questions, answered from inside the server's container.

startup, live: the server answers, whatever it says; a lost quorum is no reason to kill it. Before that, start.py may wait for
its peers and a copy may take hours, which the startup probe's patience covers.
ready: synced, in a primary component, open for writes.
"""

import sys
import urllib.error
import urllib.request

import member


def ready():
    try:
        with urllib.request.urlopen(f"http://{member.url_host(member.ADDRESS)}:{member.AGENT_PORT}/ready", timeout=3):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    question = {"startup": member.answers, "live": member.answers, "ready": ready}[sys.argv[1]]
    sys.exit(0 if question() else 1)
