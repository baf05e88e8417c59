"""Ten thousand objects in one instance compile to what they should; how long that takes is the benchmark's business."""

from __future__ import annotations

from typing import Final

from compiler.pipeline import Request, judge_site
from tests.conftest import World

SITE: Final = """\
apiVersion: oscompile/v1alpha1
kind: Environment
metadata: {name: s}
development: true
kubernetes: {version: "1.35"}
delivery: {repository: {url: "https://git.example.org/s.git"}, argocd: {}, flux: {}}
instances: {big: {chart: big}}
"""
MAPS: Final = """\
{{- range $number := until 10000 }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: big-{{ $number }}, namespace: {{ $.Release.Namespace }}}
data: {number: "{{ $number }}"}
{{- end }}
"""
API: Final = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: big-api, namespace: {{ .Release.Namespace }}}
spec:
  selector: {matchLabels: {app: big}}
  template:
    metadata: {labels: {app: big}}
    spec:
      containers: [{name: main, image: "registry.example.org/big:1", envFrom: [{configMapRef: {name: big-9999}}]}]
"""


def test_one_instance_may_have_ten_thousand_objects(world: World) -> None:
    """Each has its wave, the one that pods name goes with them, and a first install ends on both engines."""
    files = {
        "environments/s/environment.yaml": SITE,
        "charts/big/Chart.yaml": "{apiVersion: v2, name: big, version: 1.0.0}\n",
        "charts/big/templates/maps.yaml": MAPS,
        "charts/big/templates/api.yaml": API,
    }
    judged = judge_site(Request("s", world.write(files).root, cached=False))
    waves = {one.name: wave for one, wave in judged.plan.waves.items()}
    assert len(waves) == 10_002
    assert waves["openstack"] < waves["big-0"] == waves["big-9998"]
    assert waves["big-9999"] <= waves["big-api"]
    assert not [found for found in judged.report.findings if found.code in {"OS049", "OS050"}]
