"""Which API versions Kubernetes serves no more, or will not for long.

Source: the deprecated API migration guide of Kubernetes (https://kubernetes.io/docs/reference/using-api/deprecation-guide/);
from 1.26 on, the difference between the versions' OpenAPI documents (a test holds the table against them).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from compiler.validate.schemas.built_in import minor

_REMOVED: Final = """
extensions/v1beta1 DaemonSet,Deployment,ReplicaSet 16 apps/v1
extensions/v1beta1 NetworkPolicy 16 networking.k8s.io/v1
extensions/v1beta1 PodSecurityPolicy 16
extensions/v1beta1 Ingress 22 networking.k8s.io/v1
apps/v1beta1 Deployment,StatefulSet 16 apps/v1
apps/v1beta2 DaemonSet,Deployment,ReplicaSet,StatefulSet 16 apps/v1
admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration 22 admissionregistration.k8s.io/v1
admissionregistration.k8s.io/v1beta1 ValidatingWebhookConfiguration 22 admissionregistration.k8s.io/v1
apiextensions.k8s.io/v1beta1 CustomResourceDefinition 22 apiextensions.k8s.io/v1
apiregistration.k8s.io/v1beta1 APIService 22 apiregistration.k8s.io/v1
certificates.k8s.io/v1beta1 CertificateSigningRequest 22 certificates.k8s.io/v1
coordination.k8s.io/v1beta1 Lease 22 coordination.k8s.io/v1
networking.k8s.io/v1beta1 Ingress,IngressClass 22 networking.k8s.io/v1
rbac.authorization.k8s.io/v1alpha1 ClusterRole,ClusterRoleBinding,Role,RoleBinding 22 rbac.authorization.k8s.io/v1
rbac.authorization.k8s.io/v1beta1 ClusterRole,ClusterRoleBinding,Role,RoleBinding 22 rbac.authorization.k8s.io/v1
scheduling.k8s.io/v1beta1 PriorityClass 22 scheduling.k8s.io/v1
storage.k8s.io/v1beta1 CSIDriver,CSINode,StorageClass,VolumeAttachment 22 storage.k8s.io/v1
autoscaling/v2beta1 HorizontalPodAutoscaler 25 autoscaling/v2
batch/v1beta1 CronJob 25 batch/v1
discovery.k8s.io/v1beta1 EndpointSlice 25 discovery.k8s.io/v1
events.k8s.io/v1beta1 Event 25 events.k8s.io/v1
node.k8s.io/v1beta1 RuntimeClass 25 node.k8s.io/v1
policy/v1beta1 PodDisruptionBudget 25 policy/v1
policy/v1beta1 PodSecurityPolicy 25
autoscaling/v2beta2 HorizontalPodAutoscaler 26 autoscaling/v2
flowcontrol.apiserver.k8s.io/v1beta1 FlowSchema,PriorityLevelConfiguration 26 flowcontrol.apiserver.k8s.io/v1
storage.k8s.io/v1beta1 CSIStorageCapacity 27 storage.k8s.io/v1
flowcontrol.apiserver.k8s.io/v1beta2 FlowSchema,PriorityLevelConfiguration 29 flowcontrol.apiserver.k8s.io/v1
networking.k8s.io/v1alpha1 ClusterCIDR 29
networking.k8s.io/v1alpha1 IPAddress,ServiceCIDR 31 networking.k8s.io/v1
flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema,PriorityLevelConfiguration 32 flowcontrol.apiserver.k8s.io/v1
admissionregistration.k8s.io/v1alpha1 ValidatingAdmissionPolicy 32 admissionregistration.k8s.io/v1
admissionregistration.k8s.io/v1alpha1 ValidatingAdmissionPolicyBinding 32 admissionregistration.k8s.io/v1
admissionregistration.k8s.io/v1beta1 ValidatingAdmissionPolicy 34 admissionregistration.k8s.io/v1
admissionregistration.k8s.io/v1beta1 ValidatingAdmissionPolicyBinding 34 admissionregistration.k8s.io/v1
resource.k8s.io/v1alpha3 DeviceClass,ResourceClaim,ResourceClaimTemplate,ResourceSlice 34 resource.k8s.io/v1
storage.k8s.io/v1alpha1 VolumeAttributesClass 35 storage.k8s.io/v1
storagemigration.k8s.io/v1alpha1 StorageVersionMigration 35 storagemigration.k8s.io/v1beta1
certificates.k8s.io/v1alpha1 PodCertificateRequest 35 certificates.k8s.io/v1beta1
certificates.k8s.io/v1alpha1 ClusterTrustBundle 37 certificates.k8s.io/v1
networking.k8s.io/v1beta1 IPAddress,ServiceCIDR 37 networking.k8s.io/v1
storage.k8s.io/v1beta1 VolumeAttributesClass 37 storage.k8s.io/v1
"""
"""API version, kinds, the minor version that no longer serves them, and what does instead."""

_DEPRECATED: Final = """
v1 ComponentStatus 19
v1 Endpoints 33 discovery.k8s.io/v1
networking.k8s.io/v1beta1 IPAddress,ServiceCIDR 33 networking.k8s.io/v1
resource.k8s.io/v1beta1 DeviceClass,ResourceClaim,ResourceClaimTemplate,ResourceSlice 34 resource.k8s.io/v1
resource.k8s.io/v1beta2 DeviceClass,ResourceClaim,ResourceClaimTemplate,ResourceSlice 34 resource.k8s.io/v1
storage.k8s.io/v1beta1 VolumeAttributesClass 34 storage.k8s.io/v1
"""
"""The same for what is still served, with the minor version from which it is not to be used."""


@dataclass(frozen=True, slots=True)
class Fate:
    """``removed``: served no more since the minor version ``since``; or only deprecated since then. What to use."""

    removed: bool
    since: int
    instead: str


def _rows(table: str) -> Iterator[tuple[tuple[str, str], tuple[int, str]]]:
    for line in table.strip().splitlines():
        api_version, kinds, since, *instead = line.split()
        for kind in kinds.split(","):
            yield (api_version, kind), (int(since), instead[0] if instead else "")


REMOVED: Final = dict(_rows(_REMOVED))
DEPRECATED: Final = dict(_rows(_DEPRECATED))


def fate(version: str, api_version: str, kind: str) -> Fate | None:
    """What became of ``kind`` in ``api_version`` by ``version`` of Kubernetes; None where nothing is known against it.

    >>> fate("1.35", "policy/v1beta1", "PodDisruptionBudget")
    Fate(removed=True, since=25, instead='policy/v1')
    >>> fate("1.35", "apps/v1", "Deployment")
    """
    for table, removed in ((REMOVED, True), (DEPRECATED, False)):
        since, instead = table.get((api_version, kind), (0, ""))
        if since and minor(version) >= since:
            return Fate(removed, since, instead)
    return None
