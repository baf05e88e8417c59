"""Read what a chart says of itself: its metadata, its contract, its schema."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from compiler.documents import parse_node, read
from compiler.documents.schema import Memory
from compiler.errors import InputError
from compiler.instances.contract import structure
from compiler.model.chart import Chart, Contract
from compiler.model.diagnostic import Diagnostic
from compiler.model.names import ChartName, Digest
from compiler.model.node import MapNode, Origin, describe, text


def load(repository: Path, path: str, digest: Callable[[Path], Digest], memory: Memory) -> Chart:
    """The chart at ``path`` of ``repository``; ``digest`` says what covers every file of it that Helm reads.

    Its contract is its own ``component.yaml``, or ``contracts/<chart>.yaml`` beside the environments for a chart that
    ships none. Raises ``InputError`` where ``Chart.yaml`` or the contract cannot be understood.
    """
    directory = repository / path
    metadata = _metadata(repository, directory / "Chart.yaml")
    name = _required(metadata, "name", path)
    schema = directory / "values.schema.json"
    return Chart(
        name=ChartName(name),
        version=_required(metadata, "version", path),
        app_version=text(metadata, "appVersion"),
        path=path,
        digest=digest(directory),
        contract=_contract(repository, directory, name, memory),
        schema=schema.read_text(encoding="utf-8") if schema.is_file() else None,
    )


def _metadata(repository: Path, file: Path) -> MapNode:
    node = read(file, repository)
    if isinstance(node, MapNode):
        return node
    origin = Origin(file.relative_to(repository).as_posix())
    found = "is empty" if node is None else f"is {describe(node)}"
    raise InputError([Diagnostic(f"`Chart.yaml` must be a map, but {found}", origin, "`name:` and `version:`")])


def _required(metadata: MapNode, key: str, path: str) -> str:
    found = text(metadata, key)
    if not found:
        message = f"the chart `{path}` must have a `{key}` in its Chart.yaml, but has none"
        raise InputError([Diagnostic(message, metadata.origin, f"`{key}: ...`")])
    return found


def _contract(repository: Path, directory: Path, name: str, memory: Memory) -> Contract | None:
    for file in (directory / "component.yaml", repository / "contracts" / f"{name}.yaml"):
        if file.is_file():
            text = file.read_text(encoding="utf-8")
            document = parse_node(text, file.relative_to(repository).as_posix())
            return structure(document, memory) if document is not None else None
    return None
