"""A chart's files, exactly those that Helm reads: for its digest, for the engine, and for finding a place in them."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final

from compiler.documents import parse_stream
from compiler.documents.archive import members
from compiler.errors import InputError
from compiler.model.diagnostic import Diagnostic
from compiler.model.names import Digest
from compiler.model.node import Origin
from compiler.model.render import RenderRequest
from compiler.render.ignore import Rule, ignored, parse

_TEMPLATE: Final = re.compile(r"(?:charts/[^/]+/)*templates/")
_PACKED: Final = re.compile(r"(?:charts/[^/]+/)*charts/[^/]+\.tgz")
_BOM: Final = b"\xef\xbb\xbf"
_TOP: Final = "chart"
_DEPTH: Final = 40
"""How many directories deep a chart may lie: deeper is a symbolic link that leads to a directory above itself."""


@dataclass(frozen=True, slots=True)
class ChartFiles:
    """Every file of a chart that Helm reads, its linked library charts included, by path, in Helm's order."""

    files: Mapping[str, bytes] = field(repr=False)

    def digest(self) -> Digest:
        """A digest of names and bytes."""
        total = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            total.update(f"{name}\0{len(content)}\0".encode())
            total.update(content)
        return Digest(total.hexdigest())

    def archive(self) -> bytes:
        """The files as the archive that ``helm package`` would make of them, with no times and no owners."""
        parts: list[bytes] = []
        for name, content in self.files.items():
            parts += (_entry(name, len(content)), content, bytes(-len(content) % tarfile.BLOCKSIZE))
        return gzip.compress(b"".join((*parts, bytes(tarfile.RECORDSIZE))), compresslevel=0, mtime=0)

    def templates(self) -> Iterator[tuple[str, str]]:
        """Path and text of every template, those of charts inside it (packed ones too) included."""
        for name, content in self.files.items():
            if is_template(name):
                yield name, content.decode(errors="replace")
            elif is_packed(name):
                inside = ChartFiles(dict(members(io.BytesIO(content), name)))
                yield from ((f"{name}/{below}", text) for below, text in inside.templates())


def is_template(name: str) -> bool:
    """Whether a file of a chart is a template, of the chart itself or of one that lies unpacked inside it."""
    return _TEMPLATE.match(name) is not None


def is_packed(name: str) -> bool:
    """Whether a file of a chart is a packed chart inside it."""
    return _PACKED.fullmatch(name) is not None


@lru_cache(maxsize=4096)
def _entry(name: str, size: int) -> bytes:
    """The head of a file in an archive; a library that many charts hold has the same in all of them."""
    entry = tarfile.TarInfo(f"{_TOP}/{name}")
    entry.size = size
    return entry.tobuf(tarfile.PAX_FORMAT)


def load_chart_digest(path: Path) -> Digest:
    """The digest of every file that Helm reads of the chart at ``path``; of an archive, that of its bytes.

    Follows symbolic links (a library chart is one) and honours ``.helmignore``, as Helm does. Raises ``InputError``
    where a file cannot be read.
    """
    if path.is_file():
        return Digest(hashlib.sha256(path.read_bytes()).hexdigest())
    return load(path).digest()


def load(path: Path) -> ChartFiles:
    """Read the chart at ``path``."""
    try:
        return ChartFiles(dict(_unpacked(path) if path.is_file() else _walked(path)))
    except (OSError, tarfile.TarError, ValueError) as error:
        message = f"the chart cannot be read: {error.strerror if isinstance(error, OSError) else error}"
        place = Origin(str(getattr(error, "filename", None) or path))
        raise InputError([Diagnostic(message, place, "look at the file and its permissions")]) from error


@lru_cache(maxsize=8)
def _remembered(path: Path, _digest: Digest) -> tuple[ChartFiles, bytes]:
    files = load(path)
    return files, path.read_bytes() if path.is_file() else files.archive()


def of(request: RenderRequest) -> ChartFiles:
    """The files of the request's chart, read once for each digest in a process."""
    return _remembered(request.directory, request.chart_digest)[0]


def archive_of(request: RenderRequest) -> bytes:
    """The same as an archive."""
    return _remembered(request.directory, request.chart_digest)[1]


def _walked(directory: Path) -> Iterator[tuple[str, bytes]]:
    own = directory / ".helmignore"
    rules = parse(own.read_text(encoding="utf-8") if own.is_file() else "")
    yield from _below(directory, "", rules, 0)


def _below(directory: Path, prefix: str, rules: tuple[Rule, ...], depth: int) -> Iterator[tuple[str, bytes]]:
    if depth > _DEPTH:
        raise OSError(0, f"it nests deeper than {_DEPTH} directories", os.fspath(directory))
    with os.scandir(directory) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            name, is_directory = f"{prefix}{entry.name}", entry.is_dir()
            if ignored(rules, name, is_directory=is_directory):
                continue
            if is_directory:
                yield from _below(Path(entry.path), f"{name}/", rules, depth + 1)
            else:
                yield name, Path(entry.path).read_bytes().removeprefix(_BOM)


def _unpacked(archive: Path) -> Iterator[tuple[str, bytes]]:
    with archive.open("rb") as stream:
        yield from members(stream, archive.name)


def origin(request: RenderRequest, template: str, line: int = 1, column: int = 1) -> Origin:
    """Where Helm's ``template`` lies in the repository: a linked library chart's file under its own name.

    The files of a packed chart are named as if the
    archive were a directory; what is packed once more inside a chart originates at that inner archive.
    """
    directory = request.directory
    parts = PurePosixPath(template).parts[1:]
    if directory.is_file():
        return Origin("/".join((request.chart_path, *parts)), line, column)
    while len(parts) > 2 and parts[0] == "charts":  # noqa: PLR2004 - charts/<name>/<file>
        below = _chart_named(directory / "charts", parts[1])
        if below is None:
            break
        directory, parts = below, parts[2:]
    file = directory.joinpath(*parts)
    if not file.is_file():
        return Origin(_relative(request, directory))
    return Origin(_relative(request, file), line, column)


def _relative(request: RenderRequest, file: Path) -> str:
    """``file`` as seen from the repository, links resolved where they stay inside it."""
    resolved, repository = file.resolve(), request.repository.resolve()
    if resolved.is_relative_to(repository):
        return resolved.relative_to(repository).as_posix()
    return file.relative_to(request.repository).as_posix()


def _chart_named(charts: Path, name: str) -> Path | None:
    """The directory of the chart that Helm calls ``name``: its folder may be called something else."""
    if (charts / name).is_dir():
        return charts / name
    candidates = sorted(path for path in charts.glob("*") if (path / "Chart.yaml").is_file())
    return next((path for path in candidates if _name_of(path) == name), None)


def _name_of(chart: Path) -> str:
    text = (chart / "Chart.yaml").read_text(encoding="utf-8")
    for _, document in parse_stream(text, "Chart.yaml"):
        return str(document.get("name")) if isinstance(document, dict) else ""
    return ""
