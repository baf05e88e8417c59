"""Read what a chart says of itself: its metadata, its contract, its schema."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from compiler.documents import read
from compiler.documents.schema import Memory
from compiler.documents.shelf import chart_node, chart_text
from compiler.errors import InputError
from compiler.instances.contract import structure
from compiler.model.chart import Chart, Contract
from compiler.model.diagnostic import Diagnostic
from compiler.model.names import ChartName, Digest
from compiler.model.node import MapNode, Origin, describe, text

CONTRACTS: Final = "environments/contracts"
"""Where the contracts lie of charts that ship none."""


def load(repository: Path, path: str, digest: Callable[[Path], Digest], memory: Memory) -> Chart:
    """The chart at ``path`` of ``repository``, a directory or an archive; ``digest`` covers all that Helm reads of it.

    Its contract is its own ``component.yaml``, or ``environments/contracts/<chart>.yaml`` for a chart that ships none.
    Raises ``InputError`` where ``Chart.yaml`` or the contract cannot be understood.
    """
    metadata = _metadata(repository, path)
    name = _required(metadata, "name", path)
    return Chart(
        name=ChartName(name),
        version=_required(metadata, "version", path),
        app_version=text(metadata, "appVersion"),
        path=path,
        digest=digest(repository / path),
        contract=_contract(repository, path, name, memory),
        schema=chart_text(repository, path, "values.schema.json"),
    )


def _metadata(repository: Path, path: str) -> MapNode:
    node = chart_node(repository, path, "Chart.yaml")
    if isinstance(node, MapNode):
        return node
    origin = Origin(f"{path}/Chart.yaml")
    found = "is missing or empty" if node is None else f"is {describe(node)}"
    raise InputError([Diagnostic(f"`Chart.yaml` must be a map, but {found}", origin, "`name:` and `version:`")])


def _required(metadata: MapNode, key: str, path: str) -> str:
    found = text(metadata, key)
    if not found:
        message = f"the chart `{path}` must have a `{key}` in its Chart.yaml, but has none"
        raise InputError([Diagnostic(message, metadata.origin, f"`{key}: ...`")])
    return found


def _contract(repository: Path, path: str, name: str, memory: Memory) -> Contract | None:
    own = chart_node(repository, path, "component.yaml")
    if own is not None:
        return structure(own, memory)
    beside = repository / CONTRACTS / f"{name}.yaml"
    document = read(beside, repository) if beside.is_file() else None
    return replace(structure(document, memory), shipped=False) if document is not None else None
