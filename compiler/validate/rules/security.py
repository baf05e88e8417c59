"""Rules about what a pod may do to its host, to the cluster and to its neighbours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from compiler.relations.untyped import Map, items, mapping
from compiler.validate.pods import Pod
from compiler.validate.rule import BUNDLE_RULES, Finding, Subject, rule

_HOST_PATHS: Final = (
    *("/dev", "/etc/machine-id", "/lib/modules", "/run", "/sys", "/var/lib/libvirt", "/var/lib/neutron"),
    *("/var/lib/nova", "/var/lib/openvswitch", "/var/lib/ovn", "/var/log", "/var/run"),
)
"""What an agent of a host's data plane may mount of it, and anything below."""

_TOKEN: Final = "automountServiceAccountToken"  # noqa: S105 - the name of a field
_WILD: Final = "*"


@rule(BUNDLE_RULES, "OS033", "only agents reach into their host", promise=True)
def host_access(subject: Subject) -> Iterator[Finding]:
    """Check that only components of the role `agent` use their host's network, processes, ports or file system.

    An agent may mount the host's run-time directories of the data plane (`/run`, `/var/lib/nova`, `/lib/modules`, ...),
    and nothing else.

    Why it matters: whoever writes the host's files or sees its network is as good as root on it.

    Example: `hostPath: {path: /}` in a Deployment.

    Use instead: a volume, a Service; the role `agent` in `component.yaml` for what belongs to its host.
    """
    for manifest, made in subject.pods():
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
    for manifest, made in subject.pods():
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
