"""Rules about how workloads are replaced by newer ones of their own: rollouts, and updates of agents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compiler.model.chart import Role
from compiler.model.data import Data
from compiler.relations.untyped import Map, mapping
from compiler.survival import Pods, share
from compiler.validate.rule import SITE_RULES, Finding, View, rule

_SEVERAL: Final = 2
_TENTH: Final = 10
"""The percentage of agents that a rollout may take away at once."""


@rule(SITE_RULES, "OS022", "a rollout takes away no more than can be spared", promise=True)
def rollouts(view: View) -> Iterator[Finding]:
    """Check that rollouts of APIs add a pod before they take one, that those of quorums keep their majority.

    An API has `maxUnavailable: 0` and `maxSurge` of at least one; whatever has several pods has `minReadySeconds`, so
    that a pod which dies in its first seconds stops the rollout instead of the service.

    Why it matters: a bad image or option then costs one pod. Without it, it costs all of them, one second apart.

    Example: the defaults of Kubernetes (a quarter away, `minReadySeconds: 0`).

    Use instead: `common.deployment`, `common.statefulset`.
    """
    for pods in _production(view):
        if pods.kind not in {"Deployment", "StatefulSet"} or pods.count < _SEVERAL:
            continue
        spec = mapping(pods.manifest.data(), "spec")
        strategy = _rolling(spec)
        if pods.kind == "Deployment":
            yield from _surges(view, pods, strategy)
        away = share(strategy.get("maxUnavailable", 1), pods.count)
        if pods.plays is Role.QUORUM and pods.count - away < pods.count // 2 + 1:
            message = (
                f"a rollout of `{pods.name}` takes {away} of {pods.count} members at once, and its majority with them"
            )
            yield _finding(view, pods, message, "`maxUnavailable: 1`", "spec", "updateStrategy")
        if not spec.get("minReadySeconds"):
            message = (
                f"`{pods.name}` must say how long a new pod stays ready before the next "
                "(`minReadySeconds`), but does not"
            )
            yield _finding(view, pods, message, "`minReadySeconds: 10`", "spec")


def _rolling(spec: Map) -> Map:
    return mapping(spec, "strategy", "rollingUpdate") or mapping(spec, "updateStrategy", "rollingUpdate")


def _surges(view: View, pods: Pods, strategy: Map) -> Iterator[Finding]:
    recreate = mapping(pods.manifest.data(), "spec", "strategy").get("type") == "Recreate"
    away = pods.count if recreate else _rounded_down(strategy.get("maxUnavailable", "25%"), pods.count)
    if pods.plays is Role.API and (away or not pods.surge):
        message = (
            f"a rollout of the API `{pods.name}` must add a pod before it takes one away, but may take {away} and add "
            f"{pods.surge}"
        )
        yield _finding(view, pods, message, "`maxUnavailable: 0` and `maxSurge: 1`", "spec", "strategy")
    elif pods.plays is Role.WORKER and away >= pods.count:
        message = f"a rollout of `{pods.name}` may take all of its {pods.count} pods at once"
        yield _finding(view, pods, message, "`maxUnavailable: 1`", "spec", "strategy")


def _rounded_down(written: Data, count: int) -> int:
    """A Deployment's maxUnavailable is rounded down where it is a percentage; every other one up."""
    if isinstance(written, str) and written.endswith("%") and written[:-1].isdigit():
        return count * int(written[:-1]) // 100
    return share(written, count)


@rule(SITE_RULES, "OS023", "agents are replaced slowly, or by hand", promise=True)
def agents(view: View) -> Iterator[Finding]:
    """Check that a DaemonSet is updated `OnDelete`, or a few hosts at a time with `minReadySeconds`.

    Few is one, or at most a tenth of the hosts.

    Why it matters: agents hold the data plane. One that breaks its host's network breaks all hosts in the time that a
    rolling update needs, and that is what the site runs on.

    Example: `maxUnavailable: 100%`; a rolling update without `minReadySeconds`.

    Use instead: `updateStrategy: {type: OnDelete}`, or `maxUnavailable: 1` and `minReadySeconds: 30`.
    """
    for pods in _production(view):
        if pods.kind != "DaemonSet":
            continue
        spec = mapping(pods.manifest.data(), "spec")
        if mapping(spec, "updateStrategy").get("type") == "OnDelete":
            continue
        most = mapping(spec, "updateStrategy", "rollingUpdate").get("maxUnavailable", 1)
        if share(most, 100) > _TENTH or (isinstance(most, int) and most > 1):
            message = f"an update of `{pods.name}` may take `{most}` of its hosts at once: at most one, or 10%, may be"
            yield _finding(view, pods, message, "`maxUnavailable: 1`, or `OnDelete`", "spec", "updateStrategy")
        if not spec.get("minReadySeconds"):
            message = f"an update of `{pods.name}` goes from host to host without waiting (`minReadySeconds`)"
            yield _finding(view, pods, message, "`minReadySeconds: 30`, or `OnDelete`", "spec")


def _production(view: View) -> Iterator[Pods]:
    """Every workload of a site that is not a development one."""
    if not view.site.development:
        yield from view.survey.pods


def _finding(view: View, pods: Pods, message: str, hint: str, *path: str | int) -> Finding:
    subject = view.owner(pods.instance)
    if subject is None:
        return Finding(message, None, hint)
    return Finding(message, subject.origin(pods.manifest), hint, subject.field(pods.manifest, *path))
