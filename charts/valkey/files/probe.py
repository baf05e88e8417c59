"""Whether this member's sentinel answers. It is asked about itself only."""

import sys

import cluster

if __name__ == "__main__":
    try:
        with cluster.Connection("localhost", cluster.SENTINEL, account="", seconds=4) as sentinel:
            sys.exit(0 if sentinel.call("PING") == "PONG" else 1)
    except (OSError, cluster.Refused) as error:
        sys.exit(f"the sentinel does not answer: {error}")
