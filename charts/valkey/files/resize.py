"""Before the number of members changes: write down how many there are to be, and wait until none that leaves is needed.

Members that are too many are not promoted from then on, and a primary among them hands over. It fails if the cluster
has no primary that takes writes: then nothing else happens, and nothing is lost. With no change it changes nothing.
"""

import os
import socket
import sys
import time

import cluster

END = time.monotonic() + float(os.environ["WAIT_SECONDS"])


def there():
    """Whether any member of the instance has an address: at the very first start none has."""
    for host in cluster.MEMBERS:
        try:
            socket.getaddrinfo(host, cluster.SENTINEL)
        except OSError:
            continue
        return True
    return False


def reached():
    """The sentinels' newest word, of those members that are there already: others are yet to come."""
    answers = [said for said in cluster.at_once(cluster.followed, cluster.MEMBERS).values() if said]
    if not answers:
        raise OSError("no sentinel answers")
    return max(answers, key=lambda said: said[1])[0]


def step():
    """Write the number at the primary. Whether a member that stays is the primary, with copies on those that stay."""
    primary = reached()
    with cluster.Connection(primary, cluster.SERVER, seconds=15) as server:
        if int(server.call("GET", cluster.SIZE) or 0) != len(cluster.MEMBERS):
            server.call("SET", cluster.SIZE, len(cluster.MEMBERS))
            cluster.say("resize", f"there are to be {len(cluster.MEMBERS)} members")
        return primary in cluster.MEMBERS


def main():
    if not there():
        cluster.say("resize", "no member has an address: nothing to do before the first start")
        return
    before = ""
    while True:
        try:
            if step():
                return
            reason = "the primary is a member that leaves; it hands over"
        except (OSError, cluster.Refused) as error:
            reason = str(error)
        if time.monotonic() > END:
            sys.exit(
                f"resize: a primary must take writes before the number of members is changed, but: {reason}. Nothing "
                "was changed; bring the members back first"
            )
        if reason != before:
            before = reason
            cluster.say("resize", f"waiting: {reason}")
        time.sleep(1)


if __name__ == "__main__":
    main()
