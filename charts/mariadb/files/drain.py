"""preStop: leave only when the others can do without this member.

A member that still holds the majority together keeps serving until the others are synced. When all members are asked
to stop, they first stop taking writes together, so that afterwards no position is newer than any other, whoever comes
back.
Every wait is bounded: past it the pod stops anyway, and the next start decides with what it can know (see decide.py).
"""

import os
import subprocess
import time

import member

DRAIN = float(os.environ["DRAIN_SECONDS"])
HAND_OVER = float(os.environ["HAND_OVER_SECONDS"])


def others():
    return {o: r for o, r in member.states().items() if o != member.ORDINAL and r["serving"]}


def everybody_stops(mine, rest):
    return len(rest) == mine["size"] - 1 and all(r["draining"] for r in rest.values())


def may_leave(mine, rest):
    """The others are all synced, and those who stay are a majority.

    Of two that are asked to stop, the one with the higher ordinal goes; the other waits for it to come back.
    """
    staying = [o for o, r in rest.items() if not r["draining"] or o < member.ORDINAL]
    first = all(o < member.ORDINAL for o, r in rest.items() if r["draining"])
    return (
        first
        and len(staying) >= member.MAJORITY
        and all(r["synced"] for r in rest.values())
        and len(rest) == mine["size"] - 1
    )


def wait_for_turn():
    """True: leave, the others carry on. False: everybody stops."""
    until = time.monotonic() + DRAIN
    while time.monotonic() < until:
        mine = member.state_of(member.ADDRESS)
        if not mine or not mine["serving"]:
            return True
        rest = others()
        if everybody_stops(mine, rest):
            return False
        if may_leave(mine, rest):
            return True
        time.sleep(0.5)
    member.say(f"the others were not ready within {DRAIN:.0f} s; stopping anyway")
    return True


def seal():
    """No more writes here; wait until nobody in the component takes any."""
    member.sql("SET GLOBAL read_only = ON;", timeout=30)
    member.SEALED.touch()
    until = time.monotonic() + DRAIN / 2
    while time.monotonic() < until:
        if all(r["sealed"] for r in others().values()):
            member.remember(left="sealed")
            member.say("all members stop and take no more writes")
            return
        time.sleep(0.2)


def main():
    member.DRAINING.touch()
    try:
        others_stay = wait_for_turn()
        member.LEAVING.touch()
        if others_stay:
            time.sleep(HAND_OVER)  # the proxies see it and give the clients to another member
        else:
            seal()
    except (subprocess.SubprocessError, OSError) as error:
        member.say(f"stopping without an agreement: {error}")


if __name__ == "__main__":
    main()
