"""Rendered text becomes manifests with Kubernetes' meaning, each with an identity of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compiler import render
from compiler.errors import InputError
from compiler.model.manifest import Bundle, Manifest, ObjectId
from compiler.render import EmbeddedRenderer
from tests.render.worlds import config_map, demo, request


def read(root: Path, template: str, **more: str) -> Bundle:
    """The bundle of a chart with this one template."""
    return render.render(request(demo(root, {"x.yaml": template}, **more)), EmbeddedRenderer())


def only(bundle: Bundle) -> Manifest:
    """The only manifest of a bundle."""
    (manifest,) = bundle.manifests
    return manifest


def refused(root: Path, template: str, **more: str) -> str:
    """What is said of a chart with this template."""
    with pytest.raises(InputError) as said:
        read(root, template, **more)
    return str(said.value)


def test_an_object_is_its_identity_its_metadata_and_the_rest_as_reviewers_read_it(tmp_path: Path) -> None:
    """Metadata is JSON to be annotated later, the body is finished."""
    manifest = only(
        read(
            tmp_path,
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  namespace: openstack\n  name: api\n"
            "  labels: {app.kubernetes.io/component: api}\nspec:\n  template: {spec: {hostIPC: off}}\n  replicas: 0o3\n",
        )
    )
    assert manifest.id == ObjectId("openstack", "Deployment", "apps", "api")
    assert (manifest.api_version, manifest.template) == ("apps/v1", "demo/templates/x.yaml")
    assert manifest.component == "api"
    assert manifest.metadata == (
        '{"labels":{"app.kubernetes.io/component":"api"},"name":"api","namespace":"openstack"}'
    )
    assert manifest.body == "spec:\n  replicas: 3\n  template:\n    spec:\n      hostIPC: false\n"


def test_objects_come_in_order_of_identity(tmp_path: Path) -> None:
    """However the templates order them."""
    bundle = read(tmp_path, "---\n".join(config_map(name) for name in ("c", "a", "b")))
    assert [manifest.id.name for manifest in bundle.manifests] == ["a", "b", "c"]


def test_lists_are_expanded(tmp_path: Path) -> None:
    """A plain List, a list in a list, and a typed one whose items leave out their kind."""
    inner = "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Secret, metadata: {name: c}}]}"
    bundle = read(
        tmp_path,
        "apiVersion: v1\nkind: List\nitems:\n"
        f"- {{apiVersion: v1, kind: Pod, metadata: {{name: a}}}}\n- {inner}\n---\n"
        "apiVersion: v1\nkind: ConfigMapList\nitems: [{metadata: {name: b}}, {metadata: {name: d}}]\n",
    )
    assert [(manifest.id.kind, manifest.id.name) for manifest in bundle.manifests] == [
        ("ConfigMap", "b"),
        ("ConfigMap", "d"),
        ("Pod", "a"),
        ("Secret", "c"),
    ]


def test_a_kind_that_ends_in_list_but_has_no_items_is_an_object(tmp_path: Path) -> None:
    """A custom kind may be called ``AllowList``."""
    bundle = read(tmp_path, "{apiVersion: example.org/v1, kind: AllowList, metadata: {name: a}, spec: {}}\n")
    assert only(bundle).id.kind == "AllowList"


def test_an_object_that_consists_of_its_metadata_has_no_body(tmp_path: Path) -> None:
    """A ServiceAccount often is nothing else."""
    text = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: a, namespace: openstack, annotations: null}}\n"
    assert only(read(tmp_path, text)).body == ""
    assert json.loads(only(read(tmp_path, text)).metadata) == {"name": "a", "namespace": "openstack"}


def test_a_missing_namespace_is_filled_in_and_told(tmp_path: Path) -> None:
    """The engines would guess; a manifest in Git does not leave it to them."""
    bundle = read(tmp_path, "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n")
    assert only(bundle).id.namespace == "openstack"
    assert only(bundle).metadata == '{"name":"a","namespace":"openstack"}'
    assert [str(diagnostic) for diagnostic in bundle.diagnostics] == [
        "warning [OS004]: the Secret `a` must be in the namespace of its instance, but its template says none\n"
        "  --> charts/demo/templates/x.yaml:1:1\n"
        "  try: `namespace: {{ .Release.Namespace }}`"
    ]


def test_another_namespace_is_kept_and_told(tmp_path: Path) -> None:
    """A Role in kube-system is what the chart means, and what its instance must not do."""
    bundle = read(tmp_path, "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: kube-system}\n")
    assert only(bundle).id.namespace == "kube-system"
    assert "but its template says `kube-system`" in str(bundle.diagnostics[0])


def test_a_cluster_scoped_object_has_no_namespace(tmp_path: Path) -> None:
    """Written or not: the API server would take it off."""
    text = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a, namespace: openstack}\n"
    bundle = read(tmp_path, text)
    assert only(bundle).id == ObjectId("", "ClusterRole", "rbac.authorization.k8s.io", "a")
    assert only(bundle).metadata == '{"name":"a"}'
    assert "the ClusterRole `a` is cluster-scoped and must have no namespace" in str(bundle.diagnostics[0])


def test_the_charts_own_definitions_decide_the_scope_of_its_objects(tmp_path: Path) -> None:
    """A custom kind is where its CustomResourceDefinition says."""
    definition = (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.org}\n"
        "spec: {group: example.org, scope: Cluster, names: {kind: Thing}}\n"
    )
    bundle = read(
        tmp_path, "apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: a}\n", **{"crds/thing.yaml": definition}
    )
    assert [(manifest.id.kind, manifest.id.namespace) for manifest in bundle.manifests] == [
        ("CustomResourceDefinition", ""),
        ("Thing", ""),
    ]
    assert bundle.manifests[0].template == "demo/crds/thing.yaml"


def test_hooks_are_taken_out_of_the_metadata_and_kept_beside_it(tmp_path: Path) -> None:
    """A weight that stays behind would reorder the object in Argo CD, hook or not."""
    manifest = only(
        read(
            tmp_path,
            "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: a\n  namespace: openstack\n  annotations:\n"
            "    helm.sh/hook: post-install, post-upgrade\n    helm.sh/hook-weight: '-5'\n"
            "    helm.sh/hook-delete-policy: before-hook-creation\n    other: kept\n",
        )
    )
    assert manifest.hooks == ("post-install", "post-upgrade")
    assert dict(manifest.helm) == {
        "helm.sh/hook": "post-install, post-upgrade",
        "helm.sh/hook-weight": "-5",
        "helm.sh/hook-delete-policy": "before-hook-creation",
    }
    assert manifest.metadata_data()["annotations"] == {"other": "kept"}
    assert manifest.lifecycle == ""


def test_a_weight_without_a_hook_is_taken_out_too(tmp_path: Path) -> None:
    """And annotations of which nothing is left go with it."""
    text = "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: openstack, annotations: {helm.sh/hook-weight: '1'}}}\n"
    manifest = only(read(tmp_path, text))
    assert manifest.hooks == ()
    assert manifest.metadata == '{"name":"a","namespace":"openstack"}'


def test_what_helm_is_told_to_keep_stays_annotated(tmp_path: Path) -> None:
    """Argo CD reads ``helm.sh/resource-policy`` itself; with a hook before the installation it means: made once."""
    text = (
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n  namespace: openstack\n  annotations:\n"
        "    helm.sh/resource-policy: keep\n    helm.sh/hook: pre-install\n"
    )
    manifest = only(read(tmp_path, text))
    assert manifest.metadata_data()["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert manifest.lifecycle == "create-once"


FAULTS = {
    "not a map": (
        "just words\n",
        'error: a rendered object must be a map, but is the string "just words"\n'
        "  --> charts/demo/templates/x.yaml:1:1\n  try: look at what the template writes before `kind:`",
    ),
    "no kind": (
        "{{ if true }}\napiVersion: v1\nmetadata: {name: a}\n{{ end }}\n",
        "error: a rendered object must have the key `kind`, but has none\n"
        "  --> charts/demo/templates/x.yaml:2:1\n  try: `kind: ...`",
    ),
    "no name": (
        "apiVersion: v1\nkind: Pod\nmetadata: {namespace: x}\n",
        "error: the Pod must have a `metadata.name`, but has none\n"
        "  --> charts/demo/templates/x.yaml:1:1\n  try: `metadata: {name: ...}`",
    ),
    "a name that is a number": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: 0644}\n",
        "error: the Pod must have a `metadata.name`, but has `420`\n"
        "  --> charts/demo/templates/x.yaml:1:1\n  try: `metadata: {name: ...}`",
    ),
    "a generated name": (
        "apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n",
        "error: the Pod must have a `metadata.name`, but has none\n"
        "  --> charts/demo/templates/x.yaml:1:1\n  try: a name: Git cannot hold one that the cluster makes up",
    ),
    "not YAML": (
        "# comment\na: {{ .Release.Name }}\nb: c: d\n",
        "error: what the template renders is not YAML: mapping values are not allowed in this context (at `b: c: d`)\n"
        "  --> charts/demo/templates/x.yaml:3:1\n"
        "  try: look at this line and the one before it: a missing colon, quote or bracket, or an indentation that is off",
    ),
    "a key twice": (
        "apiVersion: v1\nkind: Pod\nkind: Job\n",
        "error: the key `kind` stands twice in one map (at `kind: Job`)\n"
        "  --> charts/demo/templates/x.yaml:3:1\n  try: keep one of the two",
    ),
    "not UTF-8": (
        'a: {{ "/w==" | b64dec }}\n',
        "error: the rendered text must be UTF-8, but is not\n"
        "  --> charts/demo/templates/x.yaml:1:1\n  try: `b64enc`, if it is meant to be binary",
    ),
}


@pytest.mark.parametrize(("template", "expected"), FAULTS.values(), ids=FAULTS.keys())
def test_what_is_no_object_is_refused_with_its_place(template: str, expected: str, tmp_path: Path) -> None:
    """The place is that in the template, as nobody sees the rendered text."""
    assert refused(tmp_path, template) == expected


@pytest.mark.parametrize("fault", ["not YAML", "no kind", "not UTF-8"])
def test_every_renderer_refuses_it_in_the_same_words(fault: str, tmp_path: Path, renderer: render.Renderer) -> None:
    """Also where the helm program itself stumbles over the YAML."""
    template, expected = FAULTS[fault]
    with pytest.raises(InputError) as said:
        render.render(request(demo(tmp_path, {"x.yaml": template})), renderer)
    assert str(said.value) == expected


def test_several_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Across templates."""
    root = demo(tmp_path, {"a.yaml": "apiVersion: v1\n", "b.yaml": "kind: Pod\n", "c.yaml": config_map("c")})
    with pytest.raises(InputError) as said:
        render.render(request(root), EmbeddedRenderer())
    assert [diagnostic.origin.file for diagnostic in said.value.diagnostics if diagnostic.origin] == [
        "charts/demo/templates/a.yaml",
        "charts/demo/templates/b.yaml",
    ]


def test_an_object_rendered_twice_is_refused_with_both_templates(tmp_path: Path) -> None:
    """The API version is no part of an identity."""
    root = demo(
        tmp_path,
        {
            "a.yaml": "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\n",
            "b.yaml": "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\n",
        },
    )
    with pytest.raises(InputError) as said:
        render.render(request(root), EmbeddedRenderer())
    assert str(said.value) == (
        "error: openstack/HorizontalPodAutoscaler a is rendered twice by the chart `demo`, and a cluster would keep one"
        " of them\n"
        "  --> charts/demo/templates/a.yaml:1:1\n"
        "  and here\n"
        "  --> charts/demo/templates/b.yaml:1:1\n"
        "  try: another name for one of them"
    )
