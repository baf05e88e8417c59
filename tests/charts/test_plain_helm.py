"""Every chart is good for plain Helm too: lint, template, install, with Helm 3 and Helm 4 and nothing of ours."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.conftest import ROOT

CHARTS: Final = sorted(path.parent.name for path in (ROOT / "charts").glob("*/component.yaml"))
LONG: Final = "a-release-with-a-name-of-forty-character"


@pytest.fixture(params=["helm3", "helm4"])
def helm(request: pytest.FixtureRequest, helm_programs: Mapping[str, Path]) -> str:
    """A real helm."""
    return str(helm_programs[request.param])


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a program in the root of the repository."""
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_passes_strict_lint(helm: str, chart: str) -> None:
    done = run(helm, "lint", "--strict", f"charts/{chart}")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_renders_with_its_own_defaults_as_helm_would_install_it(helm: str, chart: str) -> None:
    done = run(helm, "template", chart, f"charts/{chart}", "--namespace", "openstack")
    assert done.returncode == 0, done.stderr
    objects = [thing for thing in yaml.safe_load_all(done.stdout) if thing]
    assert objects
    assert {thing["metadata"]["namespace"] for thing in objects} == {"openstack"}
    assert "Secret" not in {thing["kind"] for thing in objects}


@pytest.mark.parametrize("chart", CHARTS)
def test_a_release_name_of_forty_characters_gives_legal_names(helm: str, chart: str) -> None:
    assert len(LONG) == 40
    done = run(helm, "template", LONG, f"charts/{chart}")
    assert done.returncode == 0, done.stderr
    for thing in filter(None, yaml.safe_load_all(done.stdout)):
        limit = 52 if thing["kind"] in {"StatefulSet", "CronJob"} else 63
        assert len(thing["metadata"]["name"]) <= limit, thing["metadata"]["name"]
        labels = thing["metadata"]["labels"].values()
        assert all(len(str(value)) <= 63 for value in labels)


@pytest.mark.parametrize("chart", CHARTS)
def test_a_value_that_a_chart_does_not_know_is_refused(helm: str, chart: str) -> None:
    done = run(helm, "template", chart, f"charts/{chart}", "--set", "replcas=3")
    assert done.returncode != 0
    assert "replcas" in done.stderr


@pytest.mark.parametrize("chart", CHARTS)
def test_a_release_with_an_unknown_value_deep_inside_is_refused(helm: str, chart: str) -> None:
    done = run(helm, "template", chart, f"charts/{chart}", "--set", "image.registri=example.org")
    assert done.returncode != 0
    assert "registri" in done.stderr
