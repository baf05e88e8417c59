"""Whether this member may have clients: it reaches a majority, and is not learning. The reason for a no is printed.

Whether it lives is etcd's own page `/livez`, which asks the member about itself only.
"""

import re
import sys
from http import HTTPStatus

import cluster

LEARNER = re.compile(r"^etcd_server_is_learner 1$", re.MULTILINE)


def main():
    try:
        code, text = cluster.get("localhost", "/readyz", seconds=6)
        if code != HTTPStatus.OK:
            return text.strip() or str(code)
        if LEARNER.search(cluster.get("localhost", "/metrics")[1]):
            return "this member is still learning what the others know"
    except OSError as error:
        return f"no answer: {error}"
    return None


if __name__ == "__main__":
    sys.exit(main())
