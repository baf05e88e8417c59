"""Who continues the cluster, after any stop: a pure function of what the members report.

Galera acknowledges a write when every member of the primary component has it in the same order. So the newest primary
component that ever took writes holds all of them, and the question after a stop is only: could there have been a newer
component, made of members that do not answer now?

Let V be the newest component (view) that any answering member recorded, `missing` its members that do not answer, and
`gone` its answering members that left it in good order. Galera lets a part of V go on alone only if it is more than
half of V without those that left in good order. Hence, if

    2 * |missing| <= |V| - |gone|

the missing members cannot have gone on, and the highest position among the answering ones has every acknowledged write
that reached them. Otherwise only a human may decide. On top of that a minority of the configured members never elects
anybody, unless it is all of V and every other member has answered that it holds nothing.

Missing members are waited for, since the last writes may be on their disks alone after a power loss. That is not needed
when V stopped in good order as a whole: then all its members had stopped taking writes together ("sealed") before the
first one left.

A member that was missing at an election may hold events at positions that the others then used for different ones. So
every start of the cluster is recorded by its members (number, position, who): a member and a cluster that know
different starts below the member's position have parted, and the member takes a full copy instead of the difference.

Whoever starts the cluster is alone at first, and may fail before a majority follows. So the start's number becomes the
epoch of a member only in a component with a majority, and writes begin when a majority has it (agent.py). Two
majorities share a member, so a later election always meets the newest epoch that took writes, and an older one never
wins it.
"""

from typing import NamedTuple

COPY = "copy"  # as a choice: wants a full copy
NOTHING = "00000000-0000-0000-0000-000000000000"


class Decision(NamedTuple):
    """What to do (join, copy, create, bootstrap or wait), the ordinal this member is for (or COPY), and why."""

    action: str
    choice: int | str | None = None
    reason: str = ""


def decide(me, count, reports, *, patience_over=False, force=""):
    """What member `me` of `count` does, given {ordinal: report} of those that answer (its own included)."""
    serving = {o: r for o, r in reports.items() if o != me and r["serving"]}
    if serving:
        return _follow(me, reports, serving, patience_over)
    busy = sorted(o for o, r in reports.items() if o != me and is_busy(r))
    if busy:
        return Decision("wait", None, f"members {busy} run without a primary component; they find one or step back")
    if _matches(force, reports):
        chosen, _, position = force.partition("@")
        action = "create" if position == "empty" else "bootstrap"
        return Decision(action if chosen == str(me) else "wait", int(chosen), f"`recovery.force` names member {chosen}")
    if any(has_vote(r) for r in reports.values()):
        return _elect(me, count, reports, patience_over)
    return _begin(me, count, reports)


def has_position(report):
    return report["phase"] == "waiting" and report["uuid"] != NOTHING and report["seqno"] >= 0


def has_vote(report):
    return has_position(report) and not report["incomplete"]


def is_busy(report):
    """It may become the primary component at any moment."""
    starts = report["phase"] == "starting" and report["action"] in ("create", "bootstrap")
    return starts or report["phase"] == "running"


def is_empty(report):
    return report["phase"] == "waiting" and not report["data"] and not report["incomplete"]


def is_unfinished(report):
    """It needs a full copy: what it holds does not count, and it has acknowledged nothing since."""
    return report["phase"] == "waiting" and report["incomplete"]


def newest(reports):
    """The report that knows most starts of the cluster."""
    return max(reports.values(), key=lambda r: r["forks"][-1][:2] if r["forks"] else [0, 0])


def parting(mine, theirs):
    """Positions of the starts that only one of two members knows; beyond the lowest, their histories may differ."""
    return [start[1] for start in [*mine, *theirs] if (start in mine) != (start in theirs)]


def _follow(me, reports, serving, patience_over):
    """Join those who serve, but never let their copy replace the data of another cluster."""
    mine, names = reports[me], sorted(serving)
    clusters = sorted({r["uuid"] for r in serving.values()})
    if len(clusters) > 1:
        return Decision("wait", None, f"members serve different clusters: {clusters}. Stop all but the right one")
    if mine["uuid"] not in (NOTHING, clusters[0]):
        reason = (
            f"this volume holds cluster {mine['uuid']}, but members {names} serve {clusters[0]}; joining would erase it"
        )
        return Decision("wait", None, f"{reason}. Give this member an empty volume if that is meant")
    parted = min(parting(mine["forks"], newest(serving)["forks"]), default=mine["seqno"])
    if parted < mine["seqno"]:
        reason = f"the cluster went on from {parted} without this member, which is at {mine['seqno']}"
    elif has_vote(mine):
        return Decision("join", None, f"members {names} serve")
    else:
        reason = f"no usable data here; members {names} serve"
    turn = _turn(me, reports)
    if turn is None or patience_over:
        return Decision("copy", COPY, reason)
    return Decision("wait", COPY, f"{reason}; {turn}")


