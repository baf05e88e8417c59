"""The delivery objects: what they say, and what they refuse to say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from compiler.errors import InputError
from compiler.model.manifest import ObjectId
from compiler.model.site import ArgoCD, Flux
from tests.graph.worlds import Part, Thing, World, control_plane, manifest, world


def documents(site: World) -> dict[str, Any]:
    return {document.path: document.content for document in site.documents()}


def application(name: str) -> str:
    return f"argocd/applications/application.argoproj.io.{name}.yaml"


def kustomization(name: str) -> str:
    return f"flux/objects/kustomization.kustomize.toolkit.fluxcd.io.{name}.yaml"


def test_an_application_of_one_instance() -> None:
    found = documents(control_plane())
    assert found[application("tiny.keystone")] == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": "tiny.keystone",
            "namespace": "argocd",
            "annotations": {"argocd.argoproj.io/sync-wave": "2"},
            "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        "spec": {
            "project": "tiny",
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "openstack"},
            "source": {
                "repoURL": "https://git.example.org/sites.git",
                "targetRevision": "main",
                "path": "rendered/tiny/openstack/keystone",
            },
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": ["CreateNamespace=false", "FailOnSharedResource=true", "ServerSideApply=true"],
                "retry": {
                    "limit": -1,
                    "refresh": True,
                    "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"},
                },
            },
        },
    }


def test_the_root_applies_the_folder_of_applications() -> None:
    """It is in the project ``default``, because the site's own project is among what it applies."""
    root = documents(control_plane())["argocd/application.argoproj.io.tiny.yaml"]
    assert root["spec"]["project"] == "default"
    assert root["spec"]["source"]["path"] == "rendered/tiny/argocd/applications"
    assert root["spec"]["destination"] == {"server": "https://kubernetes.default.svc", "namespace": "argocd"}
    assert "finalizers" not in root["metadata"]


