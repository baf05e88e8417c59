"""Everything that a user applies by hand, and everything that is taken to be there: a rehearsal can begin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compiler.engines.kustomization import KIND
from compiler.engines.rehearse import Rehearsal
from compiler.engines.revision import Revision
from compiler.model.manifest import ObjectId, Reference

_APPLICATION: Final = ("argoproj.io", "Application")


def rehearsals(revision: Revision, output: str) -> Iterator[tuple[str, Rehearsal]]:
    """One rehearsal on an empty cluster for each engine that the tree below ``output`` has delivery objects for.

    ``kubectl apply -f <output>/argocd`` and ``kubectl apply -k <output>/flux`` begin them. What objects name and no
    file holds is taken to be in the cluster: another rule says whether it may be missing.
    """
    outside = tuple(given(revision))
    if roots := [each for each in revision.folder(f"{output}/argocd") if each.kind == _APPLICATION]:
        yield "Argo CD", Rehearsal.argocd(revision, roots, outside)
    if roots := [each for each in revision.built(f"{output}/flux") if each.kind == KIND]:
        yield "Flux", Rehearsal.flux(revision, roots, outside)


def given(revision: Revision) -> Iterator[Reference]:
    """What the objects of ``revision`` name, or their pods wait for by name, and none of them is, or makes."""
    every = [each for objects in revision.files.values() for each in objects]
    known = {(one.kind, one.namespace, one.name) for one in (each.id for each in every)}
    known |= {(made.kind, made.namespace, made.name) for each in every for made in each.makes}
    named = {(need.kind, need.namespace, need.name) for each in every for need in each.needs}
    named |= {(wait.kind, wait.namespace, wait.name) for each in every for wait in each.waits if wait.kind != "Pod"}
    yield from (Reference(*one) for one in sorted(named - known))
    spaces = {each.id.namespace for each in every} - {one.name for one in (each.id for each in every) if _is_space(one)}
    yield from (Reference("Namespace", "", name) for name in sorted(spaces) if name)


def _is_space(one: ObjectId) -> bool:
    return one.kind == "Namespace" and not one.group
