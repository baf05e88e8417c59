"""The story of one object: why it is in its wave and in no earlier one."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from compiler.errors import InputError
from compiler.graph.zoom import RUNS
from compiler.model.data import Data
from compiler.model.diagnostic import Diagnostic
from compiler.model.manifest import ObjectId
from compiler.model.names import Wave
from compiler.model.plan import Edge, Plan, Vertex

_SHOWN: Final = 8
_NEAR: Final = 3


@dataclass(frozen=True, slots=True)
class Story:
    """One object, the vertex that it is applied with, and a longest chain of edges that ends there, first to last.

    ``beside`` are the other edges that end at the same vertex: without the chain they would decide its wave. ``held``
    says of an edge, where that is known, by whom it is kept and how (``Argo CD``, ``wave``).
    """

    object: ObjectId
    vertex: Vertex
    wave: Wave
    gates: bool
    chain: tuple[Edge, ...]
    beside: tuple[Edge, ...]
    held: Mapping[Edge, tuple[tuple[str, str], ...]] = field(default_factory=dict, hash=False)

    def text(self) -> str:
        """The chain from wave 0, an edge a step with its reason and place, and what else it comes after."""
        lines = [f"{self.object} is in wave {self.wave}, with {self.vertex}"]
        if not self.gates:
            lines.append("  it gates nothing, so it is in the last wave, whatever comes before it")
        lines += ["", f"wave 0  {self.chain[0].before if self.chain else self.vertex}"]
        for wave, edge in enumerate(self.chain, 1):
            at = self.wave if edge is self.chain[-1] else wave
            lines += [f"wave {at}  {edge.after}", f"        because {edge.why}", f"        --> {edge.origin}"]
            lines += [f"        kept by {how} ({whom})" for whom, how in self.held.get(edge, ())]
        if self.beside:
            lines += ["", f"{self.vertex} also comes after"]
        for edge in self.beside:
            lines += [f"  {edge.before}, because {edge.why}", f"    --> {edge.origin}"]
        return "\n".join(lines)

    def data(self) -> dict[str, Data]:
        """The same for machines."""
        return {
            "object": str(self.object),
            "component": str(self.vertex),
            "wave": self.wave,
            "gates": self.gates,
            "chain": [self._edge(edge) for edge in self.chain],
            "beside": [self._edge(edge) for edge in self.beside],
        }

    def _edge(self, edge: Edge) -> dict[str, Data]:
        ends: dict[str, Data] = {"before": str(edge.before), "after": str(edge.after)}
        return {**ends, "why": edge.why, "place": str(edge.origin), "keptBy": dict(self.held.get(edge, ()))}


def why(plan: Plan, wanted: ObjectId) -> Story:
    """The story of ``wanted``, an object of ``plan``."""
    vertex = plan.homes[wanted]
    into: defaultdict[Vertex, list[Edge]] = defaultdict(list)
    for edge in plan.edges:
        into[edge.after].append(edge)
    chain: list[Edge] = []
    critical, at = frozenset(plan.critical_path), vertex
    while into[at]:
        chain.insert(0, max(into[at], key=lambda edge: (plan.levels[edge.before], edge.before in critical)))
        at = chain[0].before
    beside = tuple(edge for edge in into[vertex] if edge not in chain)
    return Story(wanted, vertex, plan.waves[wanted], vertex in plan.gating, tuple(chain), beside)


def find(plan: Plan, words: str) -> ObjectId:
    """The object that ``words`` name.

    As ``openstack/Deployment keystone-api``, ``deployment/keystone-api``, its file, or just its name (then the one that
    runs, if other objects are called so too).

    Raises ``InputError``, with the nearest names, where there is none, and with all of them where there are several.
    """
    known: defaultdict[str, list[ObjectId]] = defaultdict(list)
    for one in sorted(plan.homes):
        for name in _names(one):
            known[name].append(one)
    asked = words.strip().lower()
    if asked.endswith(".yaml"):
        asked = PurePosixPath(asked).stem
    found = known.get(asked, [])
    running = [one for one in found if one.kind in RUNS]
    for several in (found, running):
        if len(several) == 1:
            return several[0]
    raise InputError([_ambiguous(words, found) if found else _unknown(words, known)])


def _names(one: ObjectId) -> set[str]:
    """Everything that one object may be called, in lower case."""
    kind, name = one.kind.lower(), one.name.lower()
    short = {f"{kind} {name}", f"{kind}/{name}", one.file_name.lower().removesuffix(".yaml")}
    return {name, *short, *(f"{one.namespace}/{each}" for each in short if one.namespace)}


def _ambiguous(words: str, found: Sequence[ObjectId]) -> Diagnostic:
    shown = ", ".join(f"`{one}`" for one in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return Diagnostic(f"`{words}` could be any of {len(found)} objects", hint=f"{shown}{more}")


def _unknown(words: str, known: Mapping[str, Sequence[ObjectId]]) -> Diagnostic:
    close = difflib.get_close_matches(words.lower(), list(known), n=_NEAR)
    near = dict.fromkeys(str(one) for name in close for one in known[name])
    hint = " or ".join(f"`{one}`" for one in list(near)[:_NEAR])
    return Diagnostic(f"the site has no object `{words}`", hint=hint or "`graph --level object` lists them all")
