"""The charts that instances name: where they lie, and what their own values are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, TypeAlias

from compiler.documents.schema import nearest
from compiler.documents.shelf import chart_node, has_chart, is_packed
from compiler.errors import InputError
from compiler.layers.operations import has_operations
from compiler.layers.remotes import remote
from compiler.model.diagnostic import Diagnostic
from compiler.model.names import ChartName, LayerName
from compiler.model.node import ListNode, MapNode, Node, Origin, ScalarNode, describe, text
from compiler.model.remote import Remote

CHARTS: Final = "charts"


@dataclass(frozen=True, slots=True)
class Shelved:
    """A chart of the repository: its own values, and the names under which it passes values to subcharts."""

    name: ChartName
    path: str
    values: MapNode
    subcharts: frozenset[str]


Shelf: TypeAlias = Callable[[Remote], str]
"""Where the repository keeps a chart of elsewhere. Raises ``InputError`` where it does not, or not the right one."""


def nothing_vendored(remote: Remote) -> str:
    """The shelf of a repository that keeps nothing."""
    raise _fault(f"the chart {remote} is not in the repository", remote.origin, "`oscompile vendor`")


class Library:
    """The charts of ``repository``, each read once, when it is first asked for; ``shelf`` has those of elsewhere."""

    def __init__(self, repository: Path, shelf: Shelf) -> None:
        self.repository, self._shelf = repository, shelf
        self._read: dict[str, Shelved] = {}

    def names(self) -> tuple[str, ...]:
        """The charts that can be called by name: the folders of ``charts/``, in order."""
        folder = self.repository / CHARTS
        entries = folder.iterdir() if folder.is_dir() else ()
        return tuple(sorted(entry.name for entry in entries if (entry / "Chart.yaml").is_file()))

    def chart(self, written: Node, origin: Origin) -> Shelved:
        """The chart that ``written``, which stands at ``origin``, means.

        It is a name in ``charts/``, the path of a directory or an archive, or one of elsewhere. Raises ``InputError``
        for an unknown chart, a library chart, and files that cannot be understood.
        """
        elsewhere = remote(written)
        reference = str(elsewhere) if elsewhere is not None else str(written.data())
        if reference not in self._read:
            path = self._path(reference, origin) if elsewhere is None else self._shelf(elsewhere)
            self._read[reference] = self._shelved(path, reference, origin)
        return self._read[reference]

    def _path(self, reference: str, origin: Origin) -> str:
        by_name = "/" not in reference and not is_packed(reference)
        path = PurePosixPath(CHARTS, reference) if by_name else PurePosixPath(reference)
        directory = self.repository / path
        if reference in {".", ".."} or not directory.resolve().is_relative_to(self.repository.resolve()):
            message = f"`chart` must name a chart inside the repository, but `{reference}` lies outside it"
            raise _fault(message, origin, f"copy the chart into `{CHARTS}/`")
        if has_chart(self.repository, path.as_posix()):
            return path.as_posix()
        if is_packed(reference):
            message = f"`chart` names the archive `{reference}`, but there is no such file"
            raise _fault(message, origin, "a path from the root of the repository")
        if by_name:
            known = self.names()
            message = f"there is no chart `{reference}` in `{CHARTS}/`"
            raise _fault(message, origin, nearest(reference, list(known)) if known else f"create `{path}/Chart.yaml`")
        message = f"`chart` must be the path of a chart, but `{reference}` holds no Chart.yaml"
        raise _fault(message, origin, f"a name in `{CHARTS}/`, or a path from the root of the repository")

    def _shelved(self, path: str, reference: str, origin: Origin) -> Shelved:
        metadata = self._map(path, "Chart.yaml")
        if text(metadata, "type") == "library":
            message = f"the chart `{reference}` is a library: it renders nothing, so it cannot be an instance"
            raise _fault(message, origin, "a chart that uses it")
        values = self._map(path, "values.yaml")
        if has_operations(values):
            message = (
                f"the values of the chart `{reference}` carry YAML tags, but there is nothing below them to operate on"
            )
            raise _fault(message, values.origin, "plain values")
        by_name = path == PurePosixPath(CHARTS, reference).as_posix()
        name = reference if by_name else text(metadata, "name") or PurePosixPath(path).name
        return Shelved(ChartName(name), path, values, frozenset(_subcharts(metadata)))

    def _map(self, chart: str, name: str) -> MapNode:
        file, layer = f"{chart}/{name}", LayerName(chart)
        node = chart_node(self.repository, chart, name, layer)
        if node is None or (isinstance(node, ScalarNode) and node.value is None):
            return MapNode({}, Origin(file, layer=layer))
        if not isinstance(node, MapNode):
            raise _fault(f"`{file}` must be a map, but is {describe(node)}", node.origin, "`key: value`")
        return node


def _subcharts(metadata: MapNode) -> Iterator[str]:
    dependencies = metadata.entries.get("dependencies")
    for dependency in dependencies.items if isinstance(dependencies, ListNode) else ():
        yield text(dependency, "alias") or text(dependency, "name")


def _fault(message: str, origin: Origin, hint: str) -> InputError:
    return InputError([Diagnostic(message, origin, hint)])
