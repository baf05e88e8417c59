"""Before a member stops: if it is the primary, another one takes over, with nothing lost, in a bounded time.

The guard does it, since nobody else opens and closes the server; this asks it to and waits.
"""

import os
import pathlib
import time

import cluster

DRAINING = pathlib.Path(os.environ["RUN"]) / "draining"


def main():
    end = time.monotonic() + float(os.environ["DRAIN_SECONDS"])
    try:
        with cluster.Connection("localhost", cluster.SERVER, seconds=5) as server:
            if server.info()["role"] != "master":
                return
    except (OSError, cluster.Refused):
        return  # it does not serve: nothing to hand over
    DRAINING.touch()
    while DRAINING.exists() and time.monotonic() < end:
        time.sleep(0.2)


if __name__ == "__main__":
    if len(cluster.MEMBERS) > 1:
        main()
