"""What is written into the metadata of every object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from compiler import annotate
from compiler.annotate.lifecycles import LIFECYCLES
from compiler.errors import InputError
from compiler.model.data import Data
from compiler.model.manifest import Bundle, Manifest, ObjectId
from tests.graph.worlds import Part, Thing, control_plane, manifest, world

WAVE = "argocd.argoproj.io/sync-wave"
OPTIONS = "argocd.argoproj.io/sync-options"
PRUNE = "kustomize.toolkit.fluxcd.io/prune"
SSA = "kustomize.toolkit.fluxcd.io/ssa"
SUBSTITUTE = "kustomize.toolkit.fluxcd.io/substitute"


def carried(one: Manifest) -> Mapping[str, Data]:
    found = one.metadata_data()["annotations"]
    assert isinstance(found, dict)
    return found


def annotated(one: Manifest) -> Mapping[str, Data]:
    """What ``one`` carries after it was annotated in a site of its own."""
    site = world(Thing("a", ())).with_objects("a", one)
    (bundle,) = (bundle for bundle in site.annotated() if bundle.instance == "a")
    return carried(bundle.manifests[0])


def plain(kind: str, group: str = "", **how: object) -> Manifest:
    return replace(manifest(ObjectId("openstack", kind, group, "x"), "a", "x"), **how)  # type: ignore[arg-type]


def test_every_object_carries_its_wave_as_text() -> None:
    """In writing even where it is 0: without the annotation Argo CD would read a leftover Helm weight."""
    site = control_plane()
    plan = site.plan()
    for bundle in site.annotated():
        for one in bundle.manifests:
            assert carried(one)[WAVE] == str(plan.waves[one.id])


def test_nothing_but_annotations_is_touched() -> None:
    site = control_plane()

    def bare(bundles: tuple[Bundle, ...]) -> list[Manifest]:
        return [replace(one, metadata="") for bundle in bundles for one in bundle.manifests]

    assert bare(site.annotated()) == bare(site.bundles)
    for before, after in zip(site.bundles, site.annotated(), strict=True):
        for one, other in zip(before.manifests, after.manifests, strict=True):
            assert {**other.metadata_data(), "annotations": None} == {**one.metadata_data(), "annotations": None}


def test_annotating_twice_changes_nothing_more() -> None:
    site = control_plane()
    once = site.annotated()
    assert annotate.annotate(once, site.plan()) == once


def test_a_chart_keeps_its_own_annotations() -> None:
    one = manifest(ObjectId("openstack", "Service", "", "x"), "a", "x", annotations={"note": "read me", WAVE: "-5"})
    assert annotated(one) == {"note": "read me", WAVE: "1"}


LIVES = {
    "an ordinary object": (plain("ConfigMap"), {}),
    "a Job, whose name has a digest": (plain("Job", "batch"), {}),
    "a Secret that is filled once": (
        plain("Secret", lifecycle="create-once"),
        {OPTIONS: "Prune=false,Delete=false", PRUNE: "disabled", SSA: "IfNotPresent"},
    ),
    "an ExternalSecret that fetches once": (
        plain("ExternalSecret", "external-secrets.io", lifecycle="create-once"),
        {OPTIONS: "Prune=false,Delete=false", PRUNE: "disabled", SSA: "IfNotPresent"},
    ),
    "a claim": (plain("PersistentVolumeClaim"), {OPTIONS: "Prune=false,Delete=false", PRUNE: "disabled"}),
    "what its chart wants kept": (
        plain("ConfigMap", helm=(("helm.sh/resource-policy", "keep"),)),
        {OPTIONS: "Prune=false,Delete=false", PRUNE: "disabled"},
    ),
    "a script with variables": (plain("ConfigMap", body="data:\n  a: echo ${HOME}\n"), {SUBSTITUTE: "disabled"}),
    "a command with variables": (plain("Deployment", "apps", body="args: ['${x}']\n"), {SUBSTITUTE: "disabled"}),
    "Kubernetes' own variables": (plain("Deployment", "apps", body="args: ['$(x)']\n"), {}),
}


@pytest.mark.parametrize("life", LIVES, ids=str)
def test_what_an_engine_may_do_to_an_object(life: str) -> None:
    one, expected = LIVES[life]
    assert annotated(one) == {WAVE: "1", **expected}


def test_a_namespace_is_never_deleted_by_an_engine() -> None:
    """Everything in it would go with it."""
    (own, *_) = world(Thing("a", ())).annotated()
    assert carried(own.manifests[0]) == {WAVE: "0", OPTIONS: "Prune=false,Delete=false", PRUNE: "disabled"}


def test_options_of_a_chart_and_ours_are_united() -> None:
    """Where both say something of one option, ours holds."""
    one = manifest(
        ObjectId("openstack", "PersistentVolumeClaim", "", "x"),
        "a",
        "x",
        annotations={OPTIONS: "Validate=false, Prune=true"},
    )
    assert annotated(one)[OPTIONS] == "Validate=false,Prune=false,Delete=false"


def test_the_table_of_lifecycles_names_each_once() -> None:
    assert len({row.name for row in LIFECYCLES}) == len(LIFECYCLES)


def test_a_hook_of_argo_cd_is_refused() -> None:
    """All of them at once."""
    hooks = [
        manifest(
            ObjectId("openstack", "Job", "batch", name), "a", name, annotations={"argocd.argoproj.io/hook": "Sync"}
        )
        for name in ("one", "two")
    ]
    site = world(Thing("a", (Part("x"),))).with_objects("a", *hooks)
    with pytest.raises(InputError) as caught:
        site.annotated()
    hint = "no hook: put its component `after` others in the chart's contract, and let others come after it"
    assert str(caught.value) == "\n\n".join(
        f"error: openstack/Job {name} must not be a hook, but its template says `argocd.argoproj.io/hook: Sync`\n"
        f"  --> a/templates/{name}.yaml:1:1\n"
        f"  try: {hint}"
        for name in ("one", "two")
    )
