"""Rules about what a pod may do to its host, to the cluster and to its neighbours."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from compiler.model.manifest import Manifest
from compiler.relations.untyped import Map, items, mapping
from compiler.validate.pods import Container, Pod, pod
from compiler.validate.rule import BUNDLE_RULES, Finding, Subject, rule

_HOST_PATHS: Final = (
    *("/dev", "/etc/machine-id", "/lib/modules", "/run", "/sys", "/var/lib/libvirt", "/var/lib/neutron"),
    *("/var/lib/nova", "/var/lib/openvswitch", "/var/lib/ovn", "/var/log", "/var/run"),
)
"""What an agent of a host's data plane may mount of it, and anything below."""

_ADDED: Final = frozenset({"NET_BIND_SERVICE"})
"""Capabilities that Pod Security "restricted" lets a container add."""

_DIGESTED: Final = re.compile(r"@sha256:[0-9a-f]{64}$")
_TAG: Final = re.compile(r":(?P<tag>[\w][\w.-]*)$")
_TOKEN: Final = "automountServiceAccountToken"  # noqa: S105 - the name of a field
_WILD: Final = "*"


@rule(BUNDLE_RULES, "OS032", "every container keeps Pod Security `restricted`", promise=True)
def restricted(subject: Subject) -> Iterator[Finding]:
    """Check that each container keeps Pod Security "restricted", and cannot write its root file system.

    No root, no privilege and no way to gain one, no capability, the runtime's seccomp profile. Looks at the pod's
    settings where the container has none of its own.

    Why it matters: a hole in one service is then a hole in that service, and not in its host and everything on it.

    Example: a container without `securityContext`, which may become root and write its own programs.

    Use instead: `common.pod.security` and `common.container.security`; an agent that needs more has an exemption in
    `component.yaml`, with the reason.
    """
    for manifest, made in _pods(subject):
        for container in made.containers:
            for wrong, hint, key in _unrestricted(made, container):
                where = subject.field(manifest, *container.path, "securityContext", key)
                message = f"the container `{container.name}` of {manifest.id} {wrong}"
                yield Finding(message, subject.origin(manifest), hint, where, container.name)


@rule(BUNDLE_RULES, "OS033", "only agents reach into their host", promise=True)
def host_access(subject: Subject) -> Iterator[Finding]:
    """Check that only components of the role `agent` use their host's network, processes, ports or file system.

    An agent may mount the host's run-time directories of the data plane (`/run`, `/var/lib/nova`, `/lib/modules`, ...),
    and nothing else.

    Why it matters: whoever writes the host's files or sees its network is as good as root on it.

    Example: `hostPath: {path: /}` in a Deployment.

    Use instead: a volume, a Service; the role `agent` in `component.yaml` for what belongs to its host.
    """
    for manifest, made in _pods(subject):
        agent = manifest.component in subject.owner.agents
        for what, key in _host_uses(made):
            if not agent:
                message = f"{manifest.id} uses {what}, which only agents may"
                where = subject.field(manifest, *made.path, key)
                yield Finding(message, subject.origin(manifest), "a Service or a volume; or `role: agent`", where)
        for path, number in _host_paths(made):
            if not agent or not _is_allowed(path):
                why = "which no agent needs" if agent else "which only agents may"
                where = subject.field(manifest, *made.path, "volumes", number, "hostPath")
                message = f"{manifest.id} mounts `{path}` of its host, {why}"
                yield Finding(message, subject.origin(manifest), "a volume; or the data plane's own directory", where)


@rule(BUNDLE_RULES, "OS034", "each component has a ServiceAccount of its own, without a token", promise=True)
def own_service_account(subject: Subject) -> Iterator[Finding]:
    """Check that the pods of each component name a ServiceAccount that no other component uses.

    A token for the Kubernetes API is mounted only where a RoleBinding gives the account something to do with it.

    Why it matters: what one component may do, every component that shares its account may do; a token that nobody
    needs is one more that can be stolen.

    Example: every pod of a namespace under `default`, with its token mounted.

    Use instead: `common.pod.template`, which names the account and mounts no token.
    """
    bound = _bound_accounts(subject)
    users: dict[str, set[str]] = defaultdict(set)
    for manifest, made in _pods(subject):
        account = made.spec.get("serviceAccountName")
        where = subject.field(manifest, *made.path)
        origin = subject.origin(manifest)
        if not isinstance(account, str) or account in {"", "default"}:
            yield Finding(f"{manifest.id} must name a ServiceAccount of its own", origin, "`serviceAccountName`", where)
            account = "default"
        users[account].add(manifest.component or manifest.id.name)
        if len(users[account]) > 1 and account != "default":
            shared = " and ".join(f"`{name}`" for name in sorted(users[account]))
            message = f"the ServiceAccount `{account}` is shared by the components {shared}"
            yield Finding(message, origin, "one for each component", where)
        if made.spec.get(_TOKEN) is not False and account not in bound:
            message = f"{manifest.id} mounts a token for the Kubernetes API, but no RoleBinding gives it anything to do"
            yield Finding(message, origin, f"`{_TOKEN}: false`", where)


