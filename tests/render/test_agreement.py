"""Two renderers, one promise: the embedded engine and the helm program give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from compiler.errors import InputError
from compiler.model.data import Data
from compiler.model.render import RenderRequest
from compiler.model.site import Kubernetes
from compiler.render import EmbeddedRenderer, Renderer, program
from tests.render.worlds import config_map, demo, request, write

if TYPE_CHECKING:
    from pytest_golden.plugin import GoldenTestFixture

CHARTS = Path(__file__).parents[2] / "charts"
APPLICATIONS = sorted(path.parent.name for path in CHARTS.glob("*/values.yaml") if path.parent.name != "common")
VALUES: dict[str, dict[str, Data]] = {"defaults": {}, "site": {"global": {"region": "RegionOne", "zones": ["a", "b"]}}}


def shown(renderer: Renderer, asked: RenderRequest) -> str:
    """Everything that it renders, carriage returns visible, or what it says instead."""
    try:
        files = renderer.render(asked)
        return "".join(f"# {file.template}\n{file.text}" for file in files).replace(
            "\r", "\N{SYMBOL FOR CARRIAGE RETURN}"
        )
    except InputError as error:
        return f"{error}\n"


def descriptors() -> int:
    """How many files this process holds open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.golden_test("agree/*.yaml", "fail/*.yaml")
def test_every_renderer_gives_what_the_case_expects(
    golden: GoldenTestFixture, tmp_path: Path, renderers: Mapping[str, Renderer]
) -> None:
    """Each case is a small repository, the values of one instance, and what Helm makes of them or says of them."""
    golden.get("about")
    write(tmp_path, golden["files"])
    asked = request(tmp_path, golden.get("values", {}), instance=golden.get("instance", "demo"))
    said = {name: shown(renderer, asked) for name, renderer in renderers.items()}
    assert said["helm3"] == said["embedded"]
    assert said["helm4"] == said["embedded"]
    assert said["embedded"] == golden.out["rendered"]


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES.keys())
@pytest.mark.parametrize("chart", APPLICATIONS)
def test_our_charts_render_to_the_same_bytes(
    chart: str, values: Mapping[str, Data], repository: Path, renderers: Mapping[str, Renderer]
) -> None:
    """Embedded engine, Helm 3 and Helm 4, on every chart that we ship."""
    asked = request(repository, values, chart=chart, instance=f"{chart}-of-the-site")
    said = {name: shown(renderer, asked) for name, renderer in renderers.items()}
    assert said["embedded"] == said["helm3"] == said["helm4"]
    assert "kind:" in said["embedded"]


@pytest.mark.parametrize("version", ["1.35", "1.35.0", "v1.35.0"])
def test_the_capabilities_of_the_environment_reach_the_templates(
    version: str, tmp_path: Path, renderer: Renderer
) -> None:
    """Version and API versions are the environment's, written in one way however the environment writes them."""
    text = (
        "{{ .Capabilities.KubeVersion }} {{ .Capabilities.KubeVersion.Minor }}"
        ' {{ .Capabilities.APIVersions.Has "a.org/v1" }} {{ .Capabilities.APIVersions.Has "b.org/v1/Kind" }}'
        ' {{ .Capabilities.APIVersions.Has "c.org/v1" }}'
    )
    root = demo(tmp_path, {"x.yaml": config_map("x", f"data: {{seen: {text}}}\n")})
    asked = request(root, kubernetes=Kubernetes(version, ("a.org/v1", "b.org/v1/Kind")))
    assert "seen: v1.35.0 35 true true false" in renderer.render(asked)[0].text


def test_values_reach_the_templates_as_they_are(tmp_path: Path, renderer: Renderer) -> None:
    """Strings that YAML would take for something else, every kind of blank, and all of Unicode."""
    strings: list[Data] = [
        "on",
        "0644",
        "1e3",
        "null",
        "",
        " a ",
        "a: b # c",
        "ü\u2028\x85\U0001f600",
        "\t\n x\n\n",
        "'\"\\",
    ]
    root = demo(tmp_path, {"x.yaml": config_map("x", "data: {all: {{ .Values.strings | toJson | quote }}}\n")})
    written = renderer.render(request(root, {"strings": strings}))[0].text.partition("all: ")[2].strip().rstrip("}")
    assert json.loads(json.loads(written)) == strings


def test_users_plugins_and_settings_do_not_reach_helm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helm_programs: Mapping[str, Path]
) -> None:
    """A user's environment decides nothing: not his plugins, his namespace, nor his debugging."""
    root = demo(tmp_path, {"x.yaml": config_map("x", "data: {in: {{ .Release.Namespace }}}\n")})
    plain = program(str(helm_programs["helm4"])).render(request(root))
    broken = tmp_path / "home" / "plugins" / "bad"
    write(broken, {"plugin.yaml": "this: [is not a plugin"})
    for name in ("HELM_PLUGINS", "HELM_DATA_HOME", "HELM_CONFIG_HOME"):
        monkeypatch.setenv(name, str(broken.parent))
    monkeypatch.setenv("HELM_NAMESPACE", "elsewhere")
    monkeypatch.setenv("HELM_DEBUG", "true")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert program(str(helm_programs["helm4"])).render(request(root)) == plain


def test_helm_says_nothing_on_our_standard_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], renderer: Renderer
) -> None:
    """Links inside charts and tables over values make Helm talk; a compile stays silent."""
    root = demo(tmp_path, {"x.yaml": config_map("x")}, **{"values.yaml": "a: {b: 1}\n"})
    write(tmp_path, {"charts/demo/charts/lib": "-> ../../lib"})
    write(tmp_path, {"charts/lib/Chart.yaml": "apiVersion: v2\nname: lib\ntype: library\nversion: 1.0.0\n"})
    renderer.render(request(root, {"a": "not a table"}))
    assert capfd.readouterr() == ("", "")


def test_rendering_leaves_no_file_and_no_descriptor_behind(tmp_path: Path, renderer: Renderer) -> None:
    """A thousand renders must not end in `too many open files`."""
    root = demo(tmp_path, {"x.yaml": config_map("x")})
    renderer.render(request(root))
    before = descriptors()
    for _ in range(5):
        renderer.render(request(root))
    assert descriptors() == before


def test_a_renderer_is_known_by_its_versions_without_being_loaded(helm_programs: Mapping[str, Path]) -> None:
    """The identity is part of every cache key, and says nothing of where the program lies."""
    assert EmbeddedRenderer().identity == "embedded helm v4.2.3 (helm-c 0.2.2)"
    assert program(str(helm_programs["helm3"])).identity == "helm program v3.17.2"
