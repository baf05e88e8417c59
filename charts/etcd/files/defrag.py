"""Give the space that compaction has freed back to the file system, one member after the other, the leader last.

A member answers nobody while its store is rewritten, so it is done only where it is worth it, and only while every
member is there. The alarm that a full store raised is taken back once all of them have room again.
"""

import os
import sys

import cluster
from cluster import Failed

SHARE = float(os.environ["SHARE"])


def wasted(said):
    """The part of a member's store that holds nothing."""
    return 1 - said["dbSizeInUse"] / max(said["dbSize"], 1)


def main():
    answers = cluster.statuses(cluster.MEMBERS)
    missing = [cluster.name_of(host) for host, said in answers.items() if said is None]
    if missing:
        sys.exit(f"defrag: every member must answer, but these do not: {', '.join(missing)}. Nothing was done")
    leads = {host: said["leader"] == said["header"]["member_id"] for host, said in answers.items()}
    for host in sorted(answers, key=lambda host: leads[host]):
        share = wasted(answers[host])
        if share < SHARE:
            cluster.say("defrag", f"{cluster.name_of(host)}: {share:.0%} is free; left alone")
            continue
        cluster.ctl("defrag", hosts=[host], seconds=300, decode=False)
        after = cluster.status(host)
        cluster.say(
            "defrag", f"{cluster.name_of(host)}: {answers[host]['dbSize']} bytes, now {after and after['dbSize']}"
        )
    sizes = [said["dbSize"] for said in cluster.statuses(cluster.MEMBERS).values() if said]
    if len(sizes) == len(answers) and max(sizes) < 0.9 * float(os.environ["QUOTA"]):
        cluster.ctl("alarm", "disarm", decode=False)


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        sys.exit(f"defrag: stopped: {error}. The next run goes on")
