"""Which kinds live in a namespace.

Built-in kinds are a fact of Kubernetes' API (``tests/render/test_kinds.py`` compares the table with the API model of
the official Python client). A custom kind says so in its CustomResourceDefinition; where none is at hand, a table of
well-known ones decides, and then a rule: ``Cluster...`` kinds stand above namespaces, others live in one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_BUILT_IN_CLUSTER_SCOPED: Final[Mapping[str, str]] = {
    "": "ComponentStatus Namespace Node PersistentVolume",
    "admissionregistration.k8s.io": "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding "
    "MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding "
    "ValidatingWebhookConfiguration",
    "apiextensions.k8s.io": "CustomResourceDefinition",
    "apiregistration.k8s.io": "APIService",
    "authentication.k8s.io": "SelfSubjectReview TokenReview",
    "authorization.k8s.io": "SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
    "certificates.k8s.io": "CertificateSigningRequest ClusterTrustBundle",
    "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
    "internal.apiserver.k8s.io": "StorageVersion",
    "networking.k8s.io": "IPAddress IngressClass ServiceCIDR",
    "node.k8s.io": "RuntimeClass",
    "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding",
    "resource.k8s.io": "DeviceClass DeviceTaintRule ResourcePoolStatusRequest ResourceSlice",
    "scheduling.k8s.io": "PriorityClass",
    "storage.k8s.io": "CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass",
    "storagemigration.k8s.io": "StorageVersionMigration",
}
_CUSTOM_CLUSTER_SCOPED: Final[Mapping[str, str]] = {
    "cilium.io": "CiliumClusterwideNetworkPolicy CiliumNode CiliumLoadBalancerIPPool CiliumBGPPeeringPolicy",
    "crd.projectcalico.org": "BGPConfiguration BGPPeer FelixConfiguration GlobalNetworkPolicy GlobalNetworkSet IPPool",
    "gateway.networking.k8s.io": "GatewayClass",
    "policy.networking.k8s.io": "AdminNetworkPolicy BaselineAdminNetworkPolicy",
    "snapshot.storage.k8s.io": "VolumeSnapshotClass VolumeSnapshotContent",
    "trust.cert-manager.io": "Bundle",
}
_BUILT_IN_GROUPS: Final = frozenset({"", "apps", "autoscaling", "batch", "extensions", "policy"})
_CLUSTER_NAME: Final = re.compile(r"Cluster[A-Z]")


def _pairs(table: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset((group, kind) for group, kinds in table.items() for kind in kinds.split())


BUILT_IN_CLUSTER_SCOPED: Final = _pairs(_BUILT_IN_CLUSTER_SCOPED)
"""Kubernetes' own kinds that live outside namespaces, as (group, kind)."""

_CLUSTER_SCOPED: Final = BUILT_IN_CLUSTER_SCOPED | _pairs(_CUSTOM_CLUSTER_SCOPED)
_EMPTY: Final[Mapping[tuple[str, str], bool]] = {}


def is_namespaced(group: str, kind: str, declared: Mapping[tuple[str, str], bool] = _EMPTY) -> bool:
    """Whether objects of ``kind`` live in a namespace; ``declared`` is what CustomResourceDefinitions say of theirs.

    >>> is_namespaced("apps", "Deployment"), is_namespaced("", "Namespace"), is_namespaced("cert-manager.io", "Issuer")
    (True, False, True)
    >>> is_namespaced("cert-manager.io", "ClusterIssuer"), is_namespaced("ceph.rook.io", "CephCluster")
    (False, True)
    """
    if (group, kind) in declared:
        return declared[group, kind]
    if (group, kind) in _CLUSTER_SCOPED:
        return False
    is_custom = group not in _BUILT_IN_GROUPS and not group.endswith(".k8s.io")
    return not (is_custom and _CLUSTER_NAME.match(kind))
