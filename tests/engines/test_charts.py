"""The known incidents, from the chart that causes each: compiled by us it is refused, or it comes to its end.

One case, one file: a chart without a contract (or several), what changes in it later, and what then happens on both
engines, played on the emitted files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any, Final

import jsonschema
import pytest

from compiler import engines, pipeline, write
from compiler.documents.schema import published
from compiler.engines import Rehearsal
from compiler.engines.files import revision as revision_of
from compiler.engines.revision import Revision
from compiler.pipeline import Judged, Request, judge_site
from tests.conftest import World
from tests.engines.test_rehearsals import shown

if TYPE_CHECKING:
    from pytest_golden.plugin import GoldenTestFixture

OURS: Final = {"OS008", "OS009", "OS049", "OS050"}
"""What is looked at here; other rules have their own cases."""

ENVIRONMENT: Final = """\
apiVersion: oscompile/v1alpha1
kind: Environment
metadata: {name: s}
development: true
kubernetes: {version: "1.35"}
"""


def compiled(root: Path) -> Judged:
    """The site ``s``, held against every rule."""
    return judge_site(Request("s", root, cached=False))


def files(case: Mapping[str, Any]) -> dict[str, str]:
    """The repository of a case: its environment, and every chart with the least that a chart is."""
    found = {"environments/s/environment.yaml": ENVIRONMENT + case["site"]}
    for path, text in case["charts"].items():
        chart = path.split("/")[0]
        found[f"charts/{chart}/Chart.yaml"] = f"{{apiVersion: v2, name: {chart}, version: 1.0.0}}\n"
        found[f"charts/{path}"] = text
    return found


def said(judged: Judged) -> Iterator[str]:
    """What the rules say, and what each object is to the engines."""
    findings = [found for found in judged.report.findings if found.code in OURS]
    yield from (f"{found.severity} {found.code}: {found.message}" for found in findings)
    if any(found.severity == "error" for found in findings):
        return
    for bundle in judged.bundles:
        for manifest in bundle.manifests:
            annotations = manifest.metadata_data()["annotations"]
            assert isinstance(annotations, dict)
            told = {key.partition("/")[2]: value for key, value in annotations.items()}
            rest = ", ".join(f"{key}: {value}" for key, value in sorted(told.items()) if key != "sync-wave")
            yield f"wave {told['sync-wave']}  {manifest.id}{f' ({rest})' if rest else ''}"
        for left in bundle.left_out:
            yield f"left out  {left.id}: {left.why}"


def revision(judged: Judged, number: int) -> Revision:
    """What a commit of the compiled site holds."""
    found = engines.compiled(judged.site.delivery.output, judged.bundles, judged.documents)
    return Revision(f"commit {number}", found.files, found.skipped, found.listings)


def play(case: Mapping[str, Any], world: World) -> str:
    """The whole case, as text."""
    judged = compiled(world.write(files(case)).root)
    lines = list(said(judged))
    if lines[0].startswith("error"):
        return "".join(f"{line}\n" for line in lines)
    first = revision(judged, 1)
    plays = dict(engines.rehearsals(first, judged.site.delivery.output))
    for name, one in plays.items():
        one.run()
        lines += [f"--- {name}: installed", *shown(one.stuck())]
    for number, step in enumerate(case.get("then") or [], 2):
        lines.append(f"--- {', '.join(step)}")
        if "change" in step:
            judged = compiled(world.write({f"charts/{path}": text for path, text in step["change"].items()}).root)
        changed = revision(judged, number)
        for name, one in plays.items():
            lines += [f"{name}: {line}" for line in _next(one, step, changed)]
    return "".join(f"{line}\n" for line in lines)


def _next(play: Rehearsal, step: Mapping[str, Any], changed: Revision) -> Iterator[str]:
    if "expires" in step:
        yield from (f"the cluster deletes {one}" for one in play.cluster.expire())
    yield from (str(entry) for entry in play.run(changed if "change" in step else None))
    yield from shown(play.stuck())


@pytest.mark.golden_test("charts/*.yaml")
def test_an_incident_is_refused_or_repaired(golden: GoldenTestFixture, world: World) -> None:
    golden.get("says")
    case = {key: golden.get(key) for key in ("site", "charts", "then")}
    assert play(case, world) == golden.out["happens"]


def test_no_file_of_ours_is_read_as_a_manifest(world: World) -> None:
    """A metadata file in an Application's path fails its sync: the index lies where no Application and no path looks."""
    case = {
        "site": DELIVERED.replace("argocd: {}", "argocd: {granularity: site}"),
        "charts": {"app/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\n"},
    }
    judged = pipeline.compile_site(Request("s", world.write(files(case)).root, cached=False))
    pipeline.deliver(judged)
    texts = {
        path.relative_to(world.root).as_posix(): path.read_text(encoding="utf-8")
        for path in judged.output.rglob("*")
        if path.is_file()
    }
    assert "rendered/s/index.json" in texts
    read = revision_of("commit 1", texts)
    for _, one in engines.rehearsals(read, "rendered/s"):
        one.run()
        assert not one.failures()
        assert not one.stuck()


DELIVERED: Final = """\
delivery: {repository: {url: "https://git.example.org/s.git"}, argocd: {}, flux: {}}
instances:
  app: {chart: app}
"""


def test_the_index_says_what_was_taken_away_and_what_was_left_out(world: World) -> None:
    """With the annotation or field as it was, and the life that the object has instead; by the published schema."""
    job = """\
    apiVersion: batch/v1
    kind: Job
    metadata: {{name: {name}, annotations: {{helm.sh/hook: {hook}, helm.sh/hook-weight: "-4"}}}}
    spec: {{ttlSecondsAfterFinished: 60, template: {{spec: {{containers: []}}}}}}
    """
    charts = {
        "app/templates/sync.yaml": dedent(job.format(name="sync", hook="post-install")),
        "app/templates/test.yaml": dedent(job.format(name="check", hook="test")),
    }
    case = {"site": DELIVERED, "charts": charts}
    judged = compiled(world.write(files(case)).root)
    tree = write.lay_out(judged.site, judged.instances, judged.bundles, judged.plan, judged.documents)
    index = json.loads(tree.files["index.json"])
    jsonschema.validate(index, published("index.v1"))
    (found,) = (each for each in index["objects"] if each["instance"] == "app")
    assert found["lifecycle"] == "job"
    assert found["stripped"] == {
        "helm.sh/hook": "post-install",
        "helm.sh/hook-weight": "-4",
        "metadata.name": "sync",
        "spec.ttlSecondsAfterFinished": "60",
    }
    assert index["leftOut"] == [
        {
            "instance": "app",
            "object": "openstack/Job check",
            "template": "app/templates/test.yaml",
            "hooks": ["test"],
            "why": "tests are left out unless `delivery.helmTests` is `true`",
        }
    ]
