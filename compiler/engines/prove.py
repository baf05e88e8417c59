"""Of every edge of an order: which construct of the emitted files makes an engine keep it, or the pods themselves.

======================  ===============================================================================================
construct               what holds the edge
======================  ===============================================================================================
wave                    Argo CD awaits the wave of the one before it begins that of the other, in one Application
kind                    the same wave, and Argo CD applies the first kind before the second
dependsOn               Flux awaits the Kustomization of the one before it applies that of the other
stage                   one Kustomization, which applies definitions before everything else
the API server          refuses the one until the other is there, and the engine tries again without end
the pods' own wait      every pod of the one waits for the address behind which the pods of the other are
its own attempts        a Job that waits for the address, and cannot be done before the other is: it is tried again
through others          a chain of edges that are held
======================  ===============================================================================================

Sources: ``argocd.py`` and ``flux.py`` beside this module, which the tests hold against the engines' own words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from compiler.engines import health
from compiler.engines.application import Application
from compiler.engines.cluster import leads_to
from compiler.engines.kustomization import KIND, Kustomization, stages
from compiler.engines.objects import Applied
from compiler.engines.revision import Revision
from compiler.engines.tasks import RANK
from compiler.model.manifest import ObjectId
from compiler.model.plan import Edge, Plan, Vertex
from compiler.model.reach import Reach

NOTHING: Final = ""
"""The construct of an edge that nothing holds."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What holds one edge on one engine; ``NOTHING`` if nothing does, and ``lack`` what it would take."""

    engine: str
    edge: Edge
    construct: str
    lack: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The objects of one vertex as an engine has them: who applies them, and in which waves."""

    objects: tuple[Applied, ...]
    owners: frozenset[str]

    @property
    def running(self) -> tuple[Applied, ...]:
        """Those that make pods."""
        return tuple(each for each in self.objects if each.runs)

    @property
    def instant(self) -> bool:
        """Whether all of it is done as soon as it exists."""
        return all(each.id.kind in health.INSTANT for each in self.objects)


def prove(plan: Plan, revision: Revision) -> tuple[Proof, ...]:
    """What holds each edge of ``plan`` on each engine that ``revision`` has delivery objects for."""
    found: list[Proof] = []
    for engine, owners in (("Argo CD", _applications(revision)), ("Flux", _kustomizations(revision))):
        if owners:
            found += _proved(engine, plan, owners)
    return tuple(found)


def owners(revision: Revision) -> Mapping[str, tuple[Application, ...] | tuple[Kustomization, ...]]:
    """Every Application and every Kustomization of a revision, with what each applies, by kind."""
    return {"Application": _applications(revision), "Kustomization": _kustomizations(revision)}


Owner = Application | Kustomization


def _applications(revision: Revision) -> tuple[Application, ...]:
    of_kind = [
        each for objects in revision.files.values() for each in objects if each.kind == ("argoproj.io", "Application")
    ]
    return tuple(Application.of(each, revision) for each in of_kind)


def _kustomizations(revision: Revision) -> tuple[Kustomization, ...]:
    of_kind = [each for objects in revision.files.values() for each in objects if each.kind == KIND]
    return tuple(Kustomization.of(each, revision) for each in of_kind)


def _proved(engine: str, plan: Plan, owners: Sequence[Owner]) -> Iterator[Proof]:
    groups = _groups(plan, owners)
    judge = _ArgoCD(owners, groups) if engine == "Argo CD" else _Flux(owners, groups)
    direct = {edge: judge.held(edge) for edge in plan.edges}
    chains = _chains(plan, direct)
    for edge, construct in direct.items():
        through = construct or chains(edge)
        yield Proof(engine, edge, through, "" if through else judge.lack(edge))


def _groups(plan: Plan, owners: Sequence[Owner]) -> Mapping[Vertex, Group]:
    objects: defaultdict[Vertex, list[Applied]] = defaultdict(list)
    names: defaultdict[Vertex, set[str]] = defaultdict(set)
    for owner in owners:
        for each in owner.objects:
            home = plan.homes.get(each.id)
            if home is not None:
                objects[home].append(each)
                names[home].add(owner.name)
    return {vertex: Group(tuple(found), frozenset(names[vertex])) for vertex, found in objects.items()}


_EMPTY: Final = Group((), frozenset())


class _ArgoCD:
    """Argo CD's constructs."""

    def __init__(self, owners: Sequence[Owner], groups: Mapping[Vertex, Group]) -> None:
        self._groups = groups
        self._of = {owner.name: owner for owner in owners if isinstance(owner, Application)}
        self._pods = _Pods(groups)

    def held(self, edge: Edge) -> str:
        """The construct that holds ``edge``."""
        before, after = self._groups.get(edge.before, _EMPTY), self._groups.get(edge.after, _EMPTY)
        if len(before.owners | after.owners) == 1:
            return self._inside(before, after)
        if before.instant:
            return "the API server" if self._retried(after) and _needed(before, after) else NOTHING
        return self._pods.held(before, after)

    def _inside(self, before: Group, after: Group) -> str:
        last = max((each.wave for each in before.objects), default=0)
        first = min((each.wave for each in after.objects), default=0)
        if last < first:
            return NOTHING if _unknown(before, health.ARGOCD) else "wave"
        ranks = (
            [RANK.get(each.id.kind, 0) for each in before.objects],
            [RANK.get(each.id.kind, 0) for each in after.objects],
        )
        return "kind" if last == first and before.instant and max(ranks[0]) < min(ranks[1]) else NOTHING

    def lack(self, edge: Edge) -> str:
        """Why nothing holds ``edge``."""
        before, after = self._groups.get(edge.before, _EMPTY), self._groups.get(edge.after, _EMPTY)
        if unknown := _unknown(before, health.ARGOCD):
            return f"Argo CD cannot tell whether {unknown} is healthy"
        if len(before.owners | after.owners) == 1:
            return "they are applied in one wave, or in the wrong order"
        return f"they are in two Applications, and {_pods(after)} not wait for an address of `{edge.before}`"

    def _retried(self, group: Group) -> bool:
        return all(self._of[name].attempts < 0 for name in group.owners)


