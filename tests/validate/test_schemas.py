"""The schemas of kinds: what Kubernetes' own documents say of the tables, what our own output says of the schemas."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from compiler.validate import schemas
from compiler.validate.schemas import served
from tests.conftest import ROOT, World

SITES = ("dev", "site-a")
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
"""
WIDGET = """\
apiVersion: example.org/v1
kind: Widget
metadata: {name: "{{ .Release.Name }}-w", namespace: "{{ .Release.Namespace }}"}
spec: {sise: 1}
"""


def data_of(minor: int) -> Path:
    """The folder of one version's schemas."""
    found = find_spec("kubernetes_validate")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "kubernetes-json-schema" / f"v1.{minor}.0-local-strict"


def kinds(minor: int) -> set[tuple[str, str]]:
    """Every (API version, kind) that the documents of Kubernetes 1.``minor`` have."""
    found: set[tuple[str, str]] = set()
    definitions = json.loads((data_of(minor) / "_definitions.json").read_text(encoding="utf-8"))["$defs"]
    for schema in definitions.values():
        for named in schema.get("x-kubernetes-group-version-kind", []):
            found.add((f"{named['group']}/{named['version']}".lstrip("/"), named["kind"]))
    return found


def test_what_the_table_calls_removed_was_there_just_before_and_is_not_there_since() -> None:
    first, last = schemas.KNOWN
    versions = {minor: kinds(minor) for minor in range(first, last + 1)}
    for key, (since, instead) in served.REMOVED.items():
        assert all(key not in versions[minor] for minor in range(max(since, first), last + 1)), key
        assert since <= first or key in versions[since - 1], key
        assert not instead or (instead, key[1]) in versions[last], key
    for key, (since, instead) in served.DEPRECATED.items():
        assert key in versions[max(since, first)], key
        assert not instead or any(api == instead for api, _ in versions[max(since, first)]), key


def test_the_known_versions_and_groups_are_those_of_the_data() -> None:
    first, last = schemas.KNOWN
    assert data_of(first).is_dir()
    assert data_of(last).is_dir()
    assert not data_of(last + 1).is_dir()
    groups = {api.rpartition("/")[0] for api, kind in kinds(last) if kind != "DeleteOptions"}
    assert groups - {"imagepolicy.k8s.io", "admission.k8s.io"} <= schemas.GROUPS


@pytest.mark.parametrize("site", SITES)
def test_everything_in_our_own_output_that_kubernetes_knows_fits_its_schema(site: str) -> None:
    """The compiler's own objects too, and with the annotations that a compile adds."""
    files = [path for path in (ROOT / "golden" / site).rglob("*.yaml") if path.name != "kustomization.yaml"]
    judged = 0
    for path in files:
        document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        group, _, version = document["apiVersion"].rpartition("/")
        form = schemas.built_in("1.35", group, version, document["kind"])
        if form is not None:
            judged += 1
            assert [mistake.message for mistake in schemas.mistakes(form, document)] == [], path
    assert judged > 60


def test_definitions_of_the_repository_judge_custom_resources(broken: World) -> None:
    broken.write({"environments/crds/widgets.yaml": CRD, "charts/app/templates/job.yaml": WIDGET})
    said = broken.run("validate", "site").stdout
    assert "error [OS071]: in openstack/Widget app-w, `spec` has no field `sise`" in said
    assert "OS074" not in said
    (broken.root / "environments/crds/widgets.yaml").unlink()
    assert "warning [OS074]: Widget of example.org/v1 is not validated" in broken.run("validate", "site").stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: [", "environments/crds/widgets.yaml"),
        ("{kind: ConfigMap}", "the file must hold CustomResourceDefinitions alone, but here is a ConfigMap"),
        (CRD.replace("{type: integer}", "{type: 3}"), "the schema of `example.org/v1/Widget` must be a JSON schema"),
    ],
    ids=["no YAML", "no definition", "no schema"],
)
def test_a_definition_that_is_none_is_an_error_with_its_place(broken: World, text: str, message: str) -> None:
    broken.write({"environments/crds/widgets.yaml": text})
    done = broken.run("site")
    assert (done.returncode, (broken.root / "rendered").exists()) == (1, False)
    assert message in done.stderr
    assert "--> environments/crds/widgets.yaml:" in done.stderr


def test_an_object_without_a_kind_is_an_error_with_its_place(broken: World) -> None:
    broken.write({"charts/app/templates/job.yaml": "apiVersion: v1\nmetadata: {name: x}\n"})
    said = broken.run("validate", "site").stdout
    assert "a rendered object must have the key `kind`, but has none" in said
    assert "--> charts/app/templates/job.yaml:1:1" in said


def test_a_list_of_a_hundred_thousand_items_is_judged(broken: World) -> None:
    objects = "{{- range $n := until 100000 }}\n  key-{{ $n }}: value\n{{- end }}\n"
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app-x, namespace: openstack}\ndata:"
    broken.write({"charts/app/templates/job.yaml": head + objects})
    done = broken.run("validate", "site")
    assert "OS075" in done.stdout


def test_the_values_of_a_long_list_are_judged_one_by_one(broken: World) -> None:
    ports = "{{- range $n := until 20000 }}\n    - {port: {{ $n }}, nam: p{{ $n }}}\n{{- end }}\n"
    head = "apiVersion: v1\nkind: Service\nmetadata: {name: app-x, namespace: openstack}\nspec:\n  ports:"
    broken.write({"charts/app/templates/job.yaml": head + ports})
    assert "`spec.ports[0]` has no field `nam`" in broken.run("validate", "site").stdout
