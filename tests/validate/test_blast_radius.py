"""Rule OS043 as a metamorphic test of our charts: what one component's option changes is that component alone."""

from __future__ import annotations

import re
from typing import Final

import pytest

from compiler.pipeline import Request, judge_site
from tests.conftest import ROOT

_DIGEST: Final = re.compile(r"-[0-9a-f]{10}$")
ROLLS: Final = {
    "mariadb.proxy.idleTimeout=30m": {"Deployment mariadb-proxy"},
    "mariadb.galera.applierThreads=8": {"StatefulSet mariadb-server"},
    "mariadb.server.maxConnections=100": {"Deployment mariadb-proxy", "StatefulSet mariadb-server"},
    "mariadb.backup.keep=7": {"CronJob mariadb-backup"},
    "rabbitmq.memoryWatermark=0.5": {"StatefulSet rabbitmq-server"},
    "memcached.threads=2": {"StatefulSet memcached-server"},
    "keystone.conf.uwsgi.processes=7": {"Deployment keystone-api"},
    "keystone.database.answerSeconds=30": {"Deployment keystone-api"},
    "keystone.keys.stagedSeconds=7200": {"CronJob keystone-credential-rotate", "CronJob keystone-fernet-rotate"},
    "keystone.bootstrap.region=RegionTwo": {"Job keystone-bootstrap"},
}
"""A value, and all that reads it. The proxy lets in as many connections as the server has."""


def templates(*settings: str) -> dict[str, str]:
    """The text of every object of the development site that makes pods; Jobs without the digest in their names."""
    judged = judge_site(Request("dev", ROOT, settings=settings, cached=False, jobs=1))
    return {
        _DIGEST.sub("", f"{manifest.id.kind} {manifest.id.name}"): manifest.body
        for bundle in judged.bundles
        for manifest in bundle.manifests
        if manifest.workload is not None
    }


@pytest.fixture(scope="module")
def before() -> dict[str, str]:
    """The same without any change."""
    return templates()


@pytest.mark.parametrize(("setting", "rolls"), ROLLS.items(), ids=ROLLS)
def test_a_value_changes_the_pods_of_those_that_read_it_alone(
    setting: str, rolls: set[str], before: dict[str, str]
) -> None:
    after = templates(setting)
    assert {name for name, body in after.items() if before.get(name) != body} == rolls
    assert before.keys() == after.keys()
