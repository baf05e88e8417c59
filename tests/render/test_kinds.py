"""The table of kinds says what Kubernetes says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from kubernetes import client

from compiler.model.kinds import BUILT_IN_CLUSTER_SCOPED, is_namespaced

_CREATE = re.compile(r"create_(namespaced_)?(\w+)")
_SUBRESOURCES = {"pod_binding", "pod_eviction", "service_account_token"}
_API = re.compile(r"(?P<group>[A-Z]\w+?)V\d\w*Api")
_SUFFIX = {"Core": "", "Apps": "apps", "Autoscaling": "autoscaling", "Batch": "batch", "Policy": "policy"}
_DOTTED = {
    "RbacAuthorization": "rbac.authorization.k8s.io",
    "InternalApiserver": "internal.apiserver.k8s.io",
    "FlowcontrolApiserver": "flowcontrol.apiserver.k8s.io",
}
_ABBREVIATED = {
    "APIService": "api_service",
    "CSIDriver": "csi_driver",
    "CSINode": "csi_node",
    "CSIStorageCapacity": "csi_storage_capacity",
    "IPAddress": "ip_address",
    "ServiceCIDR": "service_cidr",
}


def words(kind: str) -> str:
    """As the client spells a kind: ``ConfigMap`` is ``config_map``."""
    return _ABBREVIATED.get(kind) or re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()


def created() -> Iterator[tuple[str, str, bool]]:
    """Group, kind (as the client spells it) and whether it is namespaced, of everything that can be created."""
    for name in dir(client):
        api = _API.fullmatch(name)
        if api is None:
            continue
        group = _SUFFIX.get(api["group"], _DOTTED.get(api["group"], f"{api['group'].lower()}.k8s.io"))
        for method in dir(getattr(client, name)):
            found = _CREATE.fullmatch(method)
            if found and not method.endswith("_with_http_info") and found[2] not in _SUBRESOURCES:
                yield group, found[2], found[1] is not None


CREATED = sorted(set(created()))


@pytest.mark.parametrize(("group", "kind", "namespaced"), CREATED, ids=lambda value: str(value) or "core")
def test_every_kind_of_the_api_is_where_the_table_says(group: str, kind: str, namespaced: bool) -> None:  # noqa: FBT001
    """The official client's methods say which kinds are created in a namespace."""
    spelled = {words(known): known for known_group, known in BUILT_IN_CLUSTER_SCOPED if known_group == group}
    assert (kind not in spelled) == namespaced
    if kind in spelled:
        assert not is_namespaced(group, spelled[kind])
    else:
        assert is_namespaced(group, "".join(word.title() for word in kind.split("_")))


def test_the_client_knows_every_cluster_scoped_kind_of_the_table() -> None:
    """But for the one that can only be listed."""
    known = {(group, kind) for group, kind, namespaced in CREATED if not namespaced}
    unknown = {(group, kind) for group, kind in BUILT_IN_CLUSTER_SCOPED if (group, words(kind)) not in known}
    assert unknown <= {("", "ComponentStatus"), ("resource.k8s.io", "ResourcePoolStatusRequest")}


@pytest.mark.parametrize(
    ("group", "kind", "namespaced"),
    [
        ("cert-manager.io", "Certificate", True),
        ("cert-manager.io", "ClusterIssuer", False),
        ("external-secrets.io", "ClusterSecretStore", False),
        ("gateway.networking.k8s.io", "Gateway", True),
        ("gateway.networking.k8s.io", "GatewayClass", False),
        ("ceph.rook.io", "CephCluster", True),
        ("postgresql.cnpg.io", "Cluster", True),
        ("snapshot.storage.k8s.io", "VolumeSnapshot", True),
        ("snapshot.storage.k8s.io", "VolumeSnapshotClass", False),
    ],
)
def test_custom_kinds_that_charts_use_are_known(group: str, kind: str, namespaced: bool) -> None:  # noqa: FBT001
    """Without their definition at hand."""
    assert is_namespaced(group, kind) is namespaced


def test_a_definition_has_the_last_word() -> None:
    """What the CustomResourceDefinition says is so."""
    declared = {("example.org", "ClusterThing"): True, ("example.org", "Thing"): False}
    assert is_namespaced("example.org", "ClusterThing", declared)
    assert not is_namespaced("example.org", "Thing", declared)
