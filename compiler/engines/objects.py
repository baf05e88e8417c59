"""What an engine sees of the files that it is given: objects, and nothing of how they were made."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from compiler.model.data import Data, canonical
from compiler.model.kinds import is_namespaced
from compiler.model.manifest import ObjectId, Reference
from compiler.relations import relations
from compiler.relations.untyped import Map, items, mapping

_INTEGER: Final = re.compile(r"[+-]?\d+")
_PODS: Final = ("spec", "template")
_IMMUTABLE: Final[Mapping[tuple[str, str], tuple[tuple[str, ...], ...]]] = {
    ("batch", "Job"): (_PODS, ("spec", "selector"), ("spec", "completions")),
    ("apps", "StatefulSet"): (("spec", "selector"), ("spec", "serviceName"), ("spec", "volumeClaimTemplates")),
    ("apps", "Deployment"): (("spec", "selector"),),
    ("apps", "DaemonSet"): (("spec", "selector"),),
}
"""What the API server refuses to change (Kubernetes' API reference, ``batch/v1`` and ``apps/v1``)."""

ANNOTATION: Final = 262_144
"""How many bytes the annotations of an object may have: ``kubectl apply`` keeps the whole object in one."""

_FINALIZER: Final = "resources-finalizer.argocd.argoproj.io"

DELIVERS: Final = frozenset({"argoproj.io", "kustomize.toolkit.fluxcd.io"})
"""Groups whose objects tell an engine what to apply."""


@dataclass(frozen=True, slots=True)
class Applied:
    """One object of a file.

    ``text`` is a digest of all of it, ``fixed`` one of what the API server refuses to change. ``needs`` must exist
    before its pods start, ``waits`` are what its pods wait for by themselves, ``makes`` appears because of it.
    ``pods`` are the labels of its pods, ``selects`` those of the pods that a Service leads to. ``large`` is what does
    not fit into an annotation of itself, ``sealed`` what SOPS encrypted, ``unnamed`` what has a ``generateName`` only;
    ``cascades`` is an Application whose objects are deleted with it.
    """

    id: ObjectId
    path: str
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    text: str = ""
    fixed: str = ""
    needs: tuple[Reference, ...] = ()
    waits: tuple[Reference, ...] = ()
    makes: tuple[Reference, ...] = ()
    pods: tuple[tuple[str, str], ...] | None = None
    selects: tuple[tuple[str, str], ...] | None = None
    expires: bool = False
    balanced: bool = False
    variables: bool = False
    large: bool = False
    sealed: bool = False
    unnamed: bool = False
    cascades: bool = False
    defines: tuple[str, str] | None = None
    spec: Mapping[str, Data] = field(default_factory=dict, repr=False, hash=False, compare=False)

    @property
    def runs(self) -> bool:
        """Whether it makes pods."""
        return self.pods is not None

    @property
    def kind(self) -> tuple[str, str]:
        """Its group and kind."""
        return self.id.group, self.id.kind

    @property
    def wave(self) -> int:
        """Argo CD's wave.

        Where the annotation is absent or no integer, ``helm.sh/hook-weight`` counts, on every object (argo-cd,
        ``gitops-engine/pkg/sync/syncwaves/waves.go``).
        """
        for name in ("argocd.argoproj.io/sync-wave", "helm.sh/hook-weight"):
            if _INTEGER.fullmatch(text := self.annotations.get(name, "")):
                return int(text)
        return 0

    def listed(self, annotation: str) -> tuple[str, ...]:
        """The words of an annotation that is a list."""
        return tuple(filter(None, (word.strip() for word in self.annotations.get(annotation, "").split(","))))


def read(content: Map, path: str) -> Applied:
    """The object ``content`` of the file ``path``.

    Nothing is checked: what is not there is empty, as engines read it.
    """
    metadata = mapping(content, "metadata")
    group = str(content.get("apiVersion", "")).rpartition("/")[0]
    kind = str(content.get("kind", ""))
    namespace = str(metadata.get("namespace") or "") if is_namespaced(group, kind) else ""
    identity = ObjectId(namespace, kind, group, str(metadata.get("name") or metadata.get("generateName") or ""))
    found = relations(identity, namespace, content)
    annotations = {str(key): str(value) for key, value in mapping(metadata, "annotations").items()}
    return Applied(
        id=identity,
        path=path,
        annotations=annotations,
        text=_digest(dict(content)),
        fixed=fixed((group, kind), content),
        needs=tuple(need for need in found.references if not need.optional),
        waits=found.workload.waits if found.workload is not None else (),
        makes=found.provides,
        pods=found.workload.pod_labels if found.workload is not None else None,
        selects=found.selects if kind == "Service" else None,
        expires=expires(kind, content),
        balanced=balanced(kind, content),
        variables=_has_variables(content),
        large=len(canonical(dict(content))) > ANNOTATION,
        sealed="sops" in content,
        unnamed="generateName" in metadata and not metadata.get("name"),
        cascades=cascades(metadata),
        defines=definition(kind, content),
        spec=mapping(content, "spec") if group in DELIVERS else {},
    )


def fixed(kind: tuple[str, str], content: Map) -> str:
    """A digest of what the API server refuses to change."""
    places = _IMMUTABLE.get(kind, ())
    return _digest([_at(content, *place) for place in places]) if places else ""


def expires(kind: str, content: Map) -> bool:
    """Whether the cluster deletes it by itself once it is done."""
    return kind == "Job" and "ttlSecondsAfterFinished" in mapping(content, "spec")


def balanced(kind: str, content: Map) -> bool:
    """Whether it waits for an address from outside."""
    return kind == "Service" and mapping(content, "spec").get("type") == "LoadBalancer"


def cascades(metadata: Map) -> bool:
    """Whether Argo CD deletes what an Application applied along with it."""
    found = metadata.get("finalizers")
    return isinstance(found, list) and any(str(each).startswith(_FINALIZER) for each in found)


def definition(kind: str, content: Map) -> tuple[str, str] | None:
    """The kind that it defines."""
    if kind != "CustomResourceDefinition":
        return None
    return str(mapping(content, "spec").get("group")), str(mapping(content, "spec", "names").get("kind"))


def _has_variables(content: Map) -> bool:
    return "${" in canonical(dict(content))


def _digest(data: Data) -> str:
    return hashlib.sha256(canonical(data).encode()).hexdigest()[:16]


def _at(content: Map, *path: str) -> Data:
    return mapping(content, *path[:-1]).get(path[-1])


def sources(spec: Map) -> tuple[Map, ...]:
    """The sources of an Application's spec: ``sources``, or else the one ``source``."""
    listed = tuple(items(spec, "sources"))
    return listed or (mapping(spec, "source"),)
