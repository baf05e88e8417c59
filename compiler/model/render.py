"""What one instance needs to be rendered, and what a renderer gives back. All of it can be pickled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from compiler.model.data import Data
from compiler.model.manifest import ObjectId
from compiler.model.names import ChartName, Digest, InstanceName, NamespaceName
from compiler.model.site import Kubernetes


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """One use of a chart, ready to be rendered.

    ``chart_path`` is a directory or an archive, relative to ``repository``; ``chart_digest`` covers every file of it
    that Helm reads; ``values`` is the finished document as canonical JSON; ``contracted`` is whether the chart ships a
    contract, and so is told where it leaves out what the compiler can write by itself.
    """

    repository: Path
    chart: ChartName
    chart_path: str
    chart_digest: Digest
    instance: InstanceName
    namespace: NamespaceName
    values: str = field(repr=False)
    kubernetes: Kubernetes
    contracted: bool = True

    @property
    def directory(self) -> Path:
        """Where the chart lies on this machine."""
        return self.repository / self.chart_path


@dataclass(frozen=True, slots=True, order=True)
class RenderedFile:
    """One document that a template rendered, without the blanks around it.

    ``template`` is Helm's path of it: the chart's name, then the path inside the chart.
    """

    template: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Trial:
    """Something else in the place of what decides a render; what is empty stays as it is.

    ``values`` is canonical JSON; ``files`` replaces files of the chart by their path inside it.
    """

    values: str = field(default="", repr=False)
    instance: str = ""
    namespace: str = ""
    kubernetes: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RenderedObject:
    """An object as a trial rendered it: who it is, which template wrote it, what it says."""

    id: ObjectId
    template: str
    data: Mapping[str, Data] = field(repr=False)
