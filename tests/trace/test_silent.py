"""Overrides that change nothing are said: the cases of ``silent.yaml``, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from compiler import pipeline, render, trace
from compiler.cache import Store
from compiler.model.data import digest
from compiler.model.diagnostic import Diagnostic
from compiler.model.render import RenderedFile, Trial
from tests.conftest import World

CASES: Final = yaml.safe_load(Path(__file__).with_name("silent.yaml").read_text(encoding="utf-8"))
UNTRIED: Final = Trial()
ENVIRONMENT: Final = """\
apiVersion: oscompile/v1alpha1
kind: Environment
metadata: {name: site}
kubernetes: {version: "1.35"}
secrets: {backend: external-secrets, store: vault}
instances:
"""
VALUES: Final = """\
replicaCount: 1
image: {tag: v1, repository: app}
persistence: {enabled: false, size: 1Gi}
debug: false
colour: blue
port: 80
either: false
other: false
"""
TEMPLATE: Final = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}-it", namespace: "{{ .Release.Namespace }}"}
data:
  replicas: "{{ .Values.replicaCount }}"
  image: {{ .Values.image.repository }}:{{ .Values.image.tag }}
  digest: {{ .Values.colour | sha256sum }}
  port: "{{ .Values.port }}"
  {{- if .Values.debug }}
  debug: "on"
  {{- end }}
  {{- if .Values.persistence.enabled }}
  size: {{ .Values.persistence.size }}
  {{- if .Values.annotation }}
  annotation: {{ .Values.annotation }}
  {{- end }}
  {{- end }}
  {{- if or .Values.either .Values.other }}
  either: "yes"
  {{- end }}
  {{- with .Values.needed }}
  needed: {{ . }}
  {{- end }}
"""


def said(world: World, values: str, rest: str = "", schema: str | None = None, **more: str) -> list[Diagnostic]:
    """What the two rules say of the instance ``web``."""
    world.write(
        {
            "environments/site/environment.yaml": f"{ENVIRONMENT}  web: {{chart: app, values: {values}}}\n{rest}",
            "charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n",
            "charts/app/values.yaml": VALUES,
            "charts/app/templates/it.yaml": TEMPLATE,
            **({"charts/app/values.schema.json": schema} if schema else {}),
            **more,
        }
    )
    report = pipeline.judge_site(pipeline.Request("site", world.root)).report
    return [found for found in report.findings if found.code in {"OS060", "OS061"}]


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_what_changes_nothing_is_said(case: Mapping[str, Any], world: World) -> None:
    """And the second time it is said again, from the store."""
    for _ in range(2):
        found = said(world, case["values"], schema=case.get("schema"))
        assert [str(diagnostic) for diagnostic in found] == [text.strip() for text in case["says"]]


def test_each_layer_is_named(world: World) -> None:
    overlay = "apiVersion: oscompile/v1alpha1\nkind: Overlay\ndefaults:\n  app: {prot: 1}\n"
    rest = "overlays: [wide]\ndefaults: {app: {colur: red}}\n"
    found = said(world, "{}", rest, **{"overlays/wide/overlay.yaml": overlay})
    assert [str(diagnostic.origin) for diagnostic in found] == [
        "environments/site/environment.yaml:9:25",
        "overlays/wide/overlay.yaml:4:15",
    ]


def test_what_the_site_says_to_every_chart_is_nobodys_typo(world: World) -> None:
    assert said(world, "{}", "site: {region: RegionOne}\n") == []


def test_the_usual_case_costs_a_handful_of_renders(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The base, all overrides away, all of them marked; then the switch and the value that shows in a digest alone."""
    said(world, "{replicaCount: 5, image: {tag: v2, repository: x}, port: 81, colour: red, debug: true}")
    site, found = pipeline.resolved(pipeline.Request("site", world.root))
    renders: list[Trial] = []
    original = render.Trials.render

    def counted(trials: render.Trials, trial: Trial = UNTRIED) -> tuple[RenderedFile, ...]:
        renders.append(trial)
        return original(trials, trial)

    monkeypatch.setattr(render.Trials, "render", counted)

    bundles = render.render_all(
        [pipeline.render_request(site, each) for each in found], renderer=render.EmbeddedRenderer()
    )
    store = Store(world.root / "store")
    means = trace.Means(
        partial(pipeline.render_request, site), render.Trials, lambda _request, question: digest(question), store
    )
    assert list(trace.silent(site, found, bundles, means)) == []
    assert len(renders) <= 6
    assert list(trace.silent(site, found, bundles, means)) == []
    assert len(renders) <= 6
