"""Each file of ``cases/``: a small repository, a command, and everything the program says.

A case may change the small world below (``files``; a null removes a file), and gives the words of the command. What the
program must say and return stands in the same file; ``make golden`` rewrites it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pytest_golden.plugin import GoldenTestFixture

    from tests.conftest import World

ENVIRONMENT: Final = """\
apiVersion: oscompile/v1alpha1
kind: Environment
metadata: {name: site}
kubernetes: {version: "1.35"}
secrets: {backend: external-secrets, store: vault}
delivery: {output: rendered/site}
instances:
  db: {chart: db}
  app: {chart: app}
"""
TEMPLATE: Final = """\
{{- $labels := dict "app.kubernetes.io/name" .Chart.Name "app.kubernetes.io/instance" .Release.Name -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}-server
  namespace: {{ .Release.Namespace }}
  labels:
    app.kubernetes.io/name: {{ .Chart.Name }}
    app.kubernetes.io/instance: {{ .Release.Name }}
    app.kubernetes.io/component: server
    app.kubernetes.io/version: "1"
    app.kubernetes.io/part-of: openstack
    app.kubernetes.io/managed-by: {{ .Release.Service }}
spec:
  ports: [{name: main, port: {{ .Values.port }}, targetPort: main}]
"""
SCHEMA: Final = """\
{"type": "object", "additionalProperties": false, "properties": {
  "global": {"type": "object"}, "bindings": {"type": "object"}, "consumers": {"type": "object"},
  "port": {"type": "integer"}, "replicas": {"type": "integer"}}}
"""
CONTRACT: Final = """\
apiVersion: oscompile/v1alpha1
kind: Component
"""
WORLD: Final = {
    "environments/site/environment.yaml": ENVIRONMENT,
    "charts/db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n",
    "charts/db/values.yaml": "port: 3306\nreplicas: 3\n",
    "charts/db/values.schema.json": SCHEMA,
    "charts/db/templates/service.yaml": TEMPLATE,
    "charts/db/component.yaml": CONTRACT
    + "provides: {mysql: {component: server, port: 3306, plaintext: a world for messages}}\ncomponents: {server: {role: quorum, replicas: {value: replicas}}}\n",
    "charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n",
    "charts/app/values.yaml": "port: 5000\nreplicas: 3\n",
    "charts/app/values.schema.json": SCHEMA,
    "charts/app/templates/service.yaml": TEMPLATE,
    "charts/app/component.yaml": CONTRACT
    + "requires: {database: {interface: mysql, gate: ready, secret: database}}\n"
    + "components: {server: {role: api, replicas: {value: replicas}}}\n"
    + "secrets: {database: {keys: {password: {generate: password}}}}\n",
}


@pytest.mark.golden_test("cases/*.yaml")
def test_the_program_says_and_returns_what_the_case_expects(golden: GoldenTestFixture, world: World) -> None:
    """Nothing is written when the input is at fault, and there is never a traceback."""
    golden.get("about")
    files = {**WORLD, **golden.get("files", {})}
    world.write({name: text for name, text in files.items() if text is not None})
    done = world.run(*golden["run"])
    said = done.stderr.replace(str(world.root), "<root>")
    assert "Traceback" not in said
    assert golden.out["exit"] == done.returncode
    assert golden.out["stderr"] == said
    assert done.returncode == 0 or not (world.root / "rendered").exists()
