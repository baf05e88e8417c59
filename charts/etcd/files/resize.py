"""Before the number of members is lowered: take those that are too many out of the cluster, while they still run.

A pod that merely vanishes keeps its vote, and with three of five gone that way nothing can be decided any more. So this
runs before the workload changes, one member after the other, the highest first, and fails if the cluster has no
majority: then nothing else happens, and nothing is lost. With no member too many it changes nothing.
"""

import os
import socket
import sys
import time

import cluster
from cluster import Failed

END = time.monotonic() + float(os.environ["WAIT_SECONDS"])


def there():
    """Whether any member of the instance has an address: at the very first start none has."""
    for host in cluster.MEMBERS:
        try:
            socket.getaddrinfo(host, cluster.CLIENT)
        except OSError:
            continue
        return True
    return False


def surplus(members):
    """The members that are too many, the highest first."""
    names = [cluster.name_of(host) for host in cluster.MEMBERS]
    gone = [member for member in members if member.get("name") and member["name"] not in names]
    return sorted(gone, key=lambda member: cluster.ordinal(member["name"]), reverse=True)


def step():
    """Remove one member that is too many. Whether there are more."""
    found = surplus(cluster.listed())
    if not found:
        return False
    cluster.ctl("member", "remove", cluster.number(found[0]))
    cluster.say("resize", f"{found[0]['name']} is no member any more")
    return len(found) > 1


def main():
    more = there()
    if not more:
        cluster.say("resize", "no member has an address: nothing to do before the first start")
    while more:
        try:
            more = step()
        except Failed as error:
            if time.monotonic() > END:
                sys.exit(
                    f"resize: the cluster must have a majority before its size is changed, but: {error}. Nothing was "
                    "changed; bring its members back first"
                )
            cluster.say("resize", f"waiting: {error}")
        time.sleep(1)


if __name__ == "__main__":
    main()
