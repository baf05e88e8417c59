"""Argo CD's reading of its delivery objects: which objects an Application applies, in which order, awaiting what.

From argo-cd 37ee0097cf (3.6.0): ``gitops-engine/pkg/sync/sync_tasks.go`` (wave, then kind, then name),
``syncwaves/waves.go``, ``sync_context.go`` (a wave is awaited before the next one begins), ``pkg/health``,
``reposerver/repository`` (``getPotentiallyValidManifestFile``: which files of a directory are read).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from compiler.model.manifest import ObjectId
from tests.delivery.files import INSTANT, Found, objects, only

KINDS = (
    *("Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodSecurityPolicy", "PodDisruptionBudget"),
    *("ServiceAccount", "Secret", "SecretList", "ConfigMap", "StorageClass", "PersistentVolume"),
    *("PersistentVolumeClaim", "CustomResourceDefinition", "ClusterRole", "ClusterRoleList", "ClusterRoleBinding"),
    *("ClusterRoleBindingList", "Role", "RoleList", "RoleBinding", "RoleBindingList", "Service", "DaemonSet", "Pod"),
    *("ReplicationController", "ReplicaSet", "Deployment", "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob"),
    *("IngressClass", "Ingress", "APIService"),
)
RANK = {kind: rank - len(KINDS) for rank, kind in enumerate(KINDS)}
"""Kinds that are not in the table come last, at 0."""

AWAITED = {
    ("", "PersistentVolumeClaim"),
    ("", "Pod"),
    ("", "Service"),
    ("apps", "DaemonSet"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("batch", "Job"),
    ("networking.k8s.io", "Ingress"),
    ("external-secrets.io", "ExternalSecret"),
}
"""Kinds whose health is known: built in, or in ``resource_customizations/``. Any other counts as healthy at once."""

_MANIFEST = re.compile(r".*\.(ya?ml|json|jsonnet)")


@dataclass(frozen=True)
class Application:
    """One Application, and the objects of its directories."""

    content: dict[str, Any]
    objects: tuple[Found, ...]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.content["metadata"]["name"])

    @property
    def spec(self) -> dict[str, Any]:
        """Its spec."""
        return dict(self.content["spec"])


class ArgoCD:
    """What Argo CD makes of a repository once the root Application has been applied."""

    def __init__(self, repository: Path, root: Path) -> None:
        self.repository = repository
        self.root = Application(only(root), self._read(only(root)["spec"]))
        found = [one.content for one in self.root.objects if one.id.kind == "Application"]
        self.applications = tuple(Application(content, self._read(content["spec"])) for content in found)
        (self.project,) = (one.content for one in self.root.objects if one.id.kind == "AppProject")

    def _read(self, spec: dict[str, Any]) -> tuple[Found, ...]:
        sources = spec.get("sources") or [spec["source"]]
        return tuple(one for source in sources for path in self._files(source) for one in objects(path))

    def _files(self, source: dict[str, Any]) -> list[Path]:
        directory = source.get("directory", {})
        base = self.repository / source["path"]
        assert base.is_dir(), f"there is no directory {source['path']}"
        found = base.rglob("*") if directory.get("recurse") else base.glob("*")
        include = directory.get("include", "")
        return sorted(
            path
            for path in found
            if path.is_file()
            and _MANIFEST.fullmatch(path.name)
            and (not include or _glob(include).fullmatch(path.relative_to(base).as_posix()))
            and "+argocd:skip-file-rendering" not in path.read_text(encoding="utf-8")
        )

    @cached_property
    def of(self) -> dict[ObjectId, tuple[Application, Found]]:
        """The Application that applies each object. No object is in two."""
        found: dict[ObjectId, tuple[Application, Found]] = {}
        for application in self.applications:
            for one in application.objects:
                assert one.id not in found, f"{one.id} is in two Applications"
                found[one.id] = (application, one)
        return found

    def held(self, before: ObjectId, after: ObjectId) -> str:
        """Which construct makes ``after`` wait until ``before`` is there and healthy; empty where none does."""
        (one, first), (other, second) = self.of[before], self.of[after]
        if one is not other:
            return self._between(first, second, other)
        if _wave(first) < _wave(second):
            awaited = before.kind in INSTANT or (before.group, before.kind) in AWAITED
            return "wave" if awaited else ""
        same = _wave(first) == _wave(second) and before.kind in INSTANT
        return "kind" if same and RANK.get(before.kind, 0) < RANK.get(after.kind, 0) else ""

    def _between(self, before: Found, after: Found, application: Application) -> str:
        """Applications sync on their own. What is left is that the API server, or the pods, wait."""
        if after.id.namespace and before.id.kind in INSTANT and before.id.namespace == "":
            retried = application.spec["syncPolicy"]["retry"]["limit"] != 0
            return "refused by the API server until then, and retried" if retried else ""
        provider = before.path.parent
        services = {
            f"{one.id.name}.{one.id.namespace}.svc"
            for _, one in self.of.values()
            if one.path.parent == provider and one.id.kind == "Service"
        }
        return "the pods' own wait" if services & {word.split(":")[0] for word in _waits(after.content)} else ""


def _wave(one: Found) -> int:
    """As ``syncwaves.Wave``: but we insist that it is written."""
    return int(one.annotations["argocd.argoproj.io/sync-wave"])


def _glob(pattern: str) -> re.Pattern[str]:
    """gobwas/glob without separators: ``*`` matches slashes too, ``{a,b}`` is either."""
    alternatives = pattern[1:-1].split(",") if pattern.startswith("{") else [pattern]
    return re.compile("|".join(".*".join(re.escape(part) for part in one.split("*")) for one in alternatives))


def _waits(content: dict[str, Any]) -> list[str]:
    """The arguments of every init container."""
    pod = content.get("spec", {}).get("template", {}).get("spec", {})
    return [
        str(word) for one in pod.get("initContainers", []) for word in (*one.get("command", []), *one.get("args", []))
    ]
