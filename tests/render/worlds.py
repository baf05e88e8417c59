"""Small charts, and requests to render them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from compiler.model.data import Data, canonical
from compiler.model.names import ChartName, InstanceName, NamespaceName
from compiler.model.render import RenderRequest
from compiler.model.site import Kubernetes
from compiler.render import load_chart_digest

KUBERNETES: Final = Kubernetes("1.35", ("example.org/v1",))
CHART: Final = "apiVersion: v2\nname: demo\nversion: 1.0.0\n"


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write each text to its path, bytes as they are; ``-> target`` makes a link."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            path.symlink_to(text.removeprefix("-> ").strip())
        else:
            path.write_bytes(text.encode())


def demo(root: Path, templates: Mapping[str, str], **files: str) -> Path:
    """A chart ``charts/demo`` with these templates; returns the repository."""
    write(root, {"charts/demo/Chart.yaml": CHART, **{f"charts/demo/templates/{k}": v for k, v in templates.items()}})
    write(root, {f"charts/demo/{name}": text for name, text in files.items()})
    return root


def request(
    root: Path,
    values: Mapping[str, Data] | None = None,
    *,
    chart: str = "demo",
    instance: str = "demo",
    kubernetes: Kubernetes = KUBERNETES,
) -> RenderRequest:
    """One use of ``charts/<chart>`` in the repository ``root``."""
    path = f"charts/{chart}"
    return RenderRequest(
        repository=root,
        chart=ChartName(chart),
        chart_path=path,
        chart_digest=load_chart_digest(root / path),
        instance=InstanceName(instance),
        namespace=NamespaceName("openstack"),
        values=canonical(dict(values or {})),
        kubernetes=kubernetes,
    )


def config_map(name: str, more: str = "") -> str:
    """A ConfigMap, as short as it gets."""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: openstack}}\n{more}"
