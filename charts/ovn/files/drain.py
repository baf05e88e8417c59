"""Before a member stops: wait, for a bounded time, until the others are a majority without it.

The server hands over the lead by itself when it is told to end. What this says goes to the log of the container.
"""

import contextlib
import os
import pathlib
import time

import ovsdb

PORT = int(os.environ["PAGES_PORT"])
ME = os.environ["POD_NAME"] + "." + os.environ["DOMAIN"]


def main():
    end = time.monotonic() + float(os.environ["DRAIN_SECONDS"])
    mine = ovsdb.view("localhost", PORT)
    while mine and mine["serves"] and len(mine["servers"]) > 1:
        theirs = ovsdb.views([host for host in mine["servers"] if host != ME], PORT)
        count = sum(1 for view in theirs.values() if view and view["serves"])
        if 2 * count > len(mine["servers"]):
            return
        if time.monotonic() > end:
            ovsdb.say(
                "drain", f"{count} other members of {len(mine['servers'])} serve, no majority; stopping all the same"
            )
            return
        time.sleep(1)
        mine = ovsdb.view("localhost", PORT)


if __name__ == "__main__":
    log = pathlib.Path("/proc/1/fd/1")
    with contextlib.suppress(OSError), log.open("w") as out, contextlib.redirect_stdout(out):
        main()
