"""Before the number of members is lowered: wait until those that are too many have left their cluster by themselves.

They leave when the list of members, which this Job has too, does not name them any more. A pod that merely vanishes
keeps its vote, and with three of five gone that way nothing can be decided any more. So this runs before the workloads
change, and fails if a cluster does not let its members go: then nothing else happens, and nothing is lost.
"""

import os
import socket
import sys
import time

import ovsdb

PORT = int(os.environ["PAGES_PORT"])
END = time.monotonic() + float(os.environ["WAIT_SECONDS"])


def there(hosts):
    """Whether any member has an address: at the very first start none has."""
    for host in hosts:
        try:
            socket.getaddrinfo(host, PORT)
        except OSError:
            continue
        return True
    return False


def obstacle(hosts):
    """Why the workload must not change yet; None if it may."""
    seen = [view for view in ovsdb.views(hosts, PORT).values() if view]
    leading = [view for view in seen if view["leads"]]
    if leading:
        surplus = sorted(ovsdb.short(host) for host in leading[0]["servers"] if host not in hosts)
        return f"{', '.join(surplus)} must leave first" if surplus else None
    if len(seen) == len(hosts) and all(view["empty"] for view in seen):
        return None  # nobody has a database yet
    return "no member leads"


def main():
    for kind in ovsdb.DATABASES:
        hosts = ovsdb.listed(kind)
        while there(hosts) and (reason := obstacle(hosts)):
            if time.monotonic() > END:
                sys.exit(
                    f"resize: the {kind} cluster must have a leader and no member too many before its size is "
                    f"changed, but {reason}. Nothing was changed; bring its members back first"
                )
            ovsdb.say("resize", f"waiting: {kind}: {reason}")
            time.sleep(2)
        ovsdb.say("resize", f"{kind}: no member is too many")


if __name__ == "__main__":
    main()
