"""A client of the caches, run in the network of the tests: keys spread over the members as oslo.cache spreads them.

It says when it has begun, sets and gets until standard input ends, then prints JSON: how much was asked, how much failed
with an error, how much missed, how many members were used, and the longest time without a success.
"""

from __future__ import annotations

import importlib
import json
import select
import sys
import time
from typing import Any

hashing: Any = importlib.import_module("pymemcache.client.hash")  # no types are published for it
exceptions: Any = importlib.import_module("pymemcache.exceptions")
FAILURES = (OSError, exceptions.MemcacheError)


def ended() -> bool:
    return bool(select.select([sys.stdin], [], [], 0)[0]) and not sys.stdin.readline()


def main() -> None:
    members = [(host, 11211) for host in sys.argv[1:]]
    # As oslo.cache sets it up: a member that fails is put aside, and asked again later.
    client = hashing.HashClient(
        members, connect_timeout=1, timeout=1, retry_attempts=1, dead_timeout=3, use_pooling=True
    )
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    asked, failed, missed, gap, last = 0, 0, 0, 0.0, time.monotonic()
    while not ended():
        key, asked = f"key-{asked % 100}", asked + 1
        try:
            client.set(key, "value", noreply=False)
            missed += client.get(key) is None
            gap, last = max(gap, time.monotonic() - last), time.monotonic()
        except FAILURES:
            failed += 1
        time.sleep(0.005)
    used = sum(int(member.stats()[b"cmd_set"]) > 0 for member in client.clients.values())
    sys.stdout.write(
        json.dumps({"asked": asked, "failed": failed, "missed": missed, "used": used, "gap": round(gap, 1)})
    )


if __name__ == "__main__":
    main()
