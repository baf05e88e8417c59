"""Read a chart's own files: what it is, what it asks for, and a digest of everything Helm would read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from compiler.documents import parse_node, read
from compiler.errors import InputError
from compiler.instances.contract import structure
from compiler.model.chart import Chart, Contract
from compiler.model.diagnostic import Diagnostic
from compiler.model.names import ChartName, Digest
from compiler.model.node import MapNode, Origin, ScalarNode, describe


def load(repository: Path, path: str) -> Chart:
    """The chart in the directory ``path`` of ``repository``.

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
        app_version=_text(metadata, "appVersion"),
        path=path,
        digest=digest(directory),
        contract=_contract(repository, directory, name),
        schema=schema.read_text(encoding="utf-8") if schema.is_file() else None,
    )


def digest(directory: Path) -> Digest:
    """A digest of every file below ``directory``, names and bytes, linked library charts included."""
    total = hashlib.sha256()
    for name, file in sorted(_files(directory, "")):
        content = file.read_bytes()
        total.update(f"{name}\0{len(content)}\0".encode())
        total.update(content)
    return Digest(total.hexdigest())


def _files(directory: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for entry in os.scandir(directory):
        if entry.is_dir():
            yield from _files(Path(entry.path), f"{prefix}{entry.name}/")
        elif entry.is_file():
            yield f"{prefix}{entry.name}", Path(entry.path)


def _metadata(repository: Path, file: Path) -> MapNode:
    node = read(file, repository)
    if isinstance(node, MapNode):
        return node
    origin = Origin(file.relative_to(repository).as_posix())
    found = "is empty" if node is None else f"is {describe(node)}"
    raise InputError([Diagnostic(f"`Chart.yaml` must be a map, but {found}", origin, "`name:` and `version:`")])


def _text(node: MapNode, key: str) -> str:
    below = node.entries.get(key)
    return str(below.value) if isinstance(below, ScalarNode) and below.value is not None else ""


def _required(metadata: MapNode, key: str, path: str) -> str:
    text = _text(metadata, key)
    if not text:
        message = f"the chart `{path}` must have a `{key}` in its Chart.yaml, but has none"
        raise InputError([Diagnostic(message, metadata.origin, f"`{key}: ...`")])
    return text


def _contract(repository: Path, directory: Path, name: str) -> Contract | None:
    for file in (directory / "component.yaml", repository / "contracts" / f"{name}.yaml"):
        if file.is_file():
            text = file.read_text(encoding="utf-8")
            document = parse_node(text, file.relative_to(repository).as_posix())
            return structure(document) if document is not None else None
    return None
