"""What an engine may do to an object once it exists: one row for each kind of life, one column for each engine.

==============  ============================================  ==========================================
life            Argo CD                                       Flux
==============  ============================================  ==========================================
ordinary        apply, prune                                  apply, prune
job             apply, prune                                  apply, prune
recreated       ``Force=true,Replace=true``                   ``force: enabled``
kept            ``Prune=false,Delete=false``                  ``prune: disabled``
create-once     ``Prune=false,Delete=false``, and the         ``ssa: IfNotPresent``, ``prune: disabled``
                Application ignores a Secret's data
pre-delete      the hook ``PreDelete``                        not applied: Flux has nothing like it
post-delete     the hook ``PostDelete``                       not applied
test            as *recreated*, in the last wave              as *recreated*, and nothing waits for it
==============  ============================================  ==========================================

*job*: its name ends in a digest of what it runs. A changed Job is another object and the old one is pruned, so neither
engine ever meets the immutable field that ``Force``, ``Replace`` and hooks are meant to get around.

*recreated*: a Job with a fixed name that others name too. An engine deletes it and makes it anew when it changes; Argo
CD does so in each sync.

*kept*: what takes other people's data along when it goes (a Namespace all that is in it, a definition every object of
its kind, a claim its volume), and what its chart marks ``helm.sh/resource-policy: keep``. People delete these.

*create-once*: what the cluster itself changes after it was made, such as keys that are rotated in it.

``HOOKS`` says which of these lives a Helm hook leads; nothing is a hook in the output but what an engine runs when an
instance leaves.

Sources: Argo CD's ``docs/user-guide/sync-options.md`` and ``sync-waves.md``; kustomize-controller's
``docs/spec/v1/kustomizations.md``, "Controlling the apply behavior of resources"; Helm's "Chart Hooks" and "Tell Helm
Not To Uninstall a Resource".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from compiler.model.manifest import Manifest

SYNC_OPTIONS: Final = "argocd.argoproj.io/sync-options"
_HOOK: Final = "argocd.argoproj.io/hook"
_FLUX: Final = "kustomize.toolkit.fluxcd.io"
_STAYS: Final = {SYNC_OPTIONS: "Prune=false,Delete=false"}
_ANEW: Final = {SYNC_OPTIONS: "Force=true,Replace=true"}
_KEPT_KINDS: Final = frozenset(
    {
        ("", "Namespace"),
        ("", "PersistentVolumeClaim"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
    }
)


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """One row: the annotations that say it to each engine; ``flux`` is None where Flux must not be given the object."""

    name: str
    argocd: Mapping[str, str] = field(default_factory=dict)
    flux: Mapping[str, str] | None = field(default_factory=dict)

    @property
    def annotations(self) -> Mapping[str, str]:
        """All of them: the same manifest serves both engines."""
        return {**self.argocd, **(self.flux or {})}


ORDINARY: Final = Lifecycle("ordinary")
JOB: Final = Lifecycle("job")
RECREATED: Final = Lifecycle("recreated", _ANEW, {f"{_FLUX}/force": "enabled"})
KEPT: Final = Lifecycle("kept", _STAYS, {f"{_FLUX}/prune": "disabled"})
CREATE_ONCE: Final = Lifecycle("create-once", _STAYS, {f"{_FLUX}/prune": "disabled", f"{_FLUX}/ssa": "IfNotPresent"})
PRE_DELETE: Final = Lifecycle("pre-delete", {_HOOK: "PreDelete"}, None)
POST_DELETE: Final = Lifecycle("post-delete", {_HOOK: "PostDelete"}, None)
TEST: Final = Lifecycle("test", _ANEW, {f"{_FLUX}/force": "enabled"})

LIFECYCLES: Final = (ORDINARY, JOB, RECREATED, KEPT, CREATE_ONCE, PRE_DELETE, POST_DELETE, TEST)
_BY_NAME: Final = {each.name: each for each in LIFECYCLES}

SETUP: Final = "setup"
"""A hook of an installation or an upgrade: a part of the site like any other, with a life that its kind decides."""

NEVER: Final = "never"
"""A hook of an event that nothing but Helm knows."""

HOOKS: Final[Mapping[str, str]] = {
    "pre-install": SETUP,
    "post-install": SETUP,
    "pre-upgrade": SETUP,
    "post-upgrade": SETUP,
    "crd-install": SETUP,
    "pre-delete": PRE_DELETE.name,
    "post-delete": POST_DELETE.name,
    "test": TEST.name,
    "test-success": TEST.name,
    "test-failure": TEST.name,
    "pre-rollback": NEVER,
    "post-rollback": NEVER,
}
"""The life of each of Helm's hooks. An object with several leads the first of these that one of them says."""


def lifecycle(manifest: Manifest) -> Lifecycle:
    """The row of ``manifest``."""
    if manifest.lifecycle:
        return _BY_NAME[manifest.lifecycle]
    if (manifest.id.group, manifest.id.kind) in _KEPT_KINDS or ("helm.sh/resource-policy", "keep") in manifest.helm:
        return KEPT
    return JOB if (manifest.id.group, manifest.id.kind) == ("batch", "Job") else ORDINARY
