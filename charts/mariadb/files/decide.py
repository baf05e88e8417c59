"""Who continues the cluster, after any stop: a pure function of what the members report.

Galera acknowledges a write when every member of the primary component has it in the same order. So the newest primary
component that ever took writes holds all of them, and the question after a stop is only: could there have been a newer
component, made of members that do not answer now?

Let V be the newest component (view) that any answering member recorded, `missing` its members that do not answer, and
`gone` its answering members that left it in good order. Galera lets a part of V go on alone only if it is more than half
of V without those that left in good order. Hence, if

    2 * |missing| <= |V| - |gone|

the missing members cannot have gone on, and the highest position among the answering ones has every acknowledged write
that reached them. Otherwise only a human may decide. On top of that a minority of the configured members never
elects anybody, unless it is all of V and every other member has answered that it holds nothing.

Missing members are waited for, since the last writes may be on their disks alone after a power loss. That is not needed when
V stopped in good order as a whole: then all its members had stopped taking writes together ("sealed") before the first one left.

A member that was missing at an election may hold events at positions that the others then used for different ones. So every
start of the cluster is recorded by its members (number, position, who): a member and a cluster that know different starts below
the member's position have parted, and the member takes a full copy instead of the difference.

Whoever starts the cluster is alone at first, and may fail before a majority follows. So the start's number becomes the epoch
of a member only in a component with a majority, and writes begin when a majority has it (agent.py). Two majorities share a
member, so a later election always meets the newest epoch that took writes, and an older one never wins it.
"""

from collections import namedtuple

Decision = namedtuple("Decision", "action choice reason", defaults=(None, ""))
"""action: join | copy (join with a full copy) | create | bootstrap | wait; choice: the ordinal this member is for, or COPY."""

COPY = "copy"  # as a choice: wants a full copy
NOTHING = "00000000-0000-0000-0000-000000000000"


def has_position(report):
    return report["phase"] == "waiting" and report["uuid"] != NOTHING and report["seqno"] >= 0


def newest(reports):
    """The report that knows most starts of the cluster."""
    return max(reports.values(), key=lambda r: r["forks"][-1][:2] if r["forks"] else [0, 0])


def parting(mine, theirs):
    """Positions of the starts that only one of two members knows: beyond the lowest they may have different histories."""
    return [start[1] for start in [*mine, *theirs] if (start in mine) != (start in theirs)]


def has_vote(report):
    return has_position(report) and not report["incomplete"]


def is_empty(report):
    return report["phase"] == "waiting" and not report["data"] and not report["incomplete"]


def is_unfinished(report):
    """It needs a full copy, by Galera's verdict or ours: what it holds does not count, and it has acknowledged nothing since."""
    return report["phase"] == "waiting" and report["incomplete"]


def decide(me, count, reports, patience_over=False, force=""):
    """What member `me` of `count` does, given {ordinal: report} of those that answer (its own included)."""
    serving = {o: r for o, r in reports.items() if o != me and r["serving"]}
    if serving:
        return _follow(me, reports, serving, patience_over)
    busy = sorted(
        o
        for o, r in reports.items()
        if o != me and (r["phase"] == "running" or r["phase"] == "starting" and r["action"] in ("create", "bootstrap"))
    )
    if busy:
        return Decision(
            "wait", reason=f"members {busy} run, but without a primary component; they find one or step back"
        )
    return _elect(me, count, reports, patience_over, force)


def _follow(me, reports, serving, patience_over):
    """Join those who serve, but never let their copy replace the data of another cluster."""
    mine = reports[me]
    clusters = sorted({r["uuid"] for r in serving.values()})
    if len(clusters) > 1:
        return Decision("wait", reason=f"members serve different clusters: {clusters}. Stop all but the right one")
    if mine["uuid"] not in (NOTHING, clusters[0]):
        return Decision(
            "wait",
            reason=f"this volume holds cluster {mine['uuid']}, but members {sorted(serving)} serve {clusters[0]}; joining would erase it. Give this member an empty volume if that is meant",
        )
    parted = min(parting(mine["forks"], newest(serving)["forks"]), default=mine["seqno"])
    if parted < mine["seqno"]:
        reason = f"the cluster went on from {parted} without this member, which is at {mine['seqno']}"
    elif mine["incomplete"] or not has_position(mine):
        reason = f"no usable data here; members {sorted(serving)} serve"
    else:
        return Decision("join", reason=f"members {sorted(serving)} serve")
    turn = _turn(me, reports)
    if turn is None or patience_over:
        return Decision("copy", COPY, reason)
    return Decision("wait", COPY, f"{reason}; {turn}")


