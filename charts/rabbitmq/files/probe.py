"""Probes of one member: `probe.py startup | live | ready`. Exit 0 is yes; the reason for a no is printed.

startup  the member is there: waiting for others, booting, or running. A member without quorum waits in its boot as
         long as it takes; that is not a failure.
live     a running member answers an HTTP request by itself. It asks nobody else, and a member without quorum, under
         maintenance or with an alarm passes.
ready    it accepts clients, and it reaches so many members that they are a majority.
"""

import contextlib
import os
import re
import socket
import sys
import urllib.error
import urllib.request

TIMEOUT = float(os.environ["PROBE_TIMEOUT"])
AMQP, METRICS, DISTRIBUTION = (int(os.environ[name]) for name in ("AMQP_PORT", "METRICS_PORT", "RABBITMQ_DIST_PORT"))
CONNECTED = re.compile(r'^erlang_vm_dist_node_state\{peer="[^"@]*@([^"]*)"\} 3$', re.MULTILINE)


def listens(port):
    with contextlib.suppress(OSError):
        socket.create_connection(("localhost", port), timeout=TIMEOUT).close()
        return True
    return False


def metrics():
    """The text of the metrics page. Raises OSError if the member does not answer."""
    return urllib.request.urlopen(f"http://localhost:{METRICS}/metrics", timeout=TIMEOUT).read().decode()


def startup():
    return None if listens(DISTRIBUTION) else "nothing listens on the distribution port"


def live():
    if not listens(METRICS):  # not booted yet
        return startup()
    with contextlib.suppress(urllib.error.HTTPError):  # an error is an answer, too
        metrics()
    return None


def ready():
    if not listens(AMQP):
        return "no client listener: booting, waiting for a quorum, or under maintenance"
    members = os.environ["MEMBERS"].split()
    reached = 1 + len(set(CONNECTED.findall(metrics())) & set(members))
    if 2 * reached <= len(members):
        return f"reaches {reached} of {len(members)} members, itself included: no majority"
    return None


def main():
    try:
        reason = {"startup": startup, "live": live, "ready": ready}[sys.argv[1]]()
    except OSError as error:
        reason = f"no answer: {error}"
    sys.exit(reason)


if __name__ == "__main__":
    main()
