"""Probes of one member: `probe.py startup | live | ready`. Exit 0 is yes; the reason for a no is printed.

startup  the member is there: waiting for others, booting, or running. A member without quorum waits in its boot as
         long as it takes; that is not a failure.
live     a running member answers an HTTP request by itself. It asks nobody else, and a member without quorum, under
         maintenance or with an alarm passes.
ready    it accepts clients, and it reaches so many members that they are a majority.
"""

import os
import socket
import sys
import urllib.error
import urllib.request

TIMEOUT = float(os.environ["PROBE_TIMEOUT"])
AMQP, METRICS, DISTRIBUTION = (int(os.environ[name]) for name in ("AMQP_PORT", "METRICS_PORT", "RABBITMQ_DIST_PORT"))
UNREACHABLE = "rabbitmq_unreachable_cluster_peers_count "


def listens(port):
    try:
        socket.create_connection(("localhost", port), timeout=TIMEOUT).close()
        return True
    except OSError:
        return False


def metrics():
    """The text of the metrics page. Raises OSError if the member does not answer."""
    return urllib.request.urlopen("http://localhost:%d/metrics" % METRICS, timeout=TIMEOUT).read().decode()


def startup():
    return None if listens(DISTRIBUTION) else "nothing listens on the distribution port"


def live():
    if not listens(METRICS):  # not booted yet
        return startup()
    try:
        metrics()
    except urllib.error.HTTPError:
        pass  # an answer
    return None


def ready():
    if not listens(AMQP):
        return "no client listener: booting, waiting for a quorum, or under maintenance"
    lines = [line for line in metrics().splitlines() if line.startswith(UNREACHABLE)]
    if not lines:
        return "the metrics page does not say how many members are out of reach"
    members = len(os.environ["MEMBERS"].split())
    unreachable = int(float(lines[0].split()[-1]))
    if 2 * unreachable >= members:
        return "%d of %d members are out of reach: no majority" % (unreachable, members)
    return None


def main():
    try:
        reason = {"startup": startup, "live": live, "ready": ready}[sys.argv[1]]()
    except OSError as error:
        reason = "no answer: %s" % error
    sys.exit(reason)


if __name__ == "__main__":
    main()
