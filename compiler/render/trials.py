"""One instance rendered again and again, each time with something else in the place of what decides it.

For those who ask what a value does: nothing is proved, judged or kept, a chart's schema has no say (a value that it
would refuse is tried all the same), and a text that came out before is not read again. Always the embedded engine: both
renderers promise the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Final, cast

from compiler.errors import Collector
from compiler.model.kinds import is_namespaced
from compiler.model.manifest import ObjectId
from compiler.model.names import Digest, InstanceName, NamespaceName
from compiler.model.node import Origin
from compiler.model.render import RenderedFile, RenderedObject, RenderRequest, Trial
from compiler.relations.untyped import Map, mapping
from compiler.render import charts, read
from compiler.render.charts import ChartFiles
from compiler.render.embedded import render_archive
from compiler.render.lean import lean

_SCHEMA: Final = re.compile(r"(?:charts/[^/]+/)*values\.schema\.json")
_UNTRIED: Final = Trial()


class Trials:
    """The trials of one instance. Holds what its chart's files are, and what has been read."""

    def __init__(self, request: RenderRequest, files: ChartFiles | None = None) -> None:
        self._request = request
        self._files = files or _without_schema(request.directory, request.chart_digest)
        self._archive = self._files.archive()
        self._read: dict[RenderedFile, tuple[RenderedObject, ...]] = {}

    def render(self, trial: Trial = _UNTRIED) -> tuple[RenderedFile, ...]:
        """What the chart renders then, as text. Raises ``InputError`` where it does not render."""
        return render_archive(self._archived(trial), _tried(self._request, trial))

    def objects(self, files: tuple[RenderedFile, ...]) -> tuple[RenderedObject, ...]:
        """The objects of ``files``, in their order; what is no object (no kind, no name) is left out.

        Raises ``InputError`` for what is not YAML.
        """
        for file in files:
            if file not in self._read:
                self._read[file] = tuple(self._objects(file))
        return tuple(found for file in files for found in self._read[file])

    def only(self, templates: frozenset[str]) -> Trials:
        """Trials of ``templates`` (as objects name them) and of what can be included: the rest is not there.

        Whether they still render the same without it is for the caller to see.
        """
        wanted = {name.removeprefix(f"{self._request.chart}/") for name in templates}
        return Trials(self._request, lean(self._files, [self._request.values], wanted.__contains__))

    def templates(self) -> Mapping[str, str]:
        """Path inside the chart and text of every template, those of charts inside it included."""
        return dict(self._files.templates())

    def origin(self, template: str, line: int = 1) -> Origin:
        """The place of a line of a template (its path inside the chart) as a file of the repository."""
        return charts.origin(self._request, f"{self._request.chart}/{template}", line)

    def _archived(self, trial: Trial) -> bytes:
        return ChartFiles({**self._files.files, **trial.files}).archive() if trial.files else self._archive

    def _objects(self, file: RenderedFile) -> Iterator[RenderedObject]:
        mistakes = Collector()
        for found in read.objects(self._request, file, mistakes):
            if read.is_object(found.data):
                yield RenderedObject(_identity(self._request, found.data), file.template, found.data)
        mistakes.stop()


@lru_cache(maxsize=8)
def _without_schema(directory: Path, _digest: Digest) -> ChartFiles:
    files = charts.load(directory).files
    return ChartFiles({name: content for name, content in files.items() if not _SCHEMA.fullmatch(name)})


def _tried(request: RenderRequest, trial: Trial) -> RenderRequest:
    return replace(
        request,
        values=trial.values or request.values,
        instance=InstanceName(trial.instance or request.instance),
        namespace=NamespaceName(trial.namespace or request.namespace),
        kubernetes=replace(request.kubernetes, version=trial.kubernetes or request.kubernetes.version),
    )


def _identity(request: RenderRequest, data: Map) -> ObjectId:
    """Who the object is once it is read for good: in a namespace where its kind lives in one."""
    kind, metadata = cast("str", data["kind"]), mapping(data, "metadata")
    group = cast("str", data["apiVersion"]).rpartition("/")[0]
    written = metadata.get("namespace")
    namespace = written if isinstance(written, str) and written else request.namespace
    return ObjectId(namespace if is_namespaced(group, kind) else "", kind, group, cast("str", metadata["name"]))
