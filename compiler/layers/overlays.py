"""The component overlays that instances list: ``overlays/<chart>/<name>``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from compiler.documents import read
from compiler.documents.schema import Memory, nearest
from compiler.errors import InputError, collecting
from compiler.layers.check import check
from compiler.model.diagnostic import Diagnostic
from compiler.model.names import ChartName, LayerName
from compiler.model.node import MapNode, Origin, ScalarNode, describe

OVERLAYS: Final = "overlays"
_SUFFIXES: Final = (".yaml", ".jsonnet")
_NAME: Final = re.compile(r"[A-Za-z0-9]([-\w.]*[A-Za-z0-9])?")
_EMPTY: Final = MapNode({}, Origin(""))


def layer(chart: ChartName, name: str) -> LayerName:
    """The layer that the overlay ``name`` of ``chart`` is."""
    return LayerName(f"{OVERLAYS}/{chart}/{name}")


class Overlays:
    """The component overlays of ``repository``, each read and checked once, when it is first asked for."""

    def __init__(self, repository: Path, memory: Memory) -> None:
        self.repository, self.memory = repository, memory
        self._read: dict[LayerName, MapNode] = {}

    def values(self, chart: ChartName, name: str, origin: Origin) -> MapNode:
        """The values of the overlay ``name`` for ``chart``, which is listed at ``origin``.

        Raises ``InputError`` where there is none, or where it is not what it must be.
        """
        wanted = layer(chart, name)
        if wanted not in self._read:
            self._read[wanted] = self._values(self._file(chart, name, origin), chart, name, wanted)
        return self._read[wanted]

    def _file(self, chart: ChartName, name: str, origin: Origin) -> Path:
        folder = self.repository / OVERLAYS / chart
        found = [folder / f"{name}{suffix}" for suffix in _SUFFIXES if _NAME.fullmatch(name)]
        found = [path for path in found if path.is_file()]
        if len(found) == 1:
            return found[0]
        if found:
            message = f"the overlay `{name}` of the chart `{chart}` is both {name}.yaml and {name}.jsonnet"
            raise _fault(message, origin, f"remove one of them from `{OVERLAYS}/{chart}/`")
        known = sorted({path.stem for path in folder.glob("*") if path.suffix in _SUFFIXES})
        message = f"there is no overlay `{name}` for the chart `{chart}` in `{OVERLAYS}/{chart}/`"
        raise _fault(message, origin, nearest(name, known) if known else f"create `{OVERLAYS}/{chart}/{name}.yaml`")

    def _values(self, path: Path, chart: ChartName, name: str, wanted: LayerName) -> MapNode:
        document = read(path, self.repository, wanted)
        if not isinstance(document, MapNode):
            found = "the file is empty" if document is None or document.data() is None else f"is {describe(document)}"
            origin = Origin(path.relative_to(self.repository).as_posix())
            message = f"a ComponentOverlay must be a map, but {found}"
            raise _fault(message, origin, "`apiVersion: oscompile/v1alpha1`")
        with collecting() as mistakes:
            check(document, "component-overlay.v1", self.memory, mistakes)
            mistakes.extend(_misnamed(document, chart, name))
        values = document.entries.get("values")
        return values if isinstance(values, MapNode) else _EMPTY


def _misnamed(document: MapNode, chart: ChartName, name: str) -> Iterator[Diagnostic]:
    """Where the document says that it is for another chart, or is called otherwise, than where it lies says."""
    for path, expected, called in ((("chart",), chart, "folder"), (("metadata", "name"), name, "file")):
        node = document.get(*path)
        if isinstance(node, ScalarNode) and isinstance(node.value, str) and node.value != expected:
            message = f"`{'.'.join(path)}` must be `{expected}`, as the {called} is called, but is {describe(node)}"
            yield Diagnostic(message, node.origin, f"`{expected}`, or move the file")


def _fault(message: str, origin: Origin, hint: str) -> InputError:
    return InputError([Diagnostic(message, origin, hint)])