def _turn(me, reports):
    """What a full copy still waits for, or None. One at a time: each costs a donor, and a member that just had one lacks what the next would ask it for."""
    if reports[me]["choice"] != COPY:
        return "the others must know first that a copy is wanted"
    before = [o for o, r in reports.items() if o < me and r["phase"] == "waiting" and r["choice"] == COPY]
    moving = [o for o, r in reports.items() if o != me and r["phase"] in ("starting", "running") and not r["synced"]]
    return f"members {sorted({*before, *moving})} come first" if before or moving else None


def _elect(me, count, reports, patience_over, force):
    voters = {o: r for o, r in reports.items() if has_vote(r)}
    silent = sorted(set(range(count)) - set(reports))
    # A volume that never was a member's, or that was being filled, is known to hold nothing.
    unknown = [
        o
        for o in range(count)
        if o not in voters and not (o in reports and (is_empty(reports[o]) or is_unfinished(reports[o])))
    ]
    if force and _matches(force, reports):
        chosen = int(force.partition("@")[0])
        action = "create" if force.endswith("@empty") else "bootstrap"
        return Decision(action if chosen == me else "wait", chosen, f"`recovery.force` names member {chosen}")
    if not voters:
        return _begin(me, reports, silent)
    clusters = sorted({r["uuid"] for r in voters.values()})
    if len(clusters) > 1:
        return Decision(
            "wait", reason=f"the volumes hold different clusters: {clusters}. Give the wrong members empty volumes"
        )

    last = max(voters.values(), key=lambda r: (r["epoch"], r["view_seqno"]))
    view = set(last["view"] or range(count))
    missing = {o for o in view - set(voters) if o not in reports or not is_unfinished(reports[o])}
    gone = {o for o in view & set(voters) if voters[o]["left"] == "clean"}
    chosen = max(voters, key=lambda o: (voters[o]["epoch"], voters[o]["seqno"], -o))
    best = voters[chosen]
    way_out = f"To continue from what is here anyway, set `recovery.force` to `{chosen}@{best['uuid']}:{best['seqno']}`"
    if 2 * len(missing) > len(view) - len(gone):
        return Decision(
            "wait",
            reason=f"members {sorted(missing)} may have gone on without the others and hold newer writes. {way_out}",
        )
    if 2 * len(voters) <= count and (missing or unknown):
        return Decision(
            "wait",
            reason=f"only {len(voters)} of {count} members have data and answer, which is no majority. {way_out}",
        )
    sealed = any(voters[o]["left"] == "sealed" for o in view & set(voters))
    if missing and not sealed and not patience_over:
        return Decision("wait", reason=f"members {sorted(missing)} do not answer with a position yet")
    against = sorted(o for o, r in voters.items() if o != me and r["choice"] != chosen)
    if chosen != me or against:
        return Decision(
            "wait",
            chosen,
            f"member {chosen} has the highest position, {best['seqno']}"
            + (f"; members {against} have not agreed yet" if against else ""),
        )
    return Decision("bootstrap", chosen, f"highest position {best['seqno']} of members {sorted(voters)}")


def _begin(me, reports, silent):
    """A new cluster: only when every member answers, and every one says that its volume never held anything."""
    if silent:
        return Decision(
            "wait",
            reason=f"no member has data, but {silent} do not answer: they may have. To create a new cluster anyway, set `recovery.force` to `0@empty`",
        )
    used = sorted(o for o, r in reports.items() if r["uuid"] != NOTHING or r["data"] or r["incomplete"])
    if used:
        return Decision(
            "wait",
            reason=f"the volumes of members {used} held a cluster, but no usable data is left. Restore a backup, or empty all volumes",
        )
    unready = sorted(o for o, r in reports.items() if r["phase"] != "waiting" or o != me and r["choice"] != 0)
    if me == 0 and not unready:
        return Decision("create", 0, "every member answers and every volume is empty")
    return Decision("wait", 0, "member 0 creates the cluster")


def _matches(force, reports):
    """`ordinal@uuid:seqno` names a position a member really has, so that the setting is inert ever after; `ordinal@empty` wants no data anywhere."""
    ordinal, _, position = force.partition("@")
    if not ordinal.isdecimal() or int(ordinal) not in reports:
        return False
    if position == "empty":
        return not any(r["data"] for r in reports.values())
    chosen = reports[int(ordinal)]
    return has_position(chosen) and f"{chosen['uuid']}:{chosen['seqno']}" == position
