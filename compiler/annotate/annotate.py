"""Annotate every object: its wave, its life, and what must not be done to its text."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from compiler.annotate.lifecycles import SYNC_OPTIONS, lifecycle
from compiler.errors import InputError, collecting
from compiler.model.data import canonical
from compiler.model.diagnostic import Diagnostic
from compiler.model.manifest import Bundle, Manifest
from compiler.model.names import Wave
from compiler.model.node import Origin
from compiler.model.plan import Plan

_WAVE: Final = "argocd.argoproj.io/sync-wave"
_HOOK: Final = "argocd.argoproj.io/hook"
_SUBSTITUTE: Final = "kustomize.toolkit.fluxcd.io/substitute"


def annotate(bundles: tuple[Bundle, ...], plan: Plan) -> tuple[Bundle, ...]:
    """``bundles`` with what the engines read, in metadata alone.

    - Every object gets its wave, always in writing: without one, Argo CD would read ``helm.sh/hook-weight``.
    - Every object gets the annotations of its lifecycle.
    - Every object whose text holds ``${`` is closed to Flux's substitution, which would empty a script's variables.

    Raises ``InputError`` with every object that asks to be an Argo CD hook: what becomes of an object is decided here.
    """
    with collecting() as mistakes:
        annotated = []
        for bundle in bundles:
            with mistakes.attempt():
                annotated.append(_bundle(bundle, plan))
    return tuple(annotated)


def _bundle(bundle: Bundle, plan: Plan) -> Bundle:
    with collecting() as mistakes:
        manifests = []
        for manifest in bundle.manifests:
            with mistakes.attempt():
                manifests.append(_manifest(manifest, plan.waves[manifest.id]))
    return replace(bundle, manifests=tuple(manifests))


def _manifest(manifest: Manifest, wave: Wave) -> Manifest:
    metadata = manifest.metadata_data()
    given = metadata.get("annotations")
    annotations = dict(given) if isinstance(given, dict) else {}
    if _HOOK in annotations:
        raise InputError([_hooked(manifest, str(annotations[_HOOK]))])
    ours = {**lifecycle(manifest).annotations, _WAVE: str(wave)}
    if "${" in manifest.body:
        ours[_SUBSTITUTE] = "disabled"
    if SYNC_OPTIONS in annotations and SYNC_OPTIONS in ours:
        ours[SYNC_OPTIONS] = _united(str(annotations[SYNC_OPTIONS]), ours[SYNC_OPTIONS])
    return replace(manifest, metadata=canonical({**metadata, "annotations": {**annotations, **ours}}))


def _united(given: str, ours: str) -> str:
    """Both lists of options; where both say something of one option, ours."""
    options = dict(option.strip().partition("=")[::2] for option in f"{given},{ours}".split(",") if option.strip())
    return ",".join(f"{name}={value}" if value else name for name, value in options.items())


def _hooked(manifest: Manifest, hook: str) -> Diagnostic:
    return Diagnostic(
        f"{manifest.id} must not be a hook, but its template says `{_HOOK}: {hook}`",
        Origin(manifest.template),
        "no hook: put its component `after` others in the chart's contract, and let others come after it",
    )
