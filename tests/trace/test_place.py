"""Findings are reported at the value that decides them: the cases of ``places.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from compiler import pipeline, render, trace
from compiler.cache import Store
from compiler.model.diagnostic import Diagnostic
from compiler.model.manifest import Field
from compiler.model.names import Digest
from compiler.model.render import RenderRequest
from compiler.model.report import Report
from tests.conftest import ROOT, World

CASES: Final = yaml.safe_load(Path(__file__).with_name("places.yaml").read_text(encoding="utf-8"))
CODE: Final = "OS044"
ENVIRONMENT: Final = """\
apiVersion: oscompile/v1alpha1
kind: Environment
metadata: {name: site}
kubernetes: {version: "1.35"}
secrets: {backend: external-secrets, store: vault}
instances:
"""
JOB: Final = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-sync-0a1b2c3d4e
  namespace: {{ .Release.Namespace }}
  labels:
    app.kubernetes.io/name: {{ .Chart.Name }}
    app.kubernetes.io/instance: {{ .Release.Name }}
    app.kubernetes.io/component: sync
    app.kubernetes.io/version: "1"
    app.kubernetes.io/part-of: openstack
    app.kubernetes.io/managed-by: {{ .Release.Service }}
# constants follow

spec:
  backoffLimit: LIMIT
  activeDeadlineSeconds: 600
  template:
    spec: {restartPolicy: OnFailure, containers: [{name: sync, image: "registry.example.org/app:1"}]}
"""
CONTRACT: Final = """\
apiVersion: oscompile/v1alpha1
kind: Component
components: {sync: {role: job, phase: expand}}
"""


OPTIONS: Final = """\
conf:
  DEFAULT: {debug: false}
  token: {allow_rescope_scoped_token: true}
  cache: {enabled: true}
  oauth1: {enable: true}
  oslo_messaging_rabbit:
    {rabbit_quorum_queues: true, kombu_reconnect_splay: 0}
  oslo_messaging_notifications: {retry: 1}
"""
RENDERED: Final = """\
{{- $lines := list }}
{{- range $section, $options := .Values.conf }}
{{- $lines = append $lines (printf "[%s]" $section) }}
{{- range $option, $value := $options }}{{ $lines = append $lines (printf "%s = %v" $option $value) }}{{ end }}
{{- end }}
apiVersion: v1
kind: Secret
metadata: {name: "{{ .Release.Name }}-etc", namespace: "{{ .Release.Namespace }}"}
data:
  keystone.conf: {{ join "\\n" $lines | b64enc }}
"""


def traced(request: pipeline.Request) -> Report:
    """What the rules say of a site, each finding at the value behind it, as ``oscompile validate`` says it."""
    judged = pipeline.judge_site(request)
    return pipeline.placed(request, judged, judged.report.findings)


def findings(world: World, case: Mapping[str, Any]) -> list[Diagnostic]:
    """What the rule says of the case."""
    instance = case.get("instance", "{chart: app}")
    world.write(
        {
            "environments/site/environment.yaml": f"{ENVIRONMENT}  jobs: {instance}\n{case.get('rest', '')}\n",
            "charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n",
            "charts/app/values.yaml": "limit: 5\nmany: 50\ndeadline: 600\n",
            "charts/app/component.yaml": CONTRACT,
            "charts/app/templates/job.yaml": JOB.replace("LIMIT", case["limit"]).replace(
                "activeDeadlineSeconds: 600", case.get("more", "activeDeadlineSeconds: 600")
            ),
            **case.get("files", {}),
        }
    )
    request = pipeline.Request("site", world.root, settings=tuple(case.get("settings", ())))
    return [found for found in traced(request).findings if found.code == CODE]


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_a_finding_is_at_the_value_that_decides_it(case: Mapping[str, Any], world: World) -> None:
    """And so it is when the answer comes from the store: the second time nothing is rendered."""
    for _ in range(2):
        (found,) = findings(world, case)
        assert str(found.origin) == case["place"]
        rendered = [f"{related.origin.file}" for related in found.related]
        assert rendered == ([case["rendered"]] if "rendered" in case else [])


