"""Before a member stops: wait, for a bounded time, until the others are a majority without it, then hand over the lead.

A member that does not run, or that is alone, has nothing to hand over. What this says goes to the log of the container:
nobody reads the output of a hook.
"""

import contextlib
import os
import pathlib
import time

import cluster
from cluster import Failed

ME = os.environ["POD_NAME"] + "." + os.environ["DOMAIN"]


def others():
    """How many votes the cluster has, and what the other voters that answer say of themselves."""
    voters = [member for member in cluster.listed() if not member.get("isLearner")]
    hosts = [host for host in cluster.MEMBERS if host != ME and any(cluster.ours(m, host) for m in voters)]
    return len(voters), {host: said for host, said in cluster.statuses(hosts).items() if said}


def hand_over(theirs):
    """Let another member lead, if this one does."""
    mine = cluster.status(ME)
    if mine is None or mine["leader"] != mine["header"]["member_id"]:
        return
    best = max(theirs.values(), key=lambda said: said["raftAppliedIndex"])
    cluster.ctl("move-leader", format(best["header"]["member_id"], "x"), hosts=[ME], decode=False)
    cluster.say("drain", f"{best['header']['member_id']:x} leads now")


def main():
    end = time.monotonic() + float(os.environ["DRAIN_SECONDS"])
    reason = ""
    while time.monotonic() < end:
        try:
            votes, theirs = others()
            if votes == 1:
                return
            if 2 * len(theirs) > votes:
                hand_over(theirs)
                return
            reason = f"{len(theirs)} other members of {votes} answer, which is no majority"
        except Failed as error:
            reason = str(error)
            if cluster.status(ME) is None:
                cluster.say("drain", "this member does not run; nothing to hand over")
                return
        time.sleep(1)
    cluster.say("drain", f"{reason}; stopping all the same")


if __name__ == "__main__":
    log = pathlib.Path("/proc/1/fd/1")
    with contextlib.suppress(OSError), log.open("w") as out, contextlib.redirect_stdout(out):
        main()
