"""Which kinds are awaited: every one whose health an engine can tell, and no other."""

from __future__ import annotations

from typing import Final

import pytest

from compiler.engines import Rehearsal, health
from compiler.engines.objects import Applied
from compiler.engines.revision import Revision
from compiler.model.manifest import ObjectId

APPLICATION: Final = Applied(
    ObjectId("argocd", "Application", "argoproj.io", "site"),
    "app.yaml",
    spec={"source": {"path": "site"}, "syncPolicy": {"automated": {}}},
)
NEXT: Final = Applied(
    ObjectId("default", "ConfigMap", "", "next"), "site/b.yaml", {"argocd.argoproj.io/sync-wave": "1"}
)
KUSTOMIZATION: Final = Applied(
    ObjectId("flux-system", "Kustomization", "kustomize.toolkit.fluxcd.io", "site"),
    "ks.yaml",
    spec={"path": "site", "wait": True},
)


def broken(group: str, kind: str) -> Applied:
    """An object that never becomes healthy."""
    return Applied(ObjectId("default", kind, group, "broken"), "site/a.yaml", text=kind)


def played(begin: str, root: Applied, *objects: Applied) -> Rehearsal:
    """A first install of ``objects``, the first of which never becomes healthy."""
    found = Revision("commit 1", {root.path: (root,), **{each.path: (each,) for each in objects}})
    play = (Rehearsal.argocd if begin == "argocd" else Rehearsal.flux)(found, [root])
    play.cluster.broken.add(objects[0].id)
    play.run()
    return play


@pytest.mark.parametrize(("group", "kind"), sorted(health.ARGOCD), ids=lambda each: each or "core")
def test_a_kind_whose_health_is_known_is_awaited(group: str, kind: str) -> None:
    """Argo CD: built in, and by a script; the next wave does not begin."""
    play = played("argocd", APPLICATION, broken(group, kind), NEXT)
    assert NEXT.id in play.stuck().absent


@pytest.mark.parametrize(("group", "kind"), [("", "ConfigMap"), ("example.org", "Own"), ("batch", "CronJob")])
def test_no_other_kind_is_awaited(group: str, kind: str) -> None:
    play = played("argocd", APPLICATION, broken(group, kind), NEXT)
    assert NEXT.id in play.cluster.objects


@pytest.mark.parametrize(("group", "kind"), sorted(health.FLUX_BUILT_IN), ids=lambda each: each or "core")
def test_flux_waits_for_kinds_that_it_knows(group: str, kind: str) -> None:
    play = played("flux", KUSTOMIZATION, broken(group, kind))
    assert not any("is ready" in entry.what for entry in play.log.entries)
