"""The sites that we ship, and small charts made up for one question, ready to be experimented with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from compiler import pipeline, render, trace
from compiler.documents import parse_node
from compiler.model.data import canonical
from compiler.model.names import ChartName, InstanceName, NamespaceName
from compiler.model.node import MapNode
from compiler.model.render import RenderRequest
from compiler.model.site import Kubernetes
from tests.conftest import ROOT

MakeExperiment = Callable[[Mapping[str, str], str], trace.Experiment]


@pytest.fixture
def experiment(tmp_path: Path) -> MakeExperiment:
    """Make an experiment of a chart's files and an instance's values."""

    def make(files: Mapping[str, str], values: str) -> trace.Experiment:
        for name, text in {"Chart.yaml": "{apiVersion: v2, name: app, version: 1.0.0}", **files}.items():
            path = tmp_path / "charts" / "app" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        node = parse_node(values, "site.yaml")
        assert isinstance(node, MapNode)
        return trace.Experiment(node, render.Trials(request(tmp_path, node)))

    return make


def request(repository: Path, values: MapNode) -> RenderRequest:
    """The instance ``demo`` of the chart ``app``."""
    chart = "charts/app"
    digest = render.load_chart_digest(repository / chart)
    kubernetes = Kubernetes("1.35")
    return RenderRequest(
        repository,
        ChartName("app"),
        chart,
        digest,
        InstanceName("demo"),
        NamespaceName("ns"),
        canonical(values.data()),
        kubernetes,
    )


def shipped(name: str) -> trace.Experiment:
    """An experiment of an instance of ``site-a``."""
    site, found = pipeline.resolved(pipeline.Request("site-a", ROOT, cached=False))
    instance = next(each for each in found if each.name == name)
    return trace.Experiment(instance.values, render.Trials(pipeline.render_request(site, instance)))
