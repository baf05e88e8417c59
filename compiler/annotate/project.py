"""The AppProject of a site: what its Applications may read, where they may write, and what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from compiler.annotate.names import delivery_name
from compiler.model.data import Data
from compiler.model.manifest import Bundle
from compiler.model.names import NamespaceName
from compiler.model.site import ArgoCD, Site

_MADE_BY: Final = {
    ("apps", "DaemonSet"): (("apps", "ControllerRevision"), ("", "Pod")),
    ("apps", "Deployment"): (("apps", "ReplicaSet"), ("", "Pod")),
    ("apps", "StatefulSet"): (("apps", "ControllerRevision"), ("", "PersistentVolumeClaim"), ("", "Pod")),
    ("batch", "CronJob"): (("batch", "Job"), ("", "Pod")),
    ("batch", "Job"): (("", "Pod"),),
    ("", "Service"): (("", "Endpoints"), ("discovery.k8s.io", "EndpointSlice")),
    ("cert-manager.io", "Certificate"): (("", "Secret"), ("cert-manager.io", "CertificateRequest")),
    ("external-secrets.io", "ExternalSecret"): (("", "Secret"),),
}
"""What controllers make of our objects: Argo CD hides from people whatever a project does not permit."""


def project_name(site: Site, argocd: ArgoCD) -> str:
    """The name of the project: the one that the site gives it, else the site's own."""
    return argocd.project or delivery_name(site.name)


def project(
    site: Site, argocd: ArgoCD, bundles: tuple[Bundle, ...], namespaces: tuple[NamespaceName, ...]
) -> dict[str, Data]:
    """The AppProject: this repository, exactly these namespaces, exactly the kinds in use (and what they make).

    It is applied before the Applications that are in it.
    """
    identities = [manifest.id for bundle in bundles for manifest in bundle.manifests]
    namespaced = {(one.group, one.kind) for one in identities if one.namespace}
    made = {pair for kind in namespaced for pair in _MADE_BY.get(kind, ())}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {
            "name": project_name(site, argocd),
            "namespace": argocd.namespace,
            "annotations": {"argocd.argoproj.io/sync-wave": "-1"},
        },
        "spec": {
            "description": f"The site {site.name}, as oscompile writes it",
            "sourceRepos": [site.delivery.url],
            "destinations": [{"server": argocd.server, "namespace": namespace} for namespace in namespaces],
            "clusterResourceWhitelist": _kinds((one.group, one.kind) for one in identities if not one.namespace),
            "namespaceResourceWhitelist": _kinds(namespaced | made),
        },
    }


def _kinds(pairs: Iterable[tuple[str, str]]) -> list[Data]:
    return [{"group": group, "kind": kind} for group, kind in sorted(set(pairs))]