class _Flux:
    """Flux's constructs."""

    def __init__(self, owners: Sequence[Owner], groups: Mapping[Vertex, Group]) -> None:
        self._groups = groups
        self._of = {owner.name: owner for owner in owners if isinstance(owner, Kustomization)}

    def held(self, edge: Edge) -> str:
        """The construct that holds ``edge``."""
        before, after = self._groups.get(edge.before, _EMPTY), self._groups.get(edge.after, _EMPTY)
        if before.owners == after.owners:
            return "stage" if self._staged(before, after) else NOTHING
        depends = all(before.owners <= {*self._of[n].depends_on} - self._of[n].told for n in after.owners)
        return "dependsOn" if depends and self._awaited(before) else NOTHING

    def lack(self, edge: Edge) -> str:
        """Why nothing holds ``edge``."""
        before = self._groups.get(edge.before, _EMPTY)
        owners = [self._of[name] for name in before.owners]
        unknown = next((each for each in before.objects if not _awaited_by(each, owners)), None)
        if unknown is not None:
            return f"Flux does not wait until {unknown.id} is healthy"
        return "no Kustomization of the one depends on that of the other"

    def _staged(self, before: Group, after: Group) -> bool:
        names = {each.id: name for name, objects in stages((*before.objects, *after.objects)) for each in objects}
        order = ("definitions", "classes", "everything else")
        last = max((order.index(names[each.id]) for each in before.objects), default=0)
        return last < min((order.index(names[each.id]) for each in after.objects), default=0)

    def _awaited(self, group: Group) -> bool:
        owners = [self._of[name] for name in group.owners]
        return all(_awaited_by(each, owners) for each in group.objects)


def _awaited_by(applied: Applied, owners: Iterable[Kustomization]) -> bool:
    return applied.id.kind in health.INSTANT or any(owner.awaits(applied) for owner in owners)


def _unknown(group: Group, known: Collection[tuple[str, str]]) -> ObjectId | None:
    """An object whose health cannot be told, if there is one."""
    found = (each.id for each in group.objects if each.id.kind not in health.INSTANT and each.kind not in known)
    return next(found, None)


def _pods(group: Group) -> str:
    running = group.running
    return f"the pods of {running[0].id} do" if running else "nothing of the second makes pods, so it does"


