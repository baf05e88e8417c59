"""Every chart's rendered manifests, as files that people review: ``golden/charts/<chart>/<case>.yaml``.

A case says which releases of the chart stand where, with which values, as somebody would give them to plain Helm; the
manifests are in the same file. ``make golden`` writes them anew. Everything is rendered by both renderers, twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from compiler import render
from compiler.documents import emit
from compiler.model.data import Data, canonical
from compiler.model.manifest import Bundle
from compiler.model.names import ChartName, InstanceName, NamespaceName
from compiler.model.render import RenderRequest
from compiler.model.site import Kubernetes
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pytest_golden.plugin import GoldenTestFixture

GOLDEN: Final = ROOT / "golden" / "charts"
KUBERNETES: Final = Kubernetes("1.35", ("monitoring.coreos.com/v1",))
APPLICATIONS: Final = sorted(path.parent.name for path in (ROOT / "charts").glob("*/component.yaml"))
CLUSTERED: Final = ("etcd", "mariadb", "memcached", "ovn", "rabbitmq", "valkey")


@pytest.mark.golden_test("../../golden/charts/*/*.yaml")
def test_a_chart_renders_what_was_reviewed(golden: GoldenTestFixture, helm_programs: Mapping[str, Path]) -> None:
    golden.get("about")
    chart = golden.path.resolve().parent.name
    requests = [request(chart, release) for release in golden["releases"]]
    bundles = render.render_all(requests, renderer=render.EmbeddedRenderer())
    by_program = render.render_all(requests, renderer=render.program(str(helm_programs["helm4"])))
    assert bundles == by_program
    assert len({manifest.id for bundle in bundles for manifest in bundle.manifests}) == sum(
        len(bundle.manifests) for bundle in bundles
    ), "two releases render one object"
    assert golden.out["manifests"] == "".join(written(bundles))


def request(chart: str, release: Mapping[str, Any]) -> RenderRequest:
    """The render of one release of a case."""
    path = ROOT / "charts" / chart
    return RenderRequest(
        repository=ROOT,
        chart=ChartName(chart),
        chart_path=f"charts/{chart}",
        chart_digest=render.load_chart_digest(path),
        instance=InstanceName(release["name"]),
        namespace=NamespaceName(release.get("namespace", "openstack")),
        values=canonical(release.get("values", {})),
        kubernetes=KUBERNETES,
    )


def written(bundles: tuple[Bundle, ...]) -> Iterator[str]:
    """Each manifest as the compiler writes it, one document after the other."""
    for bundle in bundles:
        for manifest in bundle.manifests:
            head: dict[str, Data] = {
                "apiVersion": manifest.api_version,
                "kind": manifest.id.kind,
                "metadata": manifest.metadata_data(),
            }
            yield f"---\n{emit(head)}{manifest.body}"


@pytest.mark.parametrize("chart", APPLICATIONS)
def test_every_chart_has_its_golden_cases(chart: str) -> None:
    wanted = {"defaults", "development", "two-instances"} | ({"five-members"} if chart in CLUSTERED else set())
    found = {path.stem for path in (GOLDEN / chart).glob("*.yaml")}
    assert wanted <= found, f"golden/charts/{chart} lacks {', '.join(sorted(wanted - found))}"
