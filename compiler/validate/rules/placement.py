"""Rules about where pods run, and who goes first when there is no room."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from compiler.model.chart import Role
from compiler.model.data import Data
from compiler.model.diagnostic import Severity
from compiler.model.topology import HOSTNAME, ZONE
from compiler.relations.untyped import Map, items, mapping
from compiler.survival import Pods, selects
from compiler.validate.rule import SITE_RULES, Finding, View, rule

_SEVERAL: Final = frozenset({Role.API, Role.WORKER, Role.QUORUM})
_STATELESS: Final = frozenset({Role.API, Role.WORKER})
_LOST: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_STRONGEST: Final = 100
"""The weight above which Kubernetes takes none."""

_RANKS: Final = {Role.QUORUM: 0, Role.API: 1, Role.WORKER: 1, Role.SINGLETON: 1, Role.JOB: 2, Role.CRON: 2}
"""Who goes first where there is no room for all; agents are on every host anyway."""

_PATIENCE: Final = 60
"""Seconds after which a pod without state must leave a host that does not answer."""


@rule(SITE_RULES, "OS020", "pods of one component are kept apart", promise=True)
def apart(view: View) -> Iterator[Finding]:
    """Check that components of several pods have anti-affinity and a topology spread over hosts, and over zones.

    The anti-affinity is required, or preferred with weight 100; both select the component's own pods. What binds (a
    required anti-affinity, a spread with `DoNotSchedule`) selects no others, which it would hold apart from these as
    well. Zones are asked for where every host that admits the pods is in one, and there are two or more. Whether it is
    enough is OS029's to prove.

    Why it matters: the scheduler has no opinion of its own about what belongs together; the emptiest host gets all
    three.

    Example: a spread whose selector names another component; zones in the topology that no pod knows of.

    Use instead: `common.pod.scheduling` with the component's role and `replicas`.
    """
    zoned, neighbours = _zoned(view), _Neighbours.of(view)
    for pods in _several(view):
        for term, key in _binding(pods.spec):
            other = neighbours.caught(pods, term.get("labelSelector"))
            if other is not None:
                message = f"what keeps the pods of `{pods.name}` apart selects those of `{other.name}` too"
                yield _finding(view, pods, message, "a selector of name, instance and component", key)
        preferred = items(pods.spec, "affinity", "podAntiAffinity", "preferredDuringSchedulingIgnoredDuringExecution")
        required = items(pods.spec, "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
        strong = (each for each in preferred if each.get("weight") == _STRONGEST)
        terms = [*required, *(mapping(each, "podAffinityTerm") for each in strong)]
        if HOSTNAME not in {
            str(term.get("topologyKey")) for term in terms if selects(term.get("labelSelector"), pods.labels)
        }:
            message = (
                f"`{pods.name}` must keep its {pods.count} pods apart by anti-affinity over `{HOSTNAME}`, but does not"
            )
            yield _finding(view, pods, message, "required, or preferred with weight 100", "affinity")
        spreads = list(items(pods.spec, "topologySpreadConstraints"))
        own = {str(each.get("topologyKey")) for each in spreads if selects(each.get("labelSelector"), pods.labels)}
        for key in (HOSTNAME, *((ZONE,) if pods.manifest.id in zoned else ())):
            if key not in own:
                message = f"`{pods.name}` must spread its {pods.count} pods over `{key}`, but does not"
                yield _finding(view, pods, message, "a topology spread that selects them", "topologySpreadConstraints")


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """The pods of a site by namespace and label, so that those which a selector catches are found without a search."""

    labelled: Mapping[tuple[str, str, str], list[Pods]]

    @classmethod
    def of(cls, view: View) -> _Neighbours:
        found: defaultdict[tuple[str, str, str], list[Pods]] = defaultdict(list)
        for pods in view.survey.pods:
            for key, value in pods.labels.items():
                found[pods.manifest.id.namespace, key, value].append(pods)
        return cls(found)

    def caught(self, pods: Pods, selector: Data) -> Pods | None:
        """Other pods of the namespace that ``selector`` of ``pods`` selects. It must name a label to be judged."""
        wanted = mapping(selector, "matchLabels").items()
        near = [self.labelled.get((pods.manifest.id.namespace, key, str(value)), []) for key, value in wanted]
        others = (each for each in min(near, key=len, default=[]) if each.manifest.id != pods.manifest.id)
        return next((each for each in others if selects(selector, each.labels)), None)


def _binding(spec: Map) -> Iterator[tuple[Map, str]]:
    """What the scheduler must heed of what keeps pods apart, and at which key it stands."""
    for term in items(spec, "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"):
        yield term, "affinity"
    for spread in items(spec, "topologySpreadConstraints"):
        if spread.get("whenUnsatisfiable") != "ScheduleAnyway":
            yield spread, "topologySpreadConstraints"


def _zoned(view: View) -> frozenset[object]:
    """The workloads whose hosts are all in zones, of which there are two or more."""
    topology = view.site.topology
    if topology is None or any(not group.zone for group in topology.hosts):
        return frozenset()
    return frozenset(row.pods.manifest.id for row in view.survey.rows if len(row.zones) > 1)


@rule(SITE_RULES, "OS026", "pods without state leave a lost host within a minute", Severity.WARNING)
def leaves(view: View) -> Iterator[Finding]:
    """Check that APIs and workers tolerate a host that is not ready, or not reachable, for at most 60 seconds.

    Why it matters: Kubernetes waits 300 seconds by default before it starts a lost pod elsewhere (on top of the 40
    to 50 that it takes to notice), and for all of them one replica is missing.

    Example: no `tolerations`; `tolerationSeconds: 300`; a toleration without seconds, which is for ever.

    Use instead: `common.pod.scheduling`, which writes 30.
    """
    for pods in _several(view):
        if pods.plays not in _STATELESS:
            continue
        for key in _LOST:
            seconds = _patience(pods.spec, key)
            if seconds is None or not 0 <= seconds <= _PATIENCE:
                waits = (
                    "for 300 seconds, as it says nothing"
                    if seconds is None
                    else "for ever"
                    if seconds < 0
                    else f"for {seconds} seconds"
                )
                message = (
                    f"`{pods.name}` must leave a host with the taint `{key}` within {_PATIENCE} "
                    f"seconds, but stays {waits}"
                )
                hint = f"`{{key: {key}, operator: Exists, effect: NoExecute, tolerationSeconds: 30}}`"
                yield _finding(view, pods, message, hint, "tolerations")


def _patience(spec: Map, key: str) -> int | None:
    """For how long the pod tolerates the taint: None where it says nothing, -1 for ever."""
    for toleration in items(spec, "tolerations"):
        if toleration.get("key") in {None, "", key} and toleration.get("effect") in {None, "", "NoExecute"}:
            seconds = toleration.get("tolerationSeconds")
            return seconds if isinstance(seconds, int) else -1
    return None


@rule(SITE_RULES, "OS027", "pods have the priority of their role", Severity.WARNING)
def priorities(view: View) -> Iterator[Finding]:
    """Check that every pod of a site that survives by its room names a priority class, of its role alone.

    Members of a quorum go before APIs and workers, and these before Jobs: no two of them share a class. Only sites
    whose topology gives capacity are asked: where room is short after a loss, priority is what decides who gets it.

    Why it matters: without priorities the scheduler starts whichever pod comes first, and a batch Job can keep the
    database from its place.

    Example: pods without `priorityClassName`.

    Use instead: `scheduling.priorityClasses.<role>` in the values of each chart, or `site.priorityClasses.<role>`
    for all; the classes are the cluster's own.
    """
    topology = view.site.topology
    if view.site.development or topology is None or all(each.capacity.memory is None for each in topology.hosts):
        return
    for pods in view.survey.pods:
        if not pods.spec.get("priorityClassName"):
            message = f"`{pods.name}` must name the priority class of its role (`{pods.plays}`), but names none"
            yield _finding(view, pods, message, f"`priorityClasses: {{{pods.plays}: ...}}`", "priorityClassName")
    yield from _shared(view)


def _shared(view: View) -> Iterator[Finding]:
    """Each class that pods of two ranks share, told of the second."""
    first: dict[str, Pods] = {}
    told: set[str] = set()
    for pods in view.survey.pods:
        name, rank = pods.spec.get("priorityClassName"), _RANKS.get(pods.plays)
        if rank is None or not isinstance(name, str) or name in told:
            continue
        other = first.setdefault(name, pods)
        if _RANKS[other.plays] != rank:
            told.add(name)
            message = (
                f"`{other.name}` (`{other.plays}`) and `{pods.name}` (`{pods.plays}`) share the priority class "
                f"`{name}`, so neither goes first"
            )
            yield _finding(view, pods, message, "a class for each role", "priorityClassName")


def _several(view: View) -> Iterator[Pods]:
    """Workloads of several equal pods, outside development."""
    if view.site.development:
        return
    for row in view.survey.rows:
        if row.pods.plays in _SEVERAL and row.pods.count > 1:
            yield row.pods


def _finding(view: View, pods: Pods, message: str, hint: str, key: str) -> Finding:
    subject = view.owner(pods.instance)
    return Finding(message, subject.origin(pods.manifest) if subject else None, hint, pods.at(key))
