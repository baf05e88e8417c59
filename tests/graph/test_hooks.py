"""Helm's order of hooks is kept by edges: by weight inside an event, before the rest where Helm awaits them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from compiler import annotate, engines, graph
from compiler.model.chart import Role
from compiler.model.manifest import Manifest
from compiler.model.plan import Plan
from compiler.model.site import ArgoCD
from tests.graph.worlds import Part, Thing, World, levels, pairs, world

Hooks = Mapping[str, tuple[str, int]]
"""The events and the weight of each hook, by the component that it is."""

INIT, SYNC, USER, API = (
    Part("init", Role.JOB),
    Part("sync", Role.JOB),
    Part("user", Role.JOB),
    Part("api"),
)
POST: Final = "post-install,post-upgrade"


def site(hooks: Hooks, *parts: Part) -> World:
    """One instance of ``parts``, some of which are hooks."""
    plain = world(Thing("app", parts))
    bundles = tuple(
        replace(one, manifests=tuple(_hook(each, hooks) for each in one.manifests)) for one in plain.bundles
    )
    return replace(plain, bundles=bundles)


def _hook(manifest: Manifest, hooks: Hooks) -> Manifest:
    if manifest.component not in hooks:
        return manifest
    events, weight = hooks[str(manifest.component)]
    helm = (("helm.sh/hook", events), ("helm.sh/hook-weight", str(weight)))
    return replace(manifest, hooks=tuple(events.split(",")), helm=helm)


def inside(plan: Plan) -> set[tuple[str, str]]:
    """Every edge of the instance, without those from the Namespace."""
    return {(one, other) for one, other in pairs(plan) if one.startswith("app/")}


def test_hooks_of_one_event_run_by_weight() -> None:
    """Each after those with the next lower weight, whatever they are called; the reason and the template say so."""
    plan = site({"init": (POST, 5), "sync": (POST, -5), "user": (POST, 0)}, INIT, SYNC, USER).plan()
    assert inside(plan) == {("app/sync", "app/user"), ("app/user", "app/init")}
    (edge,) = (edge for edge in plan.edges if str(edge.after) == "app/init" and str(edge.before) == "app/user")
    assert edge.why == "of the `post-install` hooks openstack/Job app-user has weight 0, openstack/Job app-init 5"
    assert edge.origin.file == "charts/app/templates/user.yaml"


def test_hooks_of_one_weight_have_no_order() -> None:
    assert not inside(site({"init": (POST, 1), "sync": (POST, 1)}, INIT, SYNC).plan())


def test_weights_of_different_events_say_nothing() -> None:
    hooks = {"init": ("post-install", 1), "sync": ("post-upgrade", -1)}
    assert not inside(site(hooks, INIT, SYNC).plan())


def test_a_weight_that_is_no_number_is_zero() -> None:
    """As Helm reads it."""
    whole = site({"init": (POST, 1), "sync": (POST, 7)}, INIT, SYNC)
    odd = (("helm.sh/hook", POST), ("helm.sh/hook-weight", "seven"))
    bundles = tuple(
        replace(one, manifests=tuple(replace(m, helm=odd) if m.component == "sync" else m for m in one.manifests))
        for one in whole.bundles
    )
    assert inside(replace(whole, bundles=bundles).plan()) == {("app/sync", "app/init")}


def test_before_an_installation_comes_before_everything_else() -> None:
    """Before what is no hook, and before what comes after the installation."""
    hooks = {"init": ("pre-install,pre-upgrade", 0), "sync": (POST, -5)}
    assert inside(site(hooks, INIT, SYNC, API).plan()) == {("app/init", "app/api"), ("app/init", "app/sync")}


def test_after_an_installation_waits_for_no_workload() -> None:
    """Helm awaits none; pods that need what the hook does would wait for ever."""
    assert not inside(site({"sync": (POST, 0)}, SYNC, API).plan())


def test_weights_yield_to_the_rest_of_the_order() -> None:
    """A contract that puts the lighter hook last is right; what yielded is told, and there is no circle."""
    hooks = {"init": (POST, -5), "sync": (POST, 0), "user": (POST, 5)}
    plan = site(hooks, replace(INIT, after=("user",)), SYNC, USER).plan()
    assert levels(plan)["app/user"] < levels(plan)["app/init"]
    assert ("app/init", "app/sync") in inside(plan)
    assert {(str(edge.before), str(edge.after)) for edge in plan.yielded} == {("app/sync", "app/user")}
    assert "yielded: app/user after app/sync, which comes after it" in graph.text(graph.picture(plan))


def test_an_agent_holds_no_hook_up() -> None:
    """What gates nothing does not begin to because it is a hook."""
    hooks = {"node": (POST, -5), "sync": (POST, 0)}
    assert not inside(site(hooks, Part("node", Role.AGENT), SYNC).plan())


def test_both_engines_keep_the_order_of_hooks() -> None:
    """By waves and by dependsOn, as every other edge."""
    hooks = {"init": ("pre-install", 0), "sync": (POST, -5), "user": (POST, 5)}
    whole = site(hooks, INIT, SYNC, USER, API).delivered(argocd=ArgoCD(granularity="instance"))
    plan = whole.plan()
    documents = annotate.deliver(whole.site, whole.instances, whole.annotated(), plan)
    found = engines.compiled(whole.site.delivery.output, whole.annotated(), documents)
    proofs = [proof for proof in engines.prove(plan, found) if "hook" in proof.edge.why]
    assert {(proof.engine, proof.construct) for proof in proofs} == {("Argo CD", "wave"), ("Flux", "dependsOn")}