def _turn(me, reports):
    """What a full copy still waits for, or None.

    One at a time: each costs a donor, and a member that just had one lacks what the next would ask it for.
    """
    if reports[me]["choice"] != COPY:
        return "the others must know first that a copy is wanted"
    before = [o for o, r in reports.items() if o < me and r["phase"] == "waiting" and r["choice"] == COPY]
    moving = [o for o, r in reports.items() if o != me and r["phase"] in ("starting", "running") and not r["synced"]]
    return f"members {sorted({*before, *moving})} come first" if before or moving else None


def _elect(me, count, reports, patience_over):
    """The highest position of the newest epoch continues, if that is safe and all who answer agree."""
    voters = {o: r for o, r in reports.items() if has_vote(r)}
    chosen = max(voters, key=lambda o: (voters[o]["epoch"], voters[o]["seqno"], -o))
    doubt = _doubt(count, reports, voters, voters[chosen]["epoch"], patience_over)
    if doubt:
        position = f"{chosen}@{voters[chosen]['uuid']}:{voters[chosen]['seqno']}"
        return Decision("wait", None, doubt.format(way_out=f"To give that up, set `recovery.force` to `{position}`"))
    against = sorted(o for o, r in voters.items() if o != me and r["choice"] != chosen)
    best = f"member {chosen} has the highest position, {voters[chosen]['seqno']}"
    if against:
        return Decision("wait", chosen, f"{best}; members {against} have not agreed yet")
    return Decision("bootstrap" if chosen == me else "wait", chosen, f"{best}, of members {sorted(voters)}")


def _doubt(count, reports, voters, epoch, patience_over):
    """Why the members that have a position must not continue by themselves (yet), or None."""
    clusters = sorted({r["uuid"] for r in voters.values()})
    if len(clusters) > 1:
        return f"the volumes hold different clusters: {clusters}. Give the wrong members empty volumes"
    last = max((r for r in voters.values() if r["epoch"] == epoch), key=lambda r: r["view_seqno"])
    view = set(last["view"] or range(count))
    missing = {o for o in view - set(voters) if o not in reports or not is_unfinished(reports[o])}
    gone = {o for o in view & set(voters) if voters[o]["left"] == "clean"}
    if 2 * len(missing) > len(view) - len(gone):
        return f"members {sorted(missing)} may have gone on without the others and hold newer writes. {{way_out}}"
    # A volume that never was a member's, or that was being filled, is known to hold nothing.
    known = {o for o, r in reports.items() if o in voters or is_empty(r) or is_unfinished(r)}
    if 2 * len(voters) <= count and (missing or len(known) < count):
        return f"only {len(voters)} of {count} members have data and answer, which is no majority. {{way_out}}"
    sealed = any(voters[o]["left"] == "sealed" for o in view & set(voters))
    if missing and not sealed and not patience_over:
        return f"members {sorted(missing)} do not answer with a position yet"
    return None


def _begin(me, count, reports):
    """A new cluster: only when every member answers, and every one says that its volume never held anything."""
    silent = [o for o in range(count) if o not in reports or reports[o]["phase"] != "waiting"]
    if silent:
        reason = f"no member has data, but {silent} do not answer: they may have"
        return Decision("wait", None, f"{reason}. To create a new cluster anyway, set `recovery.force` to `0@empty`")
    used = sorted(o for o, r in reports.items() if r["uuid"] != NOTHING or r["data"] or r["incomplete"])
    if used:
        reason = f"the volumes of members {used} held a cluster, but no usable data is left"
        return Decision("wait", None, f"{reason}. Restore a backup, or empty all volumes")
    if me == 0 and all(r["choice"] == 0 for o, r in reports.items() if o != me):
        return Decision("create", 0, "every member answers and every volume is empty")
    return Decision("wait", 0, "member 0 creates the cluster")


def _matches(force, reports):
    """Whether a human's decision fits what is there.

    `ordinal@uuid:seqno` names a position a member really has, so the setting is inert ever after; `ordinal@empty` wants
    no data anywhere.
    """
    ordinal, _, position = force.partition("@")
    if not ordinal.isdecimal() or int(ordinal) not in reports:
        return False
    if position == "empty":
        return not any(r["data"] for r in reports.values())
    chosen = reports[int(ordinal)]
    return has_position(chosen) and f"{chosen['uuid']}:{chosen['seqno']}" == position
