"""Give one consumer its account: write into the data what it may do, from where every member takes it.

No server is started again for it. The password itself is not written, only its digest. Running this twice changes
nothing; with another password or other rights it changes those.
"""

import os
import sys
import time

import cluster

USER, RULES = os.environ["USERNAME"], os.environ["RULES"]
END = time.monotonic() + float(os.environ["WAIT_SECONDS"])


def write(rules):
    """Write the account at the primary, and let a majority have it."""
    decision = cluster.decided()
    if decision is None:
        raise OSError("fewer than a majority of the sentinels answer")
    with cluster.Connection(decision.host, cluster.SERVER, seconds=15) as server:
        server.call("HSET", cluster.USERS, USER, rules)
        if server.call("WAIT", cluster.MAJORITY - 1, 10000) < cluster.MAJORITY - 1:
            raise OSError("no majority has it yet")
    return decision.host


def log_in(host):
    """The account as the consumer will use it."""
    with cluster.Connection(host, cluster.SERVER, USER, secret=os.environ["PASSWORD"]) as server:
        server.call("PING")


def main():
    rules = f"on {cluster.digest(os.environ['PASSWORD'])} {RULES}"
    before = ""
    while True:
        try:
            log_in(write(rules))
        except (OSError, cluster.Refused) as error:
            if time.monotonic() > END:
                sys.exit(f"provision: the account {USER} could not be made: {error}")
            if str(error) != before:
                before = str(error)
                cluster.say("provision", f"waiting: {error}")
            time.sleep(1)
        else:
            cluster.say("provision", f"the account {USER} is there: {RULES}")
            return


if __name__ == "__main__":
    main()
