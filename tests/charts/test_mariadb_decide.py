"""Who continues a Galera cluster after a stop: the rule, by cases and against a model of what can happen to members."""

from __future__ import annotations

import importlib.util
import random
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FILE = Path(__file__).parents[2] / "charts" / "mariadb" / "files" / "decide.py"
UUID, OTHER = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("decide", FILE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


rule = load()


def empty(**more: object) -> dict[str, Any]:
    """The report of a member with a new volume."""
    report = {
        "phase": "waiting", "action": "", "choice": None, "uuid": rule.NOTHING, "seqno": -1, "data": False, "incomplete": False,
        "view": [], "view_seqno": -1, "left": "crash", "epoch": 0, "forks": [], "serving": False, "synced": False,
    }  # fmt: skip
    return {**report, **more}


def holds(seqno: int, *view: int, **more: object) -> dict[str, Any]:
    """The report of a member that waits with data; its last view began at position 1 unless said."""
    return empty(**{"uuid": UUID, "seqno": seqno, "data": True, "view": list(view), "view_seqno": 1, **more})


def serves(**more: object) -> dict[str, Any]:
    return empty(**{"phase": "running", "uuid": UUID, "serving": True, "synced": True, "data": True, **more})


CASES: dict[str, tuple[int, dict[int, dict[str, Any]], dict[str, Any], tuple[str, str]]] = {
    # name: (this member, reports, arguments, (action, part of the reason))
    "all empty: member 0 creates": (
        0,
        {0: empty(choice=0), 1: empty(choice=0), 2: empty(choice=0)},
        {},
        ("create", "every volume is empty"),
    ),
    "all empty: the others wait for member 0": (
        1,
        {0: empty(choice=0), 1: empty(choice=0), 2: empty(choice=0)},
        {},
        ("wait", "member 0 creates"),
    ),
    "empty and one silent: nobody creates": (
        0,
        {0: empty(choice=0), 1: empty(choice=0)},
        {"patience_over": True},
        ("wait", "they may have"),
    ),
    "empty while others serve: a copy": (
        0,
        {0: empty(choice="copy"), 1: serves(), 2: serves()},
        {},
        ("copy", "no usable data"),
    ),
    "one copy at a time": (
        2,
        {0: serves(), 1: empty(choice="copy"), 2: empty(choice="copy")},
        {},
        ("wait", "members [1] come first"),
    ),
    "no copy from a member that just takes one": (
        2,
        {0: serves(), 1: serves(synced=False), 2: empty(choice="copy")},
        {},
        ("wait", "members [1] come first"),
    ),
    "another cluster's data is not erased": (
        0,
        {0: holds(5, 0, uuid=OTHER), 1: serves()},
        {"patience_over": True},
        ("wait", "would erase it"),
    ),
    "the highest continues": (
        1,
        {0: holds(7, 0, 1, 2, choice=1), 1: holds(9, 0, 1, 2, choice=1), 2: holds(8, 0, 1, 2, choice=1)},
        {},
        ("bootstrap", "highest position, 9"),
    ),
    "not before all agree": (
        1,
        {0: holds(7, 0, 1, 2), 1: holds(9, 0, 1, 2, choice=1), 2: holds(8, 0, 1, 2, choice=1)},
        {},
        ("wait", "[0] have not agreed"),
    ),
    "equal positions: the lowest ordinal": (
        0,
        {0: holds(9, 0, 1, 2, choice=0), 1: holds(9, 0, 1, 2, choice=0), 2: holds(9, 0, 1, 2, choice=0)},
        {},
        ("bootstrap", ""),
    ),
    "one absent: not at once": (
        0,
        {0: holds(9, 0, 1, 2, choice=0), 1: holds(9, 0, 1, 2, choice=0)},
        {},
        ("wait", "members [2] do not answer"),
    ),
    "one absent: after some patience": (
        0,
        {0: holds(9, 0, 1, 2, choice=0), 1: holds(9, 0, 1, 2, choice=0)},
        {"patience_over": True},
        ("bootstrap", ""),
    ),
    "one absent, all stopped together: at once": (
        0,
        {0: holds(9, 0, 1, 2, choice=0, left="sealed"), 1: holds(9, 0, 1, 2, choice=0, left="sealed")},
        {},
        ("bootstrap", ""),
    ),
    "one absent that was lost before: at once": (
        0,
        {0: holds(9, 0, 1, choice=0), 1: holds(9, 0, 1, choice=0)},
        {},
        ("bootstrap", ""),
    ),
    "one absent that others left to itself": (
        0,
        {0: holds(9, 0, 1, 2, left="clean"), 1: holds(9, 0, 1, 2, left="clean")},
        {"patience_over": True},
        ("wait", "may have gone on"),
    ),
    "a minority": (2, {2: holds(9, 2)}, {"patience_over": True}, ("wait", "no majority")),
    "a minority of the last component": (
        2,
        {2: holds(9, 0, 1, 2)},
        {"patience_over": True},
        ("wait", "may have gone on"),
    ),
    "the only one with data, and everybody knows": (
        2,
        {0: empty(choice=2), 1: empty(choice=2), 2: holds(9, 2, choice=2)},
        {},
        ("bootstrap", ""),
    ),
    "two volumes lost": (
        2,
        {0: empty(), 1: empty(), 2: holds(9, 0, 1, 2)},
        {"patience_over": True},
        ("wait", "may have gone on"),
    ),
    "members that were taking a copy do not count": (
        0,
        {0: holds(9, 0, 1, 2, choice=0), 1: empty(incomplete=True), 2: empty(incomplete=True)},
        {},
        ("bootstrap", ""),
    ),
    "a shrunk component went on elsewhere": (
        0,
        {0: holds(9, 0, 1, 2, 3, 4), 1: holds(9, 0, 1, 2, 3, 4), 2: holds(12, 2, 3, 4, view_seqno=10)},
        {"patience_over": True},
        ("wait", "[3, 4] may have gone on"),
    ),
    "a newer epoch beats a higher position": (
        1,
        {0: holds(99, 0, 1, 2, choice=1), 1: holds(9, 1, 2, choice=1, epoch=1), 2: holds(9, 1, 2, choice=1, epoch=1)},
        {},
        ("bootstrap", ""),
    ),
    "beyond where histories parted: a copy": (
        0,
        {0: holds(99, 0, 1, 2, choice="copy"), 1: serves(epoch=1, forks=[[1, 9, "x"]])},
        {},
        ("copy", "went on from 9"),
    ),
    "up to where histories parted: the difference": (
        0,
        {0: holds(9, 0, 1, 2), 1: serves(epoch=1, forks=[[1, 9, "x"]])},
        {},
        ("join", ""),
    ),
    "the same number, but another start: a copy": (
        0,
        {0: holds(10, 0, forks=[[1, 9, "y"]], choice="copy"), 1: serves(epoch=1, forks=[[1, 9, "x"]])},
        {},
        ("copy", "went on from 9"),
    ),
    "a server without a quorum is waited for": (
        0,
        {0: holds(9, 0, 1, 2), 1: serves(serving=False), 2: holds(9, 0, 1, 2)},
        {"patience_over": True},
        ("wait", "step back"),
    ),
    "force names a position that is there": (
        2,
        {2: holds(9, 0, 1, 2)},
        {"force": f"2@{UUID}:9"},
        ("bootstrap", "`recovery.force`"),
    ),
    "force is inert once the position moved on": (
        2,
        {2: holds(10, 0, 1, 2)},
        {"force": f"2@{UUID}:9"},
        ("wait", "may have gone on"),
    ),
    "force cannot create beside data": (0, {0: empty(), 1: holds(1, 1)}, {"force": "0@empty"}, ("wait", "no majority")),
    "force never beats a cluster that serves": (
        0,
        {0: holds(9, 0), 1: serves()},
        {"force": f"0@{UUID}:9"},
        ("join", ""),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    me, reports, arguments, (action, reason) = CASES[name]
    count = max(5 if "shrunk" in name else 3, *reports)
    decision = rule.decide(me, count, reports, **arguments)
    assert (decision.action, reason in decision.reason) == (action, True), decision


@dataclass
class Member:
    """A modelled member: the history it has on disk, and what Galera and the scripts record beside it."""

    history: list[int] = field(default_factory=list)  # the event at each position
    view: list[int] = field(default_factory=list)
    view_seqno: int = -1
    left: str = "running"
    epoch: int = 0
    forks: list[list[Any]] = field(default_factory=list)
    up: bool = True
    open: bool = False  # for writes: it stood in a majority since it started


class World:
    """Members as Galera treats them: what a component acknowledges, every one of its members has."""

    def __init__(self, count: int, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self.members = [Member() for _ in range(count)]
        self.component: set[int] = set(range(count))
        self.acknowledged: list[int] = []
        self.events = 0
        self.asked: list[Member] = []
        self.change(set(self.component))

    def append(self) -> int:
        """One event, the same for every member of the component."""
        self.events += 1
        for o in self.component:
            self.members[o].history.append(self.events)
        return self.events

    def write(self) -> None:
        """A client's write, where it is let in."""
        if any(self.members[o].open for o in self.component):
            self.acknowledged.append(self.append())

    def change(self, members: set[int]) -> None:
        """A new primary component; the change is an event too, and every member records it."""
        self.component = members
        self.append()
        for o in members:
            member = self.members[o]
            member.view, member.view_seqno, member.left = sorted(members), len(member.history), "running"
            if 2 * len(members) > len(self.members):
                member.open, member.epoch = True, member.forks[-1][0] if member.forks else 0

    def lose(self, lost: set[int], left: str) -> None:
        """Members crash, are cut off ("crash") or leave in good order ("clean"); the rest goes on if Galera's quorum lets it."""
        lost &= self.component
        rest = self.component - lost
        gone = len(lost) if left == "clean" else 0
        for o in lost:
            self.members[o].up, self.members[o].left = False, left
        if 2 * len(rest) > len(self.component) - gone:
            self.change(rest)
        else:
            for o in rest:  # without a primary component; they step back to wait
                self.members[o].up, self.members[o].left = False, "idle"
            self.component = set()

    def seal(self) -> None:
        """All stop in good order, having stopped taking writes together."""
        for o in self.component:
            self.members[o].up, self.members[o].left = False, "sealed"
        self.component = set()

    def report(self, o: int) -> dict[str, Any]:
        """What member `o` would report now."""
        m = self.members[o]
        if o in self.component:
            return serves(epoch=m.epoch, forks=m.forks)
        more = {"view_seqno": m.view_seqno, "left": m.left, "epoch": m.epoch, "forks": m.forks}
        return holds(len(m.history), *m.view, **more)

    def come_back(self, answering: set[int]) -> None:
        """Those who answer decide; the model is that nobody else exists."""
        reports = {o: self.report(o) for o in answering | self.component}
        for _ in range(2):
            decisions = {o: rule.decide(o, len(self.members), reports, patience_over=True) for o in answering}
            reports = {o: {**r, "choice": decisions[o].choice if o in decisions else None} for o, r in reports.items()}
        self.asked = [self.members[o] for o in answering]
        for o, decision in decisions.items():
            if decision.action == "bootstrap":
                assert not self.component, "two members started the cluster"
                self.start(o)
            elif decision.action in ("join", "copy"):
                self.join(o, decision.action)

    def start(self, o: int) -> None:
        """Member `o` starts the cluster, alone at first."""
        member = self.members[o]
        assert set(self.acknowledged) <= set(member.history), "an acknowledged write is lost"
        number = 1 + max((f[0] for m in self.asked for f in m.forks), default=0)
        member.forks = [*member.forks, [number, len(member.history), self.events]]
        member.up, member.open = True, False
        self.change({o})

    def join(self, o: int, action: str) -> None:
        """Member `o` follows those who serve."""
        member, peer = self.members[o], self.members[min(self.component)]
        if action == "join":
            assert peer.history[: len(member.history)] == member.history, "a difference was applied to another history"
        member.history, member.forks = list(peer.history), list(peer.forks)
        member.epoch = peer.epoch
        member.up, member.open = True, False
        self.change(self.component | {o})


def lives(world: World, steps: int) -> int:
    """Random things happen; the number of times that the cluster came back from a full stop."""
    choose, starts, count = world.random, 0, len(world.members)
    for _ in range(steps):
        down = {o for o, m in enumerate(world.members) if not m.up}
        what = choose.choices(["write", "crash", "leave", "return", "seal", "power"], [6, 3, 2, 4, 1, 1])[0]
        some = set(choose.sample(range(count), choose.randint(1, count)))
        if what == "write" and world.component:
            world.write()
        elif what == "crash" and world.component:
            world.lose(some, "crash")
        elif what == "leave" and world.component:
            world.lose({min(some)}, "clean")
        elif what == "return" and some & down:
            before = bool(world.component)
            world.come_back(some & down)
            starts += not before and bool(world.component)
        elif what == "seal" and world.component:
            world.seal()
        elif what == "power" and world.component:
            world.lose(set(world.component), "crash")
    return starts


@pytest.mark.parametrize("count", [1, 3, 5, 7])
def test_no_acknowledged_write_is_lost_in_hundreds_of_lives(count: int) -> None:
    """Whoever answers after whatever happened: who continues has every write, nobody continues twice, nobody applies a difference to another history."""
    assert sum(lives(World(count, seed), 60) for seed in range(300)) > 300
