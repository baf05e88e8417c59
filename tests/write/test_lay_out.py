"""Every path, and the bytes at it; the index that lists them; what cannot lie on a disk."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from compiler import write
from compiler.documents.schema import published
from compiler.errors import InputError
from compiler.model.chart import Chart, Component, Provision, Requirement, Role
from compiler.model.data import canonical, digest
from compiler.model.index import Entry, Index, LayerFile, read_index
from compiler.model.instance import SITE, Binding, Instance
from compiler.model.manifest import Bundle, Manifest, ObjectId
from compiler.model.names import (
    ChartName,
    ComponentName,
    Digest,
    EnvironmentName,
    InstanceName,
    InterfaceName,
    LayerName,
    NamespaceName,
    ProvisionName,
    RequirementName,
    Wave,
)
from compiler.model.node import ListNode, MapNode, Node, Origin, ScalarNode
from compiler.model.plan import Edge, Plan, Vertex
from compiler.model.site import Declaration, Delivery, Kubernetes, Secrets, Site
from compiler.model.tree import Document, Tree
from compiler.model.version import VERSION

HOME = "environments/site-a/environment.yaml"
OVERLAY = "overlays/keystone/small.yaml"
FILES = {"environments/base/environment.yaml": "base\n", HOME: "site\n", OVERLAY: "small\n"}
LAYERS = {"environments/base/environment.yaml": "base", HOME: "site-a", OVERLAY: "small"}


def at(file: str, line: int) -> Origin:
    return Origin(file, line, 5, LayerName(LAYERS.get(file, "")))


def scalar(value: str | int, origin: Origin, *overrode: Node) -> ScalarNode:
    return ScalarNode(value, origin, overrode)


def manifest(kind: str, name: str, namespace: str = "openstack", group: str = "", component: str = "api") -> Manifest:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return Manifest(
        id=ObjectId(namespace, kind, group, name),
        api_version=f"{group}/v1" if group else "v1",
        template=f"charts/keystone/templates/{kind.lower()}.yaml",
        metadata=canonical(dict(metadata)),
        body="spec:\n  replicas: 3\n",
        component=ComponentName(component) if component else None,
    )


KEYSTONE = Chart(ChartName("keystone"), "0.1.0", "2026.1", "charts/keystone", Digest("c" * 64))
MARIADB = Chart(ChartName("mariadb"), "0.2.0", "11", "charts/mariadb", Digest("d" * 64))
API = Component(ComponentName("api"), Role.API, at("charts/keystone/component.yaml", 3))
DATABASE = Requirement(
    RequirementName("database"), InterfaceName("mysql"), at("charts/keystone/component.yaml", 9), gate=True
)
MYSQL = Provision(
    ProvisionName("mysql"),
    InterfaceName("mysql"),
    ComponentName("server"),
    3306,
    at("charts/mariadb/component.yaml", 2),
)


def values() -> MapNode:
    """Values with a default, an override of a default, a list, a dotted key, a global, and what the compiler writes."""
    own = "charts/keystone/values.yaml"
    default = scalar(1, at(own, 2))
    replicas = MapNode(
        {"api": scalar(3, at(HOME, 12), scalar(2, at("environments/base/environment.yaml", 7)), default)}, at(own, 1)
    )
    entries: dict[str, Node] = {
        "replicas": replicas,
        "debug": scalar("no", at(own, 4)),
        "config": MapNode({"a.b": ListNode((scalar(1, at(OVERLAY, 2)),), at(OVERLAY, 2))}, at(OVERLAY, 1)),
        "global": MapNode({"region": scalar("RegionOne", at(HOME, 5))}, at(HOME, 5)),
        "bindings": MapNode(
            {
                "database": MapNode({"host": scalar("mariadb", at(HOME, 20))}, at(HOME, 20)),
                "cache": MapNode({"host": scalar("by-hand", at(HOME, 21))}, at(HOME, 21)),
            },
            at(HOME, 20),
        ),
        "consumers": MapNode({"nova-identity": scalar("x", at(HOME, 30))}, at(HOME, 30)),
    }
    return MapNode(entries, at(own, 1))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site of two instances, with the files of its layers."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return Site(
        name=EnvironmentName("site-a"),
        repository=tmp_path,
        file=HOME,
        document=MapNode({"kind": scalar("Environment", at(HOME, 2))}, at(HOME, 1)),
        kubernetes=Kubernetes("1.35", ("monitoring.coreos.com/v1",)),
        secrets=Secrets("external-secrets", at(HOME, 3)),
        delivery=Delivery("rendered/site-a"),
        globals=MapNode({"region": scalar("RegionOne", at(HOME, 5))}, at(HOME, 5)),
        declarations=(
            Declaration(
                name=InstanceName("keystone"),
                namespace=NamespaceName("openstack"),
                chart="keystone",
                chart_path="charts/keystone",
                values=values(),
                origin=at(HOME, 10),
                overlays=(LayerName("small"),),
            ),
        ),
        layers=(LayerName("base"), LayerName("site-a")),
    )


@pytest.fixture
def instances() -> tuple[Instance, ...]:
    """Keystone, bound to MariaDB."""
    binding = Binding(DATABASE, InstanceName("mariadb"), MYSQL, {}, at(HOME, 20), "bound explicitly")
    openstack = NamespaceName("openstack")
    empty = MapNode({}, at("charts/mariadb/values.yaml", 1))
    return (
        Instance(InstanceName("keystone"), openstack, KEYSTONE, values(), at(HOME, 10), (binding,)),
        Instance(InstanceName("mariadb"), openstack, MARIADB, empty, at(HOME, 18)),
    )


BUNDLES = (
    Bundle(SITE, (manifest("Namespace", "openstack", namespace="", component=""),)),
    Bundle(
        InstanceName("keystone"),
        (
            manifest("Deployment", "keystone-api", group="apps"),
            manifest("ClusterRole", "keystone:reader", namespace="", group="rbac.authorization.k8s.io"),
        ),
    ),
    Bundle(InstanceName("mariadb"), (manifest("StatefulSet", "mariadb-server", group="apps", component="server"),)),
)
DOCUMENTS = (Document("argocd/application.yaml", {"kind": "Application", "apiVersion": "argoproj.io/v1alpha1"}),)


def plan_of(bundles: tuple[Bundle, ...]) -> Plan:
    server, api = (
        Vertex(InstanceName("mariadb"), ComponentName("server")),
        Vertex(InstanceName("keystone"), ComponentName("api")),
    )
    order = [SITE, InstanceName("mariadb"), InstanceName("keystone")]
    waves = {
        manifest.id: Wave(order.index(bundle.instance) if bundle.instance in order else 0)
        for bundle in bundles
        for manifest in bundle.manifests
    }
    edge = Edge(server, api, "`keystone` needs `mysql` (database)", at(HOME, 20))
    return Plan(waves, {}, (edge,), frozenset(), (server, api))


def laid(site: Site, instances: tuple[Instance, ...]) -> Tree:
    return write.lay_out(site, instances, BUNDLES, plan_of(BUNDLES), DOCUMENTS)


def test_every_object_lies_where_its_identity_puts_it(site: Site, instances: tuple[Instance, ...]) -> None:
    assert tuple(laid(site, instances).files) == (
        "_cluster/keystone/clusterrole.rbac.authorization.k8s.io.keystone_reader.yaml",
        "_cluster/namespace.openstack.yaml",
        "argocd/application.yaml",
        "index.json",
        "openstack/keystone/deployment.apps.keystone-api.yaml",
        "openstack/mariadb/statefulset.apps.mariadb-server.yaml",
    )


def test_the_bytes_are_those_that_were_rendered_after_the_metadata(site: Site, instances: tuple[Instance, ...]) -> None:
    files = laid(site, instances).files
    assert files["openstack/keystone/deployment.apps.keystone-api.yaml"].decode() == (
        "apiVersion: apps/v1\n"
        "kind: Deployment\n"
        "metadata:\n"
        "  name: keystone-api\n"
        "  namespace: openstack\n"
        "spec:\n"
        "  replicas: 3\n"
    )
    assert files["argocd/application.yaml"] == b"apiVersion: argoproj.io/v1alpha1\nkind: Application\n"


INDEX = f"""\
{{
  "apiVersion": "oscompile/v1alpha1",
  "compiler": {{
    "version": "{VERSION}"
  }},
  "documents": [
    {{"path": "argocd/application.yaml", "sha256": "DIGEST"}}
  ],
  "edges": [
    {{"after": "keystone/api", "before": "mariadb/server", "origin": "{HOME}:20:5", "why": "`keystone` needs `mysql` (database)"}}
  ],
  "instances": {{
    "keystone": {{
      "bindings": {{
        "database": {{"gate": true, "interface": "mysql", "origin": "{HOME}:20:5", "provider": "mariadb", "provision": "mysql", "why": "bound explicitly"}}
      }},
      "chart": {{
        "name": "keystone",
        "path": "charts/keystone",
        "sha256": "DIGEST",
        "version": "0.1.0"
      }},
      "namespace": "openstack",
      "origins": {{
        "bindings.cache.host": "{HOME}:21:5",
        "config.a\\\\.b": "{OVERLAY}:2:5",
        "replicas.api": "{HOME}:12:5"
      }},
      "overlays": ["small"],
      "values": "DIGEST"
    }},
    "mariadb": {{
      "bindings": {{}},
      "chart": {{
        "name": "mariadb",
        "path": "charts/mariadb",
        "sha256": "DIGEST",
        "version": "0.2.0"
      }},
      "namespace": "openstack",
      "origins": {{}},
      "overlays": [],
      "values": "DIGEST"
    }}
  }},
  "kind": "Index",
  "kubernetes": {{
    "apiVersions": ["monitoring.coreos.com/v1"],
    "version": "1.35"
  }},
  "layers": [
    {{"file": "environments/base/environment.yaml", "layer": "base", "sha256": "DIGEST"}},
    {{"file": "{HOME}", "layer": "site-a", "sha256": "DIGEST"}},
    {{"file": "{OVERLAY}", "layer": "small", "sha256": "DIGEST"}}
  ],
  "objects": [
    {{"component": "api", "instance": "keystone", "path": "_cluster/keystone/clusterrole.rbac.authorization.k8s.io.keystone_reader.yaml", "sha256": "DIGEST", "template": "charts/keystone/templates/clusterrole.yaml", "wave": 2}},
    {{"component": null, "instance": "", "path": "_cluster/namespace.openstack.yaml", "sha256": "DIGEST", "template": "charts/keystone/templates/namespace.yaml", "wave": 0}},
    {{"component": "api", "instance": "keystone", "path": "openstack/keystone/deployment.apps.keystone-api.yaml", "sha256": "DIGEST", "template": "charts/keystone/templates/deployment.yaml", "wave": 2}},
    {{"component": "server", "instance": "mariadb", "path": "openstack/mariadb/statefulset.apps.mariadb-server.yaml", "sha256": "DIGEST", "template": "charts/keystone/templates/statefulset.yaml", "wave": 1}}
  ],
  "schema": "index.v1",
  "site": {{
    "file": "{HOME}",
    "name": "site-a",
    "origins": {{
      "global.region": "{HOME}:5:5"
    }}
  }},
  "waves": {{
    "count": 3,
    "criticalPath": ["mariadb/server", "keystone/api"]
  }}
}}
"""


def without_digests(text: str) -> str:
    lines = []
    for line in text.splitlines(keepends=True):
        for word in line.replace('"', " ").split():
            if len(word) == 64 and set(word) <= set("0123456789abcdef"):
                line = line.replace(word, "DIGEST")  # noqa: PLW2901 - the same line
        lines.append(line)
    return "".join(lines)


def test_the_index_says_what_was_compiled_from_what_and_why(site: Site, instances: tuple[Instance, ...]) -> None:
    assert without_digests(laid(site, instances).files["index.json"].decode()) == INDEX


def test_the_index_follows_its_published_schema(site: Site, instances: tuple[Instance, ...]) -> None:
    schema = published("index.v1")
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(laid(site, instances).files["index.json"]))


def test_every_digest_of_the_index_is_that_of_the_bytes(site: Site, instances: tuple[Instance, ...]) -> None:
    tree = laid(site, instances)
    data = json.loads(tree.files["index.json"])
    listed = {entry["path"]: entry["sha256"] for entry in (*data["objects"], *data["documents"])}
    assert listed == {path: digest(content) for path, content in tree.files.items() if path != "index.json"}
    assert {entry["file"]: entry["sha256"] for entry in data["layers"]} == {
        file: digest(text) for file, text in FILES.items()
    }


def test_the_compiler_reads_back_what_it_needs_of_the_index(site: Site, instances: tuple[Instance, ...]) -> None:
    tree = laid(site, instances)
    index = read_index(tree.files["index.json"])
    owners = {"_cluster/namespace.openstack.yaml": SITE, "argocd/application.yaml": None}
    assert index == Index(
        site=EnvironmentName("site-a"),
        compiler=VERSION,
        layers=tuple(LayerFile(LAYERS[file], file, digest(FILES[file])) for file in FILES),
        files={
            path: Entry(
                digest(content),
                owners.get(path, InstanceName("mariadb" if "mariadb" in path else "keystone")),
            )
            for path, content in tree.files.items()
            if path != "index.json"
        },
    )
    assert index.paths == tree.files.keys()


def test_the_same_input_gives_the_same_tree_wherever_the_repository_lies(
    site: Site, instances: tuple[Instance, ...], tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    for name, text in FILES.items():
        (elsewhere / name).parent.mkdir(parents=True, exist_ok=True)
        (elsewhere / name).write_text(text, encoding="utf-8")
    assert laid(replace(site, repository=elsewhere), instances) == laid(site, instances)


def _properties(schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any JSON
    if isinstance(schema, dict):
        for name, below in schema.get("properties", {}).items():
            yield f"{path}.{name}", below
        for name, below in schema.items():
            yield from _properties(below, f"{path}.{name}")
    if isinstance(schema, list):
        for below in schema:
            yield from _properties(below, path)


def _objects(schema: Any) -> Iterator[Any]:  # noqa: ANN401 - any JSON
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for below in schema.values():
            yield from _objects(below)


def test_the_schema_of_the_index_describes_every_key_and_allows_no_other() -> None:
    schema = published("index.v1")
    assert [path for path, below in _properties(schema) if not below.get("description")] == []
    assert [found for found in _objects(schema) if "additionalProperties" not in found] == []


def test_the_version_is_the_one_of_the_package(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION


PLACE = f"  --> {HOME}:10:5\n"
RENAME = "  try: another name for one of the two"
CLASHES = {
    "one path": (
        (manifest("Role", "a:b"), manifest("Role", "a_b")),
        "error: openstack/Role a:b of `keystone` (charts/keystone/templates/role.yaml) and openstack/Role a_b of "
        "`keystone` (charts/keystone/templates/role.yaml) would be the same file `openstack/keystone/role.a_b.yaml`\n"
        f"{PLACE}{RENAME}",
    ),
    "case": (
        (manifest("ConfigMap", "a"), manifest("ConfigMap", "A")),
        "error: openstack/ConfigMap a of `keystone` (charts/keystone/templates/configmap.yaml) and openstack/ConfigMap A "
        "of `keystone` (charts/keystone/templates/configmap.yaml) would be one file where a disk does not tell `A` from "
        "`a`: `openstack/keystone/configmap.a.yaml` and `openstack/keystone/configmap.A.yaml`\n"
        f"{PLACE}{RENAME}",
    ),
    "outside": (
        (manifest("ConfigMap", "x/../../../../../../etc/passwd"),),
        "error: openstack/ConfigMap x/../../../../../../etc/passwd of `keystone` "
        "(charts/keystone/templates/configmap.yaml) would be written to "
        "`openstack/keystone/configmap.x/../../../../../../etc/passwd.yaml`, which is not a path inside the output\n"
        f"{PLACE}  try: a name without `/`, and without a dot at its beginning",
    ),
}


@pytest.mark.parametrize("case", CLASHES)
def test_what_cannot_lie_on_a_disk_is_refused(site: Site, instances: tuple[Instance, ...], case: str) -> None:
    manifests, message = CLASHES[case]
    bundles = (Bundle(InstanceName("keystone"), manifests),)
    with pytest.raises(InputError) as refused:
        write.lay_out(site, instances, bundles, plan_of(bundles), ())
    assert str(refused.value) == message


def test_a_file_and_a_folder_of_one_name_are_refused(site: Site, instances: tuple[Instance, ...]) -> None:
    documents = (Document("argocd", {}), Document("argocd/root.yaml", {}), Document("index.json", {}))
    with pytest.raises(InputError) as refused:
        write.lay_out(site, instances, (), plan_of(()), documents)
    assert str(refused.value) == (
        "error: a delivery document and a delivery document would be a file and a folder of one name: "
        f"`argocd` and `argocd/root.yaml`\n  --> {HOME}:1:1\n{RENAME}\n\n"
        "error: the index and a delivery document would be the same file `index.json`\n"
        f"  --> {HOME}:1:1\n{RENAME}"
    )
