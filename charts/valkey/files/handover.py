"""Let another member be the primary, with nothing lost: close, name a successor, tell Sentinel. The guard does it.

The successor's name is the last thing that is written here. Its guard lets it be promoted when it reads that, so when
it has everything that was written before.
"""

import time

import cluster


def hand_over(server, me, end, size):
    """Whether another one of the first `size` members is the primary before `end`."""
    while time.monotonic() < end:
        copies = cluster.copies(server.info())
        able = [host for host in copies if cluster.ordinal(host) < size and host != me]
        if able:
            name(server, max(able, key=copies.get))
            if promoted(me, end):
                return True
        time.sleep(0.5)
    cluster.say("drain", "no other member could take over in time")
    return False


def name(server, successor):
    """Close this member; the name is its last write."""
    server.together(
        ("CONFIG", "SET", "min-replicas-to-write", 0),
        ("SET", cluster.SUCCESSOR, successor),
        ("CONFIG", "SET", "min-replicas-to-write", cluster.CLOSED),
    )


def promoted(me, end):
    """Ask this member's sentinel until it does it; whether a majority of them names another one."""
    before = ""
    while time.monotonic() < end:
        try:
            with cluster.Connection("localhost", cluster.SENTINEL, "sentinel") as sentinel:
                sentinel.call("SENTINEL", "FAILOVER", cluster.NAME)
        except (OSError, cluster.Refused) as error:
            if str(error) != before:
                before = str(error)
                cluster.say("drain", f"waiting for the sentinel: {error}")
        decision = cluster.decided()
        if decision is not None and decision.certain and decision.host != me:
            cluster.say("drain", f"{cluster.name_of(decision.host)} is the primary now")
            return True
        time.sleep(0.3)
    return False
