"""One file of a chart, whether the chart is a directory or an archive.

A path below an archive reads like any other: ``vendor/keystone-1.0.0.tgz/values.yaml`` is the file ``values.yaml`` of
the chart that is packed there, and that is how origins and messages name it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from compiler.documents.archive import WHOLE_LIMIT, members
from compiler.documents.read import read
from compiler.documents.yaml import parse_node
from compiler.errors import InputError
from compiler.model.diagnostic import Diagnostic
from compiler.model.names import UNNAMED, LayerName
from compiler.model.node import Node, Origin

PACKED: Final = (".tgz", ".tar.gz")
_SPOKEN: Final = frozenset({"Chart.yaml", "values.yaml", "component.yaml", "values.schema.json"})
"""What the compiler itself reads of a chart."""


def is_packed(path: str) -> bool:
    """Whether ``path`` is called like an archive."""
    return path.endswith(PACKED)


def chart_text(repository: Path, chart: str, name: str) -> str | None:
    """The text of the file ``name`` of the chart at ``chart``; None where it has none.

    Raises ``InputError`` for an archive that is refused, and for what is not UTF-8.
    """
    file = repository / chart
    if not is_packed(chart) or file.is_dir():
        below = file / name
        return below.read_text(encoding="utf-8") if below.is_file() else None
    content = _spoken(file, chart, file.stat().st_mtime_ns, file.stat().st_size).get(name)
    try:
        return None if content is None else content.decode()
    except UnicodeDecodeError as error:
        message = f"the file must be UTF-8, but byte {error.start} is not"
        raise InputError([Diagnostic(message, Origin(f"{chart}/{name}"), "save it as UTF-8")]) from error


def chart_node(repository: Path, chart: str, name: str, layer: LayerName = UNNAMED) -> Node | None:
    """The document ``name`` of the chart at ``chart``, positions kept; None where there is none, or it is empty."""
    file = repository / chart
    if not is_packed(chart) or file.is_dir():
        below = file / name
        return read(below, repository, layer) if below.is_file() else None
    text = chart_text(repository, chart, name)
    return None if text is None else parse_node(text, f"{chart}/{name}", layer)


def has_chart(repository: Path, chart: str) -> bool:
    """Whether there is a chart at ``chart``: a directory with a ``Chart.yaml``, or an archive."""
    file = repository / chart
    return file.is_file() if is_packed(chart) and not file.is_dir() else (file / "Chart.yaml").is_file()


@lru_cache(maxsize=1024)
def _spoken(file: Path, name: str, _changed: int, size: int) -> Mapping[str, bytes]:
    if size > WHOLE_LIMIT:
        message = f"the archive of the chart is refused: it has {size:,} bytes, and no chart has"
        raise InputError([Diagnostic(message, Origin(name), "an archive that `helm package` made")])
    with file.open("rb") as stream:
        return {path: content for path, content in members(stream, name) if path in _SPOKEN}
