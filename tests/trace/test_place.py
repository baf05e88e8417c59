"""Findings are reported at the value that decides them: the cases of ``places.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from compiler import pipeline
from compiler.model.diagnostic import Diagnostic
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
    return [found for found in pipeline.judge_site(request).report.findings if found.code == CODE]


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
    report = pipeline.judge_site(pipeline.Request("site-a", ROOT, settings=settings, cached=False)).report
    (found,) = [finding for finding in report.findings if finding.code == "OS048"]
    assert str(found.origin) == "--set:1:43"
    assert [related.origin.file for related in found.related] == ["charts/rabbitmq/templates/statefulset.yaml"]


def test_what_a_rule_has_placed_itself_stays_where_it_is() -> None:
    report = pipeline.judge_site(
        pipeline.Request("site-a", ROOT, settings=("keystone.replicas.api=1",), cached=False)
    ).report
    (found,) = [finding for finding in report.findings if finding.code == "OS018"]
    assert (str(found.origin), found.related) == ("--set:1:23", ())