@rule(BUNDLE_RULES, "OS035", "roles name what they allow", promise=True)
def narrow_roles(subject: Subject) -> Iterator[Finding]:
    """Check that roles have no wildcard, allow Secrets by name only and never as a list, and are no ClusterRoles.

    Why it matters: whoever may list the Secrets of a namespace has every password in it.

    Example: `{apiGroups: [""], resources: ["*"], verbs: ["*"]}`

    Use instead: a Role with the verbs that are used, and `resourceNames` for Secrets.
    """
    for manifest in subject.bundle.manifests:
        origin, where = subject.origin(manifest), subject.field(manifest, "rules")
        if manifest.id.kind in {"ClusterRole", "ClusterRoleBinding"}:
            message = f"{manifest.id} reaches beyond the namespace of its instance"
            yield Finding(message, origin, "a Role and a RoleBinding", subject.field(manifest))
        if manifest.id.kind in {"ClusterRole", "Role"}:
            for allowed in items(subject.data(manifest), "rules"):
                for wrong, hint in _too_wide(allowed):
                    yield Finding(f"{manifest.id} {wrong}", origin, hint, where)


@rule(BUNDLE_RULES, "OS039", "images have a fixed tag, from a registry that the site allows")
def fixed_images(subject: Subject) -> Iterator[Finding]:
    """Check that each image has a digest, or a tag that is not `latest`, and comes from one of the site's `registries`.

    A site without the key `registries` allows all.

    Why it matters: `latest` is another program tomorrow, and two pods of one Deployment may run two of them.

    Example: `image: quay.io/airshipit/kubernetes-entrypoint:latest-ubuntu`

    Use instead: the tag of a release, or a digest; `registries: [registry.example.org/kolla]` in the environment.
    """
    allowed = subject.owner.registries
    for manifest, made in _pods(subject):
        for container in made.containers:
            image = str(container.spec.get("image") or "")
            where = subject.field(manifest, *container.path, "image")
            name = f"the image `{image}` of {manifest.id}" if image else f"{container.name} of {manifest.id}"
            if _is_moving(image):
                message = f"{name} must have a tag that never moves, or a digest"
                hint = "the tag of a release, or `@sha256:...`"
                yield Finding(message, subject.origin(manifest), hint, where, container.name)
            if allowed and not any(image.startswith(f"{registry.rstrip('/')}/") for registry in allowed):
                message = f"{name} must come from one of the site's registries"
                hint = ", ".join(f"`{registry}`" for registry in allowed)
                yield Finding(message, subject.origin(manifest), hint, where, container.name)


def _pods(subject: Subject) -> Iterator[tuple[Manifest, Pod]]:
    for manifest in subject.bundle.manifests:
        if manifest.workload is not None:
            made = pod(manifest.id.group, manifest.id.kind, subject.data(manifest))
            if made is not None:
                yield manifest, made


def _unrestricted(made: Pod, container: Container) -> Iterator[tuple[str, str, str]]:
    """What is wrong, what to do, and at which key."""
    own, shared = container.security, mapping(made.spec, "securityContext")
    both = {**shared, **own}
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
    if str(mapping(both, "seccompProfile").get("type")) not in {"RuntimeDefault", "Localhost"}:
        yield "must run under a seccomp profile", "`seccompProfile: {type: RuntimeDefault}`", "seccompProfile"
    if own.get("readOnlyRootFilesystem") is not True:
        yield "must not write its root file system", "`readOnlyRootFilesystem: true`", "readOnlyRootFilesystem"


def _host_uses(made: Pod) -> Iterator[tuple[str, str]]:
    for key, what in (("hostNetwork", "network"), ("hostPID", "processes"), ("hostIPC", "shared memory")):
        if made.spec.get(key) is True:
            yield f"its host's {what}", key
    if made.spec.get("hostNetwork") is not True:
        for container in made.containers:
            if any(port.get("hostPort") for port in items(container.spec, "ports")):
                yield "a port of its host", "containers"


def _host_paths(made: Pod) -> Iterator[tuple[str, int]]:
    for number, volume in enumerate(items(made.spec, "volumes")):
        path = mapping(volume, "hostPath").get("path")
        if isinstance(path, str):
            yield path, number


def _is_allowed(path: str) -> bool:
    return any(path == allowed or path.startswith(f"{allowed}/") for allowed in _HOST_PATHS)


def _bound_accounts(subject: Subject) -> frozenset[str]:
    bindings = (each for each in subject.bundle.manifests if each.id.kind in {"RoleBinding", "ClusterRoleBinding"})
    bound = (items(subject.data(each), "subjects") for each in bindings)
    return frozenset(str(one.get("name")) for listed in bound for one in listed if one.get("kind") == "ServiceAccount")


def _too_wide(allowed: Map) -> Iterator[tuple[str, str]]:
    groups, resources, verbs = (_texts(allowed, key) for key in ("apiGroups", "resources", "verbs"))
    if _WILD in (*groups, *resources, *verbs):
        yield "allows `*`", "the resources and verbs that are used"
    if "secrets" in resources:
        if not allowed.get("resourceNames"):
            yield "allows Secrets without naming them", "`resourceNames: [...]`"
        if {"list", "watch"} & set(verbs):
            yield "allows to list Secrets", "`get`, with `resourceNames`"


def _texts(allowed: Map, key: str) -> tuple[str, ...]:
    listed = allowed.get(key)
    return tuple(str(each) for each in listed) if isinstance(listed, list) else ()


def _is_moving(image: str) -> bool:
    if _DIGESTED.search(image):
        return False
    tag = _TAG.search(image)
    return tag is None or "latest" in tag["tag"]
