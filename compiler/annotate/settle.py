"""What becomes of Helm's hooks and of Jobs, before anything is ordered.

Nothing that reaches the engines is left to their own reading of a Helm annotation. ``lifecycles`` has the table; here
its rows are dealt out, and what must be different for it is made so:

- A Job whose name does not change with what it runs gets a digest of that in its name, unless somebody else names it,
  or its chart has a contract, which may speak of it: then it is *recreated* under its own.
- ``ttlSecondsAfterFinished`` is taken away: the cluster would delete the Job, and self-heal run it again.
- What an instance does when it leaves (``pre-delete``) and its tests stand in components of their own, which gate
  nothing. Tests are left out unless the site asks for them, and what only Flux would be given is left out with a
  warning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, cast

from compiler.annotate.lifecycles import CREATE_ONCE, HOOKS, JOB, NEVER, POST_DELETE, PRE_DELETE, RECREATED, SETUP, TEST
from compiler.documents import emit
from compiler.errors import collecting
from compiler.model.data import Data, canonical, digest
from compiler.model.diagnostic import Diagnostic, Severity
from compiler.model.instance import Instance
from compiler.model.manifest import TEARDOWN, TESTS, Bundle, LeftOut, Manifest
from compiler.model.names import NAME_LIMIT
from compiler.model.node import Origin
from compiler.model.site import Site

_TTL: Final = "ttlSecondsAfterFinished"
_DIGEST: Final = re.compile(r"-[0-9a-f]{10}$")
_DIGITS: Final = 10
_ONCE: Final = frozenset({"pre-install", "post-install"})
_DATA: Final = frozenset({("", "Secret"), ("", "PersistentVolumeClaim")})
_RULE: Final = "OS008"


def settle(site: Site, instances: tuple[Instance, ...], bundles: tuple[Bundle, ...]) -> tuple[Bundle, ...]:
    """``bundles`` with the life of every hook and Job decided, what was taken away noted, and the rest left out.

    Raises ``InputError`` with every hook that has no life in the table, and its template.
    """
    pods = (one.workload for bundle in bundles for one in bundle.manifests if one.workload is not None)
    waited = frozenset(wait.name for workload in pods for wait in workload.waits)
    contracted = {instance.name for instance in instances if instance.chart.contract is not None}
    with collecting() as mistakes:
        settled = []
        for bundle in bundles:
            with mistakes.attempt():
                settled.append(_bundle(site, bundle, waited, fixed=bundle.instance in contracted))
    return tuple(settled)


def _bundle(site: Site, bundle: Bundle, waited: frozenset[str], *, fixed: bool) -> Bundle:
    if not any(one.hooks or one.id.kind == "Job" for one in bundle.manifests):
        return bundle
    with collecting() as mistakes:
        mistakes.extend(_unknown(one) for one in bundle.manifests if not set(one.hooks) <= set(HOOKS))
    named = _Named(bundle, waited, fixed=fixed)
    manifests: list[Manifest] = []
    left_out: list[LeftOut] = []
    said: list[Diagnostic] = []
    for one in bundle.manifests:
        fate = _fate(one)
        why = _not_applied(site, fate)
        if why:
            left_out.append(LeftOut(bundle.instance, one.id, one.template, one.hooks, why))
        else:
            manifests.append(_living(one, fate, named))
        if fate in {PRE_DELETE.name, POST_DELETE.name}:
            said += _parting(site, bundle, one)
    in_order = tuple(sorted(manifests, key=lambda one: one.id))
    return replace(bundle, manifests=in_order, left_out=tuple(left_out), diagnostics=(*bundle.diagnostics, *said))


def _fate(manifest: Manifest) -> str:
    """What the table says of its hooks; empty for an object without any."""
    fates = {HOOKS[hook] for hook in manifest.hooks}
    return next((fate for fate in HOOKS.values() if fate in fates), "")


def _not_applied(site: Site, fate: str) -> str:
    """Why an object is not applied at all; empty if it is."""
    if fate == NEVER:
        return "nothing but Helm rolls back"
    if fate == TEST.name and not site.delivery.tests:
        return "tests are left out unless `delivery.helmTests` is `true`"
    if fate in {PRE_DELETE.name, POST_DELETE.name} and site.delivery.argocd is None:
        return "only Argo CD runs something when an instance leaves"
    return ""


@dataclass(frozen=True, slots=True)
class _Named:
    """Which names of Jobs must stay: those that pods wait for or another object holds; or (``fixed``) all."""

    bundle: Bundle
    waited: frozenset[str]
    fixed: bool

    def __call__(self, manifest: Manifest) -> bool:
        name = manifest.id.name
        others = (other for other in self.bundle.manifests if other.id != manifest.id)
        return self.fixed or name in self.waited or any(_names(other, name) for other in others)


def _living(manifest: Manifest, fate: str, named: _Named) -> Manifest:
    stripped = tuple(pair for pair in manifest.helm if pair[0].startswith("helm.sh/hook"))
    manifest = replace(manifest, stripped=stripped) if stripped else manifest
    if fate in {PRE_DELETE.name, POST_DELETE.name}:
        return _without_ttl(replace(manifest, lifecycle=fate, component=TEARDOWN))
    if fate == TEST.name:
        return _without_ttl(replace(manifest, lifecycle=fate, component=TESTS))
    if (manifest.id.group, manifest.id.kind) == ("batch", "Job"):
        return _job(_without_ttl(manifest), named)
    if fate == SETUP and manifest.id.kind == "Pod":
        return replace(manifest, lifecycle=RECREATED.name)
    once = fate == SETUP and (manifest.id.group, manifest.id.kind) in _DATA and _is_made_once(manifest)
    return replace(manifest, lifecycle=CREATE_ONCE.name) if once else manifest


def _is_made_once(manifest: Manifest) -> bool:
    """Helm makes it when the instance is installed and never again; or it is empty, to be filled in the cluster."""
    data = cast("dict[str, Data]", json.loads(manifest.content))
    return set(manifest.hooks) <= _ONCE or not (data.get("data") or data.get("stringData"))


def _without_ttl(manifest: Manifest) -> Manifest:
    if f'"{_TTL}"' not in manifest.content:
        return manifest
    content = cast("dict[str, Data]", json.loads(manifest.content))
    spec = content.get("spec")
    if not isinstance(spec, dict) or _TTL not in spec:
        return manifest
    changed: dict[str, Data] = {**content, "spec": {key: value for key, value in spec.items() if key != _TTL}}
    noted = (*manifest.stripped, (f"spec.{_TTL}", str(spec[_TTL])))
    return replace(manifest, content=canonical(changed), body=emit(changed), stripped=noted)


def _job(manifest: Manifest, named: _Named) -> Manifest:
    name = manifest.id.name
    if _DIGEST.search(name):
        return replace(manifest, lifecycle=JOB.name) if manifest.stripped else manifest
    if named(manifest):
        return replace(manifest, lifecycle=RECREATED.name)
    new = f"{name[:NAME_LIMIT].rstrip('-.')}-{digest(manifest.content)[:_DIGITS]}"
    metadata = canonical({**manifest.metadata_data(), "name": new})
    noted = (*manifest.stripped, ("metadata.name", name))
    return replace(manifest, id=replace(manifest.id, name=new), metadata=metadata, lifecycle=JOB.name, stripped=noted)


def _names(other: Manifest, name: str) -> bool:
    """Whether the text of another object holds the name, as a whole word."""
    if name not in other.content:
        return False
    return re.search(rf"(?<![a-z0-9.-]){re.escape(name)}(?![a-z0-9.-])", other.content) is not None


def _unknown(manifest: Manifest) -> Diagnostic:
    unknown = ", ".join(f"`{hook}`" for hook in manifest.hooks if hook not in HOOKS)
    message = f"{manifest.id} is the hook {unknown}, and nothing says what becomes of such a hook"
    return Diagnostic(message, Origin(manifest.template), f"one of {', '.join(HOOKS)}")


def _parting(site: Site, bundle: Bundle, manifest: Manifest) -> Iterator[Diagnostic]:
    """What does not happen by itself when the instance leaves, on each engine.

    Argo CD reads such hooks from Git at that time (``controller/hook.go``), and does not delete an Application that has
    some and whose path is gone.
    """
    what = f"{manifest.id} ({', '.join(f'`{hook}`' for hook in manifest.hooks)})"
    by_hand = "run it by hand before the instance is taken out of the site"
    if site.delivery.flux is not None:
        yield _warning(manifest, f"{what} is not given to Flux, which runs nothing when an instance leaves", by_hand)
    if site.delivery.argocd is not None and site.delivery.argocd.granularity == "site":
        why = "one Application delivers the whole site, and stays when an instance leaves"
        yield _warning(manifest, f"{what} is not run by Argo CD: {why}", by_hand)
    elif site.delivery.argocd is not None:
        why = f"Argo CD looks for it in Git when it deletes the Application of `{bundle.instance}`, and stands still"
        hint = f"delete the Application, and then take `{bundle.instance}` out of the site"
        yield _warning(manifest, f"{what} runs only while the site has the instance: {why} without it", hint)


def _warning(manifest: Manifest, message: str, hint: str) -> Diagnostic:
    return Diagnostic(message, Origin(manifest.template), hint, code=_RULE, severity=Severity.WARNING)