class _Pods:
    """What pods hold by themselves: the only construct between Applications, and after a power loss."""

    def __init__(self, groups: Mapping[Vertex, Group]) -> None:
        every = [each for group in groups.values() for each in group.objects]
        self._services = {(each.id.namespace, each.id.name): each for each in every if each.id.kind == "Service"}
        self._vertex = {each.id: vertex for vertex, group in groups.items() for each in group.objects}

    def held(self, before: Group, after: Group) -> str:
        """The pods' own wait for an address of ``before``, or of the instance whose Job ``before`` is."""
        waiting = after.running
        if not waiting or not before.running:
            return NOTHING
        if all(self._waits(each, before) for each in waiting):
            return "the pods' own wait"
        jobs = all(each.id.kind == "Job" for each in (*waiting, *before.running))
        return "its own attempts" if jobs and all(self._near(each, before) for each in waiting) else NOTHING

    def near(self, before: Group, after: Group) -> str:
        """The pods' own wait for any address of the instance that ``before`` belongs to."""
        return "the pods' own wait" if all(self._near(each, before) for each in after.running) else NOTHING

    def _waits(self, one: Applied, before: Group) -> bool:
        services = (self._services.get((wait.namespace, wait.name)) for wait in one.waits if wait.kind == "Service")
        behind = [service for service in services if service is not None]
        return all(any(leads_to(service, pod) for service in behind) or _job(one, pod) for pod in before.running)

    def _near(self, one: Applied, before: Group) -> bool:
        """Whether it waits for an address of the instance that ``before`` belongs to."""
        instances = {self._vertex[each.id].instance for each in before.objects}
        services = (self._services.get((wait.namespace, wait.name)) for wait in one.waits)
        return bool({self._vertex[each.id].instance for each in services if each is not None} & instances)


def _job(one: Applied, pod: Applied) -> bool:
    """Whether pods wait for that very Job."""
    return any((w.kind, w.namespace, w.name) == (pod.id.kind, pod.id.namespace, pod.id.name) for w in one.waits)


def _needed(before: Group, after: Group) -> bool:
    """Whether the API server refuses ``after`` until ``before`` is there: its Namespace, a class that pods name."""
    there = {each.id for each in before.objects}
    namespaces = {one.name for one in there if one.kind == "Namespace"}
    named = {(need.kind, need.name) for each in after.objects for need in each.needs}
    return all(each.id.namespace in namespaces or not each.id.namespace for each in after.objects) or any(
        (one.kind, one.name) in named for one in there
    )


def _chains(plan: Plan, direct: Mapping[Edge, str]) -> Callable[[Edge], str]:
    """What says of an edge whether a chain of edges that are held leads along it."""
    if all(direct.values()):
        return lambda _: NOTHING
    before: defaultdict[Vertex, set[Vertex]] = defaultdict(set)
    for edge, construct in direct.items():
        if construct:
            before[edge.after].add(edge.before)
    reach = Reach(before, sorted(plan.levels, key=lambda vertex: plan.levels[vertex]))
    return lambda edge: "through others" if reach.precedes(edge.before, edge.after) else NOTHING


def after_power_loss(plan: Plan, revision: Revision) -> tuple[Proof, ...]:
    """What holds each edge when every pod starts at once and no engine has anything to do: what pods do themselves.

    Jobs that are done stay done, so an edge that begins at one is an edge from the instance that it belongs to.
    """
    objects = {each.id: each for found in revision.files.values() for each in found}
    by: defaultdict[Vertex, list[Applied]] = defaultdict(list)
    for object_id, vertex in plan.homes.items():
        by[vertex].append(objects[object_id])
    groups = {vertex: Group(tuple(found), frozenset()) for vertex, found in by.items()}
    pods = _Pods(groups)
    direct: dict[Edge, str] = {}
    for edge in plan.edges:
        before, after = groups[edge.before], groups[edge.after]
        between = edge.before.instance != edge.after.instance and before.running
        if _comes_back(after) and (_comes_back(before) or between):
            direct[edge] = pods.held(before, after) if _comes_back(before) else pods.near(before, after)
    chains = _chains(plan, direct)
    return tuple(Proof("after a loss of power", edge, construct or chains(edge)) for edge, construct in direct.items())


def _comes_back(group: Group) -> bool:
    """Whether anything of it starts again."""
    return any(each.id.kind not in {"Job", "CronJob"} for each in group.running)
