"""Rule OS043 as a metamorphic test of our charts: what one component's option changes is that component alone."""

from __future__ import annotations

import pytest

from compiler.pipeline import Request, judge_site
from tests.conftest import ROOT


def templates(*settings: str) -> dict[str, str]:
    """The text of every object of the development site that makes pods."""
    judged = judge_site(Request("dev", ROOT, settings=settings, cached=False, jobs=1))
    return {
        str(manifest.id): manifest.body
        for bundle in judged.bundles
        for manifest in bundle.manifests
        if manifest.workload is not None
    }


@pytest.fixture(scope="module")
def before() -> dict[str, str]:
    """The same without any change."""
    return templates()


@pytest.mark.parametrize(
    ("setting", "rolls"),
    [
        ("keystone.conf.uwsgi.processes=7", {"openstack/Deployment keystone-api"}),
        ("rabbitmq.memoryWatermark=0.5", {"openstack/StatefulSet rabbitmq-server"}),
    ],
)
def test_an_option_of_one_component_changes_the_pods_of_that_component_alone(
    setting: str, rolls: set[str], before: dict[str, str]
) -> None:
    after = templates(setting)
    assert {name for name, body in after.items() if before.get(name) != body} == rolls
    assert before.keys() == after.keys()
