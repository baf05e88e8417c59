"""The rule that holds pods to the Pod Security Standard "restricted".

Source: Kubernetes, "Pod Security Standards": Baseline and Restricted. What they say of the host is rule OS033.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from compiler.model.manifest import Manifest
from compiler.relations.untyped import Map, items, mapping
from compiler.validate.pods import Container, Pod
from compiler.validate.rule import BUNDLE_RULES, Finding, Subject, rule

_ADDED: Final = frozenset({"NET_BIND_SERVICE"})
"""Capabilities that a container may add."""

_VOLUMES: Final = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
_SYSCTLS: Final = frozenset(
    {"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start"}
    | {"net.ipv4.ping_group_range", "net.ipv4.tcp_syncookies", "net.ipv4.ip_local_reserved_ports"}
    | {f"net.ipv4.tcp_{name}" for name in ("keepalive_time", "fin_timeout", "keepalive_intvl", "keepalive_probes")}
)
_SELINUX: Final = frozenset({None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
_PROFILES: Final = frozenset({"RuntimeDefault", "Localhost"})

_Fault: TypeAlias = tuple[str, str, str]
"""What is wrong, what to do, and at which key."""


@rule(BUNDLE_RULES, "OS032", "every container keeps Pod Security `restricted`", promise=True)
def restricted(subject: Subject) -> Iterator[Finding]:
    """Check that each container keeps Pod Security "restricted", and cannot write its root file system.

    No root, no privilege and no way to gain one, no capability, the runtime's profiles of seccomp and AppArmor, no
    kernel setting but the safe ones, no volume that is the host's or another machine's by itself. Looks at the pod's
    settings where the container has none of its own.

    Why it matters: a hole in one service is then a hole in that service, and not in its host and everything on it.

    Example: a container without `securityContext`, which may become root and write its own programs.

    Use instead: `common.pod.security` and `common.container.security`; an agent that needs more has an exemption in
    `component.yaml`, with the reason.
    """
    for manifest, made in subject.pods():
        yield from _of_pod(subject, manifest, made)
        for container in made.containers:
            for wrong, hint, key in (*_privileges(made, container), *_profiles(made, container)):
                where = subject.field(manifest, *container.path, "securityContext", key)
                message = f"the container `{container.name}` of {manifest.id} {wrong}"
                yield Finding(message, subject.origin(manifest), hint, where, container.name)


def _of_pod(subject: Subject, manifest: Manifest, made: Pod) -> Iterator[Finding]:
    """What is wrong with the pod as a whole; a path of the host is told by OS033."""
    for number, volume in enumerate(items(made.spec, "volumes")):
        kinds = sorted(volume.keys() - _VOLUMES - {"name", "hostPath"})
        if kinds:
            message = f"the volume `{volume.get('name')}` of {manifest.id} must not be of the kind `{kinds[0]}`"
            where = subject.field(manifest, *made.path, "volumes", number)
            yield Finding(message, subject.origin(manifest), "a PersistentVolumeClaim", where)
    for setting in items(made.spec, "securityContext", "sysctls"):
        if setting.get("name") not in _SYSCTLS:
            message = f"{manifest.id} must not set `{setting.get('name')}` of the kernel"
            where = subject.field(manifest, *made.path, "securityContext", "sysctls")
            yield Finding(message, subject.origin(manifest), "the host's own configuration", where)


def _privileges(made: Pod, container: Container) -> Iterator[_Fault]:
    own, both = container.security, _both(made, container)
    capabilities = mapping(own, "capabilities")
    dropped, added = (capabilities.get(key) or [] for key in ("drop", "add"))
    if own.get("privileged") is True:
        yield "must not be privileged", "`privileged: false`", "privileged"
    if both.get("runAsNonRoot") is not True or both.get("runAsUser") == 0:
        yield "must not run as root", "`runAsNonRoot: true`, and the service's own `runAsUser`", "runAsNonRoot"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "must not gain privileges", "`allowPrivilegeEscalation: false`", "allowPrivilegeEscalation"
    if not isinstance(dropped, list) or "ALL" not in dropped:
        yield "must drop all capabilities", "`capabilities: {drop: [ALL]}`", "capabilities"
    if isinstance(added, list) and (more := sorted(str(each) for each in added if str(each) not in _ADDED)):
        yield f"must not add the capabilities {', '.join(more)}", "none of them", "capabilities"
    if own.get("readOnlyRootFilesystem") is not True:
        yield "must not write its root file system", "`readOnlyRootFilesystem: true`", "readOnlyRootFilesystem"


def _profiles(made: Pod, container: Container) -> Iterator[_Fault]:
    both = _both(made, container)
    if mapping(both, "seccompProfile").get("type") not in _PROFILES:
        yield "must run under a seccomp profile", "`seccompProfile: {type: RuntimeDefault}`", "seccompProfile"
    if mapping(both, "appArmorProfile").get("type", "RuntimeDefault") not in _PROFILES:
        yield "must run under an AppArmor profile", "`appArmorProfile: {type: RuntimeDefault}`", "appArmorProfile"
    labels = mapping(both, "seLinuxOptions")
    if labels.get("type") not in _SELINUX or labels.get("user") or labels.get("role"):
        yield "must not choose its SELinux user, role or type", "`seLinuxOptions` without them", "seLinuxOptions"
    if container.security.get("procMount") not in {None, "Default"}:
        yield "must not see `/proc` unmasked", "`procMount: Default`", "procMount"


def _both(made: Pod, container: Container) -> Map:
    return {**mapping(made.spec, "securityContext"), **container.security}
