"""Argo CD: an AppProject, one Application or one for each instance, and the root that a user applies.

Waves order what one sync of one Application applies. With one Application for the site (``granularity: site``) they
order everything; with one for each instance they order that instance, and between instances the pods' own wait does.

``ApplyOutOfSyncOnly`` is absent on purpose: it leaves out of a sync what an earlier attempt has applied, so the retry
after a failed Job would not wait for that Job (``gitops-engine/pkg/sync``: ``filterOutOfSyncTasks``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from compiler.annotate.lifecycles import CREATE_ONCE, lifecycle
from compiler.annotate.names import application_name, below_output, delivery_name
from compiler.annotate.project import project, project_name
from compiler.model.data import Data
from compiler.model.instance import Instance
from compiler.model.manifest import Bundle, Manifest
from compiler.model.names import NamespaceName, Wave
from compiler.model.plan import Plan
from compiler.model.site import ArgoCD, Site
from compiler.model.tree import CLUSTER, Document, object_path

FOLDER: Final = "argocd/applications"
"""What the root Application applies. The root itself lies beside it."""

_CLUSTER_OF_ARGOCD: Final = "https://kubernetes.default.svc"
_FINALIZER: Final = "resources-finalizer.argocd.argoproj.io"
_SYNC_OPTIONS: Final = ("CreateNamespace=false", "FailOnSharedResource=true", "ServerSideApply=true")
_RETRY: Final[dict[str, Data]] = {
    "limit": -1,
    "refresh": True,
    "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"},
}


def documents(
    site: Site, instances: tuple[Instance, ...], bundles: tuple[Bundle, ...], plan: Plan
) -> Iterator[Document]:
    """Every Argo CD object of ``site``; none where it is not delivered by Argo CD."""
    argocd = site.delivery.argocd
    if argocd is None:
        return
    namespaces = _namespaces(instances, bundles)
    yield _document(project(site, argocd, bundles, namespaces), FOLDER)
    filled = tuple(bundle for bundle in bundles if bundle.manifests)
    if argocd.granularity == "site":
        parts = [_whole(site, filled, namespaces)]
    else:
        of = {instance.name: instance.namespace for instance in instances}
        parts = [_single(site, bundle, plan, of.get(bundle.instance, namespaces[0])) for bundle in filled]
    for part in parts:
        yield _document(_application(site, argocd, part), FOLDER)
    yield _document(_root(site, argocd), "argocd")


def _namespaces(instances: tuple[Instance, ...], bundles: tuple[Bundle, ...]) -> tuple[NamespaceName, ...]:
    used = {NamespaceName(m.id.namespace) for bundle in bundles for m in bundle.manifests if m.id.namespace}
    return tuple(sorted(used | {instance.namespace for instance in instances})) or (NamespaceName("default"),)


def _document(content: dict[str, Data], folder: str) -> Document:
    metadata = content["metadata"]
    name = metadata["name"] if isinstance(metadata, dict) else ""
    return Document(f"{folder}/{str(content['kind']).lower()}.argoproj.io.{name}.yaml", content)


@dataclass(frozen=True, slots=True)
class _Part:
    """What one Application is about."""

    name: str
    namespace: NamespaceName
    sources: tuple[dict[str, Data], ...]
    manifests: tuple[Manifest, ...]
    wave: Wave


def _whole(site: Site, bundles: tuple[Bundle, ...], namespaces: tuple[NamespaceName, ...]) -> _Part:
    """Everything at once. The patterns name the folders of objects, so that no other file is swept in."""
    manifests = tuple(manifest for bundle in bundles for manifest in bundle.manifests)
    patterns = [f"{folder}/*" for folder in sorted({manifest.id.namespace or CLUSTER for manifest in manifests})]
    include = patterns[0] if len(patterns) == 1 else f"{{{','.join(patterns)}}}"
    directory: dict[str, Data] = {"recurse": True, "include": include}
    source: dict[str, Data] = {**_source(site, below_output(site)), "directory": directory}
    return _Part(delivery_name(site.name, "site"), namespaces[0], (source,), manifests, Wave(0))


def _single(site: Site, bundle: Bundle, plan: Plan, namespace: NamespaceName) -> _Part:
    """One instance, or the site's own objects: a source for each folder that it has objects in."""
    folders = sorted({_folder(bundle, manifest) for manifest in bundle.manifests})
    sources = tuple(_source(site, below_output(site, folder)) for folder in folders)
    name = application_name(site.name, bundle.instance)
    return _Part(name, namespace, sources, bundle.manifests, plan.ranks[bundle.instance])


def _folder(bundle: Bundle, manifest: Manifest) -> str:
    return PurePosixPath(object_path(bundle.instance, manifest.id)).parent.as_posix()


def _source(site: Site, path: str) -> dict[str, Data]:
    return {"repoURL": site.delivery.url, "targetRevision": site.delivery.revision, "path": path}


def _application(site: Site, argocd: ArgoCD, part: _Part) -> dict[str, Data]:
    ignored = [_ignored(manifest) for manifest in part.manifests if _is_live(manifest)]
    spec: dict[str, Data] = {
        "project": project_name(site, argocd),
        "destination": {"server": argocd.server, "namespace": part.namespace},
        "syncPolicy": _policy(argocd, *(["RespectIgnoreDifferences=true"] if ignored else [])),
    }
    if len(part.sources) == 1:
        spec["source"] = part.sources[0]
    else:
        spec["sources"] = list(part.sources)
    if ignored:
        spec["ignoreDifferences"] = list(ignored)
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": part.name,
            "namespace": argocd.namespace,
            "annotations": {"argocd.argoproj.io/sync-wave": str(part.wave)},
            "finalizers": [_FINALIZER],
        },
        "spec": spec,
    }


def _is_live(manifest: Manifest) -> bool:
    """Whether the cluster goes on changing the data of the object itself."""
    return lifecycle(manifest) is CREATE_ONCE and (manifest.id.group, manifest.id.kind) == ("", "Secret")


def _ignored(manifest: Manifest) -> dict[str, Data]:
    return {
        "group": manifest.id.group,
        "kind": manifest.id.kind,
        "name": manifest.id.name,
        "namespace": manifest.id.namespace,
        "jsonPointers": ["/data"],
    }


def _policy(argocd: ArgoCD, *more: str) -> dict[str, Data]:
    policy: dict[str, Data] = {"syncOptions": [*_SYNC_OPTIONS, *more], "retry": _RETRY}
    if argocd.automated:
        policy["automated"] = {"prune": True, "selfHeal": True}
    return policy


def _root(site: Site, argocd: ArgoCD) -> dict[str, Data]:
    """What a user applies to begin. In the project ``default``: the site's own is among what it applies."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": delivery_name(site.name), "namespace": argocd.namespace},
        "spec": {
            "project": "default",
            "destination": {"server": _CLUSTER_OF_ARGOCD, "namespace": argocd.namespace},
            "source": _source(site, below_output(site, FOLDER)),
            "syncPolicy": _policy(argocd),
        },
    }
