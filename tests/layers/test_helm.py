"""The finished values are what Helm hands to the templates: nothing is merged twice, nothing comes back."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from compiler import environment, layers
from compiler.model.data import Data, canonical
from compiler.model.node import without_nulls

if TYPE_CHECKING:
    from tests.conftest import World

CHART = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/values.yaml": "size: 1\nprobe: {port: 80, path: /, headers: {a: 1, b: 2}}\nhosts: [a, b]\nextra: {}\n",
    "charts/web/templates/values.yaml": "values: {{ .Values | toJson }}\n",
}
HEAD = "apiVersion: oscompile/v1alpha1\nkind: Environment\n"


def rendered(program: Path, chart: Path, values: Data) -> Data:
    """What a template of ``chart`` sees as ``.Values``."""
    argv = [str(program), "template", "a", str(chart), "--values", "-"]
    done = subprocess.run(argv, input=canonical(values), capture_output=True, text=True, check=True)
    found: Data = json.loads(done.stdout[done.stdout.index("values: ") + 8 :])
    return found


@pytest.mark.parametrize("name", ["helm3", "helm4"])
@pytest.mark.parametrize(
    ("base", "site"),
    [
        ("{size: 2}", "{probe: {path: null}, hosts: !append [c], fresh: {x: 1}}"),
        ("{fresh: {x: 1, z: 2}}", "{fresh: {x: null}, probe: null, extra: {deep: {x: 1}}}"),
        ("{probe: null}", "{probe: {port: 81}}"),
        ("{probe: {headers: {c: 3}}}", "{probe: !replace {headers: {a: 4}}}"),
        ("{probe: !replace 5}", "{probe: !replace {headers: {b: 6}}}"),
        ("{size: null, hosts: null}", "{hosts: [z]}"),
        ("{hosts: !replace {a: [1]}}", "{hosts: {a: !append [2]}}"),
    ],
)
def test_a_template_sees_the_finished_values_and_no_more(
    world: World, helm_programs: Mapping[str, Path], name: str, base: str, site: str
) -> None:
    """What is deleted or replaced stays away, although Helm lays what it is handed over the chart's defaults again."""
    world.write(
        {
            **CHART,
            "environments/base/environment.yaml": f"{HEAD}metadata: {{name: base}}\nabstract: true\n"
            f"instances: {{a: {{chart: web, values: {base}}}}}\n",
            "environments/site/environment.yaml": f"{HEAD}metadata: {{name: site}}\nextends: [base]\ndevelopment: true\n"
            f'kubernetes: {{version: "1.35"}}\ninstances: {{a: {{values: {site}}}}}\n',
        }
    )
    (declaration,) = layers.merge(environment.find(world.root, "site")).declarations
    seen = rendered(helm_programs[name], world.root / "charts/web", declaration.values.data())
    assert seen == without_nulls(declaration.values).data()
