"""The engine alone: list the renders of a site, then do them with Helm's engine and nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path

RENDERS_EACH = 2
"""The compiler renders each instance twice, to prove that the output is the same."""


def list_renders(directory: Path, target: Path) -> None:
    """Write every render of the site ``bench`` in ``directory``: chart, names, values, capabilities."""
    from compiler import Request, compile_site  # noqa: PLC0415 - the measured process must not load the compiler

    compiled = compile_site(Request("bench", directory))
    kubernetes = compiled.site.kubernetes
    renders = [
        {
            "chart": str(compiled.site.repository / instance.chart.path),
            "values": json.dumps(instance.values.data()),
            "options": json.dumps(
                {
                    "name": instance.name,
                    "namespace": instance.namespace,
                    "kube_version": f"v{kubernetes.version}.0",
                    "api_versions": list(kubernetes.api_versions),
                }
            ),
        }
        for instance in compiled.instances
    ]
    target.write_text(json.dumps(renders))


def render(source: Path) -> None:
    """Do the renders."""
    from helm_python import Chart, _native  # noqa: PLC0415 - its loading is part of what is measured

    charts: dict[str, Chart] = {}
    for wanted in json.loads(source.read_text()):
        chart = charts.get(wanted["chart"]) or charts.setdefault(wanted["chart"], Chart.load(wanted["chart"]))
        for _ in range(RENDERS_EACH):
            _native.call_string("helm_render", chart._raw(), wanted["values"], wanted["options"])


if __name__ == "__main__":
    if sys.argv[1] == "list":
        list_renders(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        render(Path(sys.argv[2]))
