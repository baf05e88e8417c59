"""What a pod needs by name: everything that the kubelet or the scheduler must find before it can start."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from compiler.model.data import Data
from compiler.model.manifest import Reference
from compiler.relations.untyped import Map, items, mapping

_CONTAINERS: Final = ("initContainers", "containers", "ephemeralContainers")
_VOLUMES: Final = (
    ("configMap", "ConfigMap", "name"),
    ("secret", "Secret", "secretName"),
    ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName"),
    ("azureFile", "Secret", "secretName"),
)
"""Volume source, the kind it names, and the key that names it."""

_SOURCES: Final = (("configMap", "ConfigMap"), ("secret", "Secret"))
_ENV: Final = (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret"))
_ENV_FROM: Final = (("configMapRef", "ConfigMap"), ("secretRef", "Secret"))


@dataclass(slots=True)
class Needs:
    """Gathers references; those without a namespace lead to ``namespace``."""

    namespace: str
    found: set[Reference] = field(default_factory=set)

    def add(self, kind: Data, name: Data, *, namespace: Data = None, optional: bool = False) -> None:
        """Note a namespaced object, where ``kind`` and ``name`` are there at all."""
        if isinstance(kind, str) and isinstance(name, str) and kind and name:
            where = namespace if isinstance(namespace, str) and namespace else self.namespace
            self.found.add(Reference(kind, where, name, optional))

    def add_cluster(self, kind: Data, name: Data) -> None:
        """Note a cluster-scoped object."""
        if isinstance(kind, str) and isinstance(name, str) and kind and name:
            self.found.add(Reference(kind, "", name))


def pod_needs(spec: Map, needs: Needs) -> None:
    """Note everything that pods of ``spec`` name."""
    needs.add("ServiceAccount", spec.get("serviceAccountName") or spec.get("serviceAccount"))
    needs.add_cluster("PriorityClass", spec.get("priorityClassName"))
    needs.add_cluster("RuntimeClass", spec.get("runtimeClassName"))
    for secret in items(spec, "imagePullSecrets"):
        needs.add("Secret", secret.get("name"))
    for claim in items(spec, "resourceClaims"):
        needs.add("ResourceClaim", claim.get("resourceClaimName"))
        needs.add("ResourceClaimTemplate", claim.get("resourceClaimTemplateName"))
    for volume in items(spec, "volumes"):
        _volume(volume, needs)
    for key in _CONTAINERS:
        for container in items(spec, key):
            _container(container, needs)


def _volume(volume: Map, needs: Needs) -> None:
    for source, kind, key in _VOLUMES:
        named = mapping(volume, source)
        needs.add(kind, named.get(key), optional=named.get("optional") is True)
    for projected in items(volume, "projected", "sources"):
        for source, kind in _SOURCES:
            named = mapping(projected, source)
            needs.add(kind, named.get("name"), optional=named.get("optional") is True)
    for driver in volume.values():
        for key in ("secretRef", "nodePublishSecretRef"):
            needs.add("Secret", mapping(driver, key).get("name"))
    claim = mapping(volume, "ephemeral", "volumeClaimTemplate", "spec")
    needs.add_cluster("StorageClass", claim.get("storageClassName"))


def _container(container: Map, needs: Needs) -> None:
    sources = [(mapping(variable, "valueFrom"), _ENV) for variable in items(container, "env")]
    sources += [(source, _ENV_FROM) for source in items(container, "envFrom")]
    for source, keys in sources:
        for key, kind in keys:
            named = mapping(source, key)
            needs.add(kind, named.get("name"), optional=named.get("optional") is True)