def test_the_project_permits_exactly_what_the_site_has() -> None:
    """Its kinds, and what controllers make of them: what a project does not permit, Argo CD hides from people."""
    spec = documents(control_plane())["argocd/applications/appproject.argoproj.io.tiny.yaml"]["spec"]
    assert spec["sourceRepos"] == ["https://git.example.org/sites.git"]
    assert spec["destinations"] == [{"server": "https://kubernetes.default.svc", "namespace": "openstack"}]
    assert [(kind["group"], kind["kind"]) for kind in spec["clusterResourceWhitelist"]] == [
        ("", "Namespace"),
        ("scheduling.k8s.io", "PriorityClass"),
    ]
    assert [(kind["group"], kind["kind"]) for kind in spec["namespaceResourceWhitelist"]] == [
        ("", "ConfigMap"),
        ("", "Endpoints"),
        ("", "PersistentVolumeClaim"),
        ("", "Pod"),
        ("", "Secret"),
        ("", "Service"),
        ("", "ServiceAccount"),
        ("apps", "ControllerRevision"),
        ("apps", "DaemonSet"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("batch", "CronJob"),
        ("batch", "Job"),
        ("discovery.k8s.io", "EndpointSlice"),
        ("external-secrets.io", "ExternalSecret"),
        ("policy", "PodDisruptionBudget"),
    ]


def test_the_project_comes_before_its_applications() -> None:
    found = documents(control_plane())
    waves = {
        content["kind"]: int(content["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])
        for path, content in found.items()
        if path.startswith("argocd/applications/")
    }
    assert waves["AppProject"] < 0 <= waves["Application"]


def test_an_instance_with_cluster_scoped_objects_has_a_source_for_each_folder() -> None:
    role = manifest(ObjectId("", "ClusterRole", "rbac.authorization.k8s.io", "openstack-a-x"), "a", "x")
    found = documents(world(Thing("a", (Part("x"),))).with_objects("a", role))
    spec = found[application("tiny.a")]["spec"]
    assert "source" not in spec
    assert [source["path"] for source in spec["sources"]] == ["rendered/tiny/_cluster/a", "rendered/tiny/openstack/a"]


def test_one_application_for_the_site_sweeps_in_objects_only() -> None:
    """Its patterns name folders of objects: not ``argocd/``, not ``flux/``, not ``index.json``."""
    site = control_plane().delivered(argocd=ArgoCD(granularity="site"))
    found = documents(site)
    assert [path for path in found if path.startswith("argocd/applications/application")] == [application("tiny.site")]
    assert found[application("tiny.site")]["spec"]["source"] == {
        "repoURL": "https://git.example.org/sites.git",
        "targetRevision": "main",
        "path": "rendered/tiny",
        "directory": {"recurse": True, "include": "{_cluster/*,openstack/*}"},
    }


def test_a_site_may_sync_by_hand() -> None:
    site = control_plane().delivered(argocd=ArgoCD(automated=False, project="ours", namespace="gitops"))
    found = documents(site)
    spec = found[application("tiny.keystone")]["spec"]
    assert "automated" not in spec["syncPolicy"]
    assert spec["project"] == "ours"
    assert found["argocd/applications/appproject.argoproj.io.ours.yaml"]["metadata"]["namespace"] == "gitops"


def test_the_data_of_a_secret_that_the_cluster_changes_is_ignored() -> None:
    """Keys that are rotated in the cluster are neither a difference nor overwritten."""
    live = replace(manifest(ObjectId("openstack", "Secret", "", "a-fernet"), "a", "secrets"), lifecycle="create-once")
    found = documents(world(Thing("a", (Part("x"),))).with_objects("a", live))
    spec = found[application("tiny.a")]["spec"]
    assert spec["ignoreDifferences"] == [
        {"group": "", "kind": "Secret", "name": "a-fernet", "namespace": "openstack", "jsonPointers": ["/data"]}
    ]
    assert "RespectIgnoreDifferences=true" in spec["syncPolicy"]["syncOptions"]


def test_a_kustomization_of_one_component() -> None:
    """It depends on exactly what its edges come from, and is ready when its workloads are."""
    found = documents(control_plane())
    assert found[kustomization("tiny.keystone.api")] == {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": "tiny.keystone.api", "namespace": "flux-system"},
        "spec": {
            "interval": "10m",
            "retryInterval": "1m",
            "timeout": "15m",
            "sourceRef": {"kind": "GitRepository", "name": "tiny"},
            "path": "./rendered/tiny/flux/tiny.keystone.api",
            "prune": True,
            "force": False,
            "wait": True,
            "dependsOn": [
                {"name": "tiny.keystone.db-sync"},
                {"name": "tiny.keystone.secrets"},
                {"name": "tiny.keystone.shared"},
                {"name": "tiny.mariadb.provision.keystone-database"},
                {"name": "tiny.namespaces"},
            ],
        },
    }
    assert found["flux/tiny.keystone.api/kustomization.yaml"] == {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [
            "../../openstack/keystone/deployment.apps.keystone-api.yaml",
            "../../openstack/keystone/service.keystone-api.yaml",
        ],
    }


def test_external_secrets_are_ready_when_their_controller_says_so() -> None:
    """Without a status, an object of an unknown kind would count as healthy the moment it is applied."""
    spec = documents(control_plane())[kustomization("tiny.keystone.secrets")]["spec"]
    assert spec["healthCheckExprs"] == [
        {
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "current": "status.conditions.exists(e, e.type == 'Ready' && e.status == 'True')",
        }
    ]


def test_the_repository_hands_out_the_output_alone() -> None:
    found = documents(control_plane())
    assert found["flux/objects/gitrepository.source.toolkit.fluxcd.io.tiny.yaml"] == {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": "tiny", "namespace": "flux-system"},
        "spec": {
            "url": "https://git.example.org/sites.git",
            "ref": {"branch": "main"},
            "interval": "10m",
            "ignore": "/*\n!/rendered\n/rendered/*\n!/rendered/tiny\n",
        },
    }


@pytest.mark.parametrize(
    ("revision", "reference"),
    [
        ("production", {"branch": "production"}),
        ("refs/tags/v1", {"name": "refs/tags/v1"}),
        ("0123456789abcdef0123456789abcdef01234567", {"commit": "0123456789abcdef0123456789abcdef01234567"}),
    ],
)
def test_a_revision_is_a_branch_a_reference_or_a_commit(revision: str, reference: dict[str, str]) -> None:
    found = documents(control_plane().delivered(revision=revision))
    assert found["flux/objects/gitrepository.source.toolkit.fluxcd.io.tiny.yaml"]["spec"]["ref"] == reference


def test_kustomizations_keep_their_names_and_objects_when_the_order_gets_deeper() -> None:
    """Flux deletes what leaves a Kustomization before the next one has adopted it: so nothing leaves one."""
    shallow = documents(world(Thing("a", (Part("x"), Part("y", after=("x",))))))
    deep = documents(
        world(Thing("a", (Part("v"), Part("w", after=("v",)), Part("x", after=("w",)), Part("y", after=("x",)))))
    )
    for path, content in shallow.items():
        if path.endswith("/kustomization.yaml") and path != "flux/kustomization.yaml":
            assert deep[path] == content


def test_names_are_legal_however_long_they_get() -> None:
    """At most 63 characters, because both engines write them into a label; and all different."""
    things = [Thing(f"{'a' * 40}-{number}", (Part("component-with-a-long-name-too"), Part("x"))) for number in range(3)]
    found = [
        content["metadata"]["name"]
        for path, content in documents(world(*things)).items()
        if "/objects/kustomization" in path or "/application." in path
    ]
    assert all(len(name) <= 63 and name.replace(".", "").replace("-", "").isalnum() for name in found)
    assert all(part[0] != "-" and part[-1] != "-" for name in found for part in name.split("."))
    assert len(set(found)) == len(found) - 1  # the root of each engine has the name of the site


@pytest.mark.parametrize(("argocd", "flux"), [(None, None), (ArgoCD(), None), (None, Flux())], ids=str)
def test_only_the_engines_that_the_site_names_get_objects(argocd: ArgoCD | None, flux: Flux | None) -> None:
    folders = {path.split("/")[0] for path in documents(control_plane().delivered(argocd=argocd, flux=flux))}
    assert folders == {name for name, engine in (("argocd", argocd), ("flux", flux)) if engine}


def refusal(site: World) -> str:
    with pytest.raises(InputError) as caught:
        site.documents()
    return str(caught.value)


def test_a_repository_without_an_address_is_refused() -> None:
    assert refusal(control_plane().delivered(url="")) == (
        "error: `delivery.repository.url` must name the Git repository that Argo CD and Flux read `rendered/tiny` from, "
        "but is not set\n"
        "  --> environments/tiny/environment.yaml:1:1\n"
        "  try: `repository: {url: https://git.example.org/sites.git}`, where this repository is pushed to"
    )


def test_a_namespace_called_like_a_delivery_folder_is_refused() -> None:
    assert refusal(world(Thing("a", (Part("x"),), namespace="flux"))) == (
        "error: the namespace of `a` must not be `flux`: the objects that deliver the site lie in a folder of that name\n"
        "  --> environments/tiny/a.yaml:1:1\n"
        "  try: another namespace"
    )


def test_a_text_that_makes_argo_cd_overlook_an_object_is_refused() -> None:
    hidden = manifest(
        ObjectId("openstack", "ConfigMap", "", "c"), "a", "x", body="data:\n  a: '# +argocd:skip-file-rendering'\n"
    )
    assert refusal(world(Thing("a", (Part("x"),))).with_objects("a", hidden)) == (
        "error: openstack/ConfigMap c must not hold the text `+argocd:skip-file-rendering`: "
        "Argo CD skips every file that does\n"
        "  --> a/templates/x.yaml:1:1\n"
        "  try: take it out of the template, or split it in two"
    )
