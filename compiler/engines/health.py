"""Which kinds each engine can tell the health of. Any other counts as healthy as soon as it exists.

Argo CD: ``gitops-engine/pkg/health`` (built in) and ``resource_customizations/`` (Lua), argo-cd 37ee0097cf (3.6.0).
Flux: kstatus, which knows the built-in kinds and every object with a status of the usual form, and
kustomize-controller's own reader of Jobs; an object of a custom kind counts as current as long as nobody has written
its status.
"""

from __future__ import annotations

from typing import Final


def _kinds(table: dict[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset((group, kind) for group, kinds in table.items() for kind in kinds.split())


ARGOCD_BUILT_IN: Final = _kinds(
    {
        "": "PersistentVolumeClaim Pod Service",
        "apps": "DaemonSet Deployment ReplicaSet StatefulSet",
        "apiregistration.k8s.io": "APIService",
        "argoproj.io": "Workflow",
        "autoscaling": "HorizontalPodAutoscaler",
        "batch": "Job",
        "networking.k8s.io": "Ingress",
    }
)
"""Known without configuration."""

ARGOCD_LUA: Final = _kinds(
    {
        "cert-manager.io": "Certificate ClusterIssuer Issuer",
        "external-secrets.io": "ClusterExternalSecret ClusterSecretStore ExternalSecret PushSecret SecretStore",
        "gateway.networking.k8s.io": "Gateway GRPCRoute HTTPRoute TLSRoute",
        "k8s.mariadb.com": "Backup Connection Database Grant MariaDB MaxScale Restore User",
        "rabbitmq.com": "RabbitmqCluster",
        "pxc.percona.com": "PerconaXtraDBCluster",
        "ceph.rook.io": "CephBlockPool CephCluster CephFilesystem CephObjectStore CephObjectStoreUser",
        "bitnami.com": "SealedSecret",
        "apps.kruise.io": "CloneSet StatefulSet",
        "kafka.strimzi.io": "Kafka KafkaTopic KafkaUser",
        "postgresql.cnpg.io": "Cluster",
        "monitoring.coreos.com": "Alertmanager Prometheus PrometheusAgent",
    }
)
"""Known by a script that Argo CD brings; which of them depends on its version."""

ARGOCD: Final = ARGOCD_BUILT_IN | ARGOCD_LUA

FLUX_BUILT_IN: Final = _kinds(
    {
        "": "PersistentVolumeClaim Pod ReplicationController Service",
        "apiextensions.k8s.io": "CustomResourceDefinition",
        "apps": "DaemonSet Deployment ReplicaSet StatefulSet",
        "batch": "CronJob Job",
        "policy": "PodDisruptionBudget",
    }
)
"""Known to kstatus."""

INSTANT: Final = frozenset(
    {
        *("ClusterRole", "ClusterRoleBinding", "ConfigMap", "CronJob", "CustomResourceDefinition", "Namespace"),
        *("NetworkPolicy", "PodDisruptionBudget", "PriorityClass", "Role", "RoleBinding", "Secret", "ServiceAccount"),
        *("LimitRange", "ResourceQuota", "StorageClass", "RuntimeClass", "IngressClass", "Endpoints", "EndpointSlice"),
    }
)
"""Kinds that have done all they can do once they exist."""