def test_a_value_that_moves_to_another_line_is_found_there(world: World) -> None:
    """The store knows which value decides, and never where it is."""
    case = CASES["defaults for the chart"]
    first = findings(world, case)[0].origin
    second = findings(world, {**case, "rest": f"# a comment\n{case['rest']}"})[0].origin
    assert first is not None
    assert second is not None
    assert second.line == first.line + 1


def test_on_a_shipped_site_the_command_line_is_blamed_and_not_its_neighbours() -> None:
    """The rule is about the resources of a container: six values decide them, and somebody set one."""
    settings = ("rabbitmq.resources.server.requests.memory=4Gi",)
    report = traced(pipeline.Request("site-a", ROOT, settings=settings, cached=False))
    (found,) = [finding for finding in report.findings if finding.code == "OS048"]
    assert str(found.origin) == "--set:1:43"
    assert [related.origin.file for related in found.related] == ["charts/rabbitmq/templates/statefulset.yaml"]


def test_what_a_rule_has_placed_itself_stays_where_it_is() -> None:
    report = pipeline.judge_site(
        pipeline.Request("site-a", ROOT, settings=("keystone.replicas.api=1",), cached=False)
    ).report
    (found,) = [finding for finding in report.findings if finding.code == "OS018"]
    assert (str(found.origin), found.related) == ("--set:1:23", ())


def test_a_switch_in_a_configuration_file_is_blamed_by_its_name(world: World) -> None:
    """A switch shows no mark; the section and the option find it, among others of other sections, also in base64."""
    world.write(
        {
            "environments/site/environment.yaml": f"{ENVIRONMENT}  app: {{chart: app}}\n",
            "charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\nappVersion: 29.0.0\n",
            "charts/app/values.yaml": OPTIONS,
            "charts/app/templates/secret.yaml": RENDERED,
        }
    )
    for _ in range(2):
        report = traced(pipeline.Request("site", world.root))
        found = {str(each.origin) for each in report.findings if each.code == "OS042"}
        assert found == {"charts/app/values.yaml:7:28", "charts/app/values.yaml:5:20"}


def test_an_option_that_a_template_writes_is_told_at_its_line(world: World) -> None:
    """Not at whatever else changes the same file: neither the value that is put there, nor one that is empty."""
    sets = '{{- $_ := set .Values.conf.DEFAULT "os_user_name" .Values.user }}\n'
    world.write(
        {
            "environments/site/environment.yaml": f"{ENVIRONMENT}  app: {{chart: app}}\n",
            "charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\nappVersion: 29.0.0\n",
            "charts/app/values.yaml": "user: keystone\n" + OPTIONS + "  memcache: {servers: null}\n",
            "charts/app/templates/secret.yaml": "{{/* what no value says */}}\n" + sets + RENDERED,
        }
    )
    report = traced(pipeline.Request("site", world.root))
    (found,) = [each for each in report.findings if "os_user_name" in each.message]
    assert str(found.origin).startswith("charts/app/templates/secret.yaml:2:")


def test_a_report_is_the_same_when_all_is_known(tmp_path: Path) -> None:
    """What an earlier compile found out costs a later one nothing, and gives nobody more renders than it had."""
    judged = pipeline.judge_site(pipeline.Request("site-a", ROOT))
    asked = [
        Diagnostic("asked", field=Field(bundle.instance, found.id, ("spec",)))
        for bundle in judged.bundles
        for found in bundle.manifests
        if found.workload is not None
    ]

    def key(asked_of: RenderRequest, question: str) -> Digest:
        return render.key(asked_of, render.EmbeddedRenderer(), question)

    means = trace.Means(partial(pipeline.render_request, judged.site), render.Trials, key, Store(tmp_path))
    first, second = (trace.placed(judged.site, judged.instances, asked, means, total=0) for _ in range(2))
    assert first == second
    assert any("not traced" in found.message for found in first)
