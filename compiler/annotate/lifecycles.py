"""What an engine may do to an object once it exists: one row for each kind of life, one column for each engine.

==============  ==========================================  ==========================================
life            Argo CD                                     Flux
==============  ==========================================  ==========================================
ordinary        apply, prune                                apply, prune
job             apply, prune                                apply, prune
kept            ``Prune=false,Delete=false``                ``prune: disabled``
create-once     ``Prune=false,Delete=false``, and the       ``ssa: IfNotPresent``, ``prune: disabled``
                Application ignores a Secret's data
==============  ==========================================  ==========================================

*job*: our Jobs carry a digest of their pod template in the name. A changed Job is another object and the old one is
pruned, so neither engine ever meets the immutable field that ``Force``, ``Replace`` and hooks are meant to get around.

*kept*: what takes other people's data along when it goes (a Namespace all that is in it, a definition every object of
its kind, a claim its volume), and what its chart marks ``helm.sh/resource-policy: keep``. People delete these.

*create-once*: what the cluster itself changes after it was made, such as keys that are rotated in it.

Sources: Argo CD's ``docs/user-guide/sync-options.md``; kustomize-controller's ``docs/spec/v1/kustomizations.md``,
"Controlling the apply behavior of resources"; Helm's "Tell Helm Not To Uninstall a Resource".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from compiler.model.manifest import Manifest

SYNC_OPTIONS: Final = "argocd.argoproj.io/sync-options"
_FLUX: Final = "kustomize.toolkit.fluxcd.io"
_STAYS: Final = {SYNC_OPTIONS: "Prune=false,Delete=false"}
_KEPT_KINDS: Final = frozenset(
    {
        ("", "Namespace"),
        ("", "PersistentVolumeClaim"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
    }
)


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """One row: the annotations that say it to each engine."""

    name: str
    argocd: Mapping[str, str] = field(default_factory=dict)
    flux: Mapping[str, str] = field(default_factory=dict)

    @property
    def annotations(self) -> Mapping[str, str]:
        """All of them: the same manifest serves both engines."""
        return {**self.argocd, **self.flux}


ORDINARY: Final = Lifecycle("ordinary")
JOB: Final = Lifecycle("job")
KEPT: Final = Lifecycle("kept", _STAYS, {f"{_FLUX}/prune": "disabled"})
CREATE_ONCE: Final = Lifecycle("create-once", _STAYS, {f"{_FLUX}/prune": "disabled", f"{_FLUX}/ssa": "IfNotPresent"})

LIFECYCLES: Final = (ORDINARY, JOB, KEPT, CREATE_ONCE)


def lifecycle(manifest: Manifest) -> Lifecycle:
    """The row of ``manifest``."""
    if manifest.lifecycle == CREATE_ONCE.name:
        return CREATE_ONCE
    if (manifest.id.group, manifest.id.kind) in _KEPT_KINDS or ("helm.sh/resource-policy", "keep") in manifest.helm:
        return KEPT
    return JOB if (manifest.id.group, manifest.id.kind) == ("batch", "Job") else ORDINARY
