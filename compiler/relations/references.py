"""What an object needs, makes and selects, read from its body once, while it is there as data.

Sources: the Kubernetes API reference (``core/v1`` PodSpec, ``apps/v1``, ``networking.k8s.io/v1``, ``rbac``), Gateway
API v1, and the CRDs of external-secrets.io, cert-manager.io and bitnami.com SealedSecrets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from compiler.model.data import Data
from compiler.model.manifest import ObjectId, Reference, Workload
from compiler.relations.pods import Needs, pod_needs
from compiler.relations.untyped import Map, items, mapping
from compiler.relations.waits import waits

Pairs: TypeAlias = tuple[tuple[str, str], ...]

POD_SPECS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("", "Pod"): (),
    ("", "PodTemplate"): ("template",),
    ("", "ReplicationController"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
}
"""Where an object's pod template is."""

_EVERYWHERE: Final = frozenset(
    {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")}
    | {("PriorityClass", f"system-{level}-critical") for level in ("cluster", "node")}
    | {("ClusterRole", name) for name in ("admin", "cluster-admin", "edit", "view")}
)
"""What every cluster has, so that nobody has to render it."""


@dataclass(frozen=True, slots=True)
class Relations:
    """One object's place among the others."""

    references: tuple[Reference, ...] = ()
    provides: tuple[Reference, ...] = ()
    workload: Workload | None = None
    selects: Pairs | None = None


def relations(identity: ObjectId, namespace: str, document: Map) -> Relations:
    """What ``document`` needs by name (in order, each once), what appears because of it, and which pods it is about.

    ``namespace`` is where its references without one lead.
    """
    kind = (identity.group, identity.kind)
    needs = Needs(namespace)
    template = _pod_template(kind, document)
    if template is not None:
        pod_needs(mapping(template, "spec"), needs)
    for reader in _READERS.get(kind, ()):
        reader(document, identity, needs)
    return Relations(
        references=tuple(sorted(need for need in needs.found if _is_wanted(need, needs.found))),
        provides=tuple(sorted(_provided(kind, identity, document))),
        workload=_workload(kind, document, template, namespace),
        selects=_selects(kind, document),
    )


def _is_wanted(need: Reference, found: set[Reference]) -> bool:
    """Whether ``need`` says something: every cluster has some objects, and what is needed is not optional as well."""
    if (need.kind, need.name) in _EVERYWHERE or (need.kind == "ClusterRole" and need.name.startswith("system:")):
        return False
    return not (need.optional and replace(need, optional=False) in found)


def _pod_template(kind: tuple[str, str], document: Map) -> Map | None:
    path = POD_SPECS.get(kind)
    return None if path is None else mapping(document, *path)


def _pairs(labels: Map) -> Pairs:
    return tuple(sorted((key, value) for key, value in labels.items() if isinstance(value, str)))


def _workload(kind: tuple[str, str], document: Map, template: Map | None, namespace: str) -> Workload | None:
    if template is None or kind == ("", "PodTemplate"):
        return None
    selector = mapping(document, "spec", "selector")
    matched = selector if kind == ("", "ReplicationController") else mapping(selector, "matchLabels")
    labels = _pairs(mapping(template, "metadata", "labels"))
    return Workload(_pairs(matched), labels, waits(template, namespace))


def _selects(kind: tuple[str, str], document: Map) -> Pairs | None:
    spec = mapping(document, "spec")
    match kind:
        case ("", "Service"):
            return _pairs(mapping(spec, "selector")) or None
        case ("policy", "PodDisruptionBudget"):
            return _pairs(mapping(spec, "selector", "matchLabels"))
        case ("networking.k8s.io", "NetworkPolicy"):
            return _pairs(mapping(spec, "podSelector", "matchLabels"))
        case _:
            return None


def _provided(kind: tuple[str, str], identity: ObjectId, document: Map) -> Iterator[Reference]:
    """Secrets that an operator makes of this object."""
    name: Data
    match kind:
        case ("external-secrets.io", "ExternalSecret"):
            name = mapping(document, "spec", "target").get("name") or identity.name
        case ("cert-manager.io", "Certificate"):
            name = mapping(document, "spec").get("secretName")
        case ("bitnami.com", "SealedSecret"):
            name = mapping(document, "spec", "template", "metadata").get("name") or identity.name
        case _:
            return
    if isinstance(name, str):
        yield Reference("Secret", identity.namespace, name)


def _stateful_set(document: Map, _: ObjectId, needs: Needs) -> None:
    spec = mapping(document, "spec")
    needs.add("Service", spec.get("serviceName"))
    for claim in items(spec, "volumeClaimTemplates"):
        needs.add_cluster("StorageClass", mapping(claim, "spec").get("storageClassName"))


def _claim(document: Map, _: ObjectId, needs: Needs) -> None:
    spec = mapping(document, "spec")
    needs.add_cluster("StorageClass", spec.get("storageClassName"))
    needs.add_cluster("PersistentVolume", spec.get("volumeName"))


def _service_account(document: Map, _: ObjectId, needs: Needs) -> None:
    for secret in (*items(document, "imagePullSecrets"), *items(document, "secrets")):
        needs.add("Secret", secret.get("name"))


def _secret(document: Map, _: ObjectId, needs: Needs) -> None:
    if document.get("type") == "kubernetes.io/service-account-token":
        annotations = mapping(document, "metadata", "annotations")
        needs.add("ServiceAccount", annotations.get("kubernetes.io/service-account.name"))


def _ingress(document: Map, _: ObjectId, needs: Needs) -> None:
    spec = mapping(document, "spec")
    needs.add_cluster("IngressClass", spec.get("ingressClassName"))
    needs.add("Service", mapping(spec, "defaultBackend", "service").get("name"))
    for certificate in items(spec, "tls"):
        needs.add("Secret", certificate.get("secretName"))
    for rule in items(spec, "rules"):
        for path in items(rule, "http", "paths"):
            needs.add("Service", mapping(path, "backend", "service").get("name"))


def _autoscaler(document: Map, _: ObjectId, needs: Needs) -> None:
    target = mapping(document, "spec", "scaleTargetRef")
    needs.add(target.get("kind"), target.get("name"))


def _role_binding(document: Map, _: ObjectId, needs: Needs) -> None:
    role = mapping(document, "roleRef")
    add = needs.add_cluster if role.get("kind") == "ClusterRole" else needs.add
    add(role.get("kind"), role.get("name"))
    for subject in items(document, "subjects"):
        if subject.get("kind") == "ServiceAccount":
            needs.add("ServiceAccount", subject.get("name"), namespace=subject.get("namespace"))


def _webhooks(document: Map, _: ObjectId, needs: Needs) -> None:
    for webhook in items(document, "webhooks"):
        service = mapping(webhook, "clientConfig", "service")
        needs.add("Service", service.get("name"), namespace=service.get("namespace"))


def _api_service(document: Map, _: ObjectId, needs: Needs) -> None:
    service = mapping(document, "spec", "service")
    needs.add("Service", service.get("name"), namespace=service.get("namespace"))


def _gateway(document: Map, _: ObjectId, needs: Needs) -> None:
    needs.add_cluster("GatewayClass", mapping(document, "spec").get("gatewayClassName"))
    for listener in items(document, "spec", "listeners"):
        for certificate in items(listener, "tls", "certificateRefs"):
            needs.add("Secret", certificate.get("name"), namespace=certificate.get("namespace"))


def _route(document: Map, _: ObjectId, needs: Needs) -> None:
    for parent in items(document, "spec", "parentRefs"):
        needs.add(parent.get("kind", "Gateway"), parent.get("name"), namespace=parent.get("namespace"))
    for rule in items(document, "spec", "rules"):
        for backend in items(rule, "backendRefs"):
            needs.add(backend.get("kind", "Service"), backend.get("name"), namespace=backend.get("namespace"))


def _external_secret(document: Map, _: ObjectId, needs: Needs) -> None:
    store = mapping(document, "spec", "secretStoreRef")
    add = needs.add_cluster if store.get("kind") == "ClusterSecretStore" else needs.add
    add(store.get("kind", "SecretStore"), store.get("name"))


def _certificate(document: Map, _: ObjectId, needs: Needs) -> None:
    issuer = mapping(document, "spec", "issuerRef")
    add = needs.add_cluster if issuer.get("kind") == "ClusterIssuer" else needs.add
    add(issuer.get("kind", "Issuer"), issuer.get("name"))


_Reader: TypeAlias = Callable[[Map, ObjectId, Needs], None]

_READERS: Final[Mapping[tuple[str, str], tuple[_Reader, ...]]] = {
    ("", "PersistentVolumeClaim"): (_claim,),
    ("", "Secret"): (_secret,),
    ("", "ServiceAccount"): (_service_account,),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): (_webhooks,),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): (_webhooks,),
    ("apiregistration.k8s.io", "APIService"): (_api_service,),
    ("apps", "StatefulSet"): (_stateful_set,),
    ("autoscaling", "HorizontalPodAutoscaler"): (_autoscaler,),
    ("cert-manager.io", "Certificate"): (_certificate,),
    ("external-secrets.io", "ExternalSecret"): (_external_secret,),
    ("gateway.networking.k8s.io", "Gateway"): (_gateway,),
    **{("gateway.networking.k8s.io", f"{kind}Route"): (_route,) for kind in ("GRPC", "HTTP", "TCP", "TLS", "UDP")},
    ("networking.k8s.io", "Ingress"): (_ingress,),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): (_role_binding,),
    ("rbac.authorization.k8s.io", "RoleBinding"): (_role_binding,),
}
