"""A chart's archive, read as if whoever packed it meant harm.

What is refused is what Helm's own loader refuses or would misread (``pkg/chart/loader/archive`` of Helm 4, whose limits
these are): an entry that leads out of the archive, a link or a device, an entry that is there twice, a file or a whole
that is larger than a chart can be. Nothing is ever written to disk.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO, Final

from compiler.errors import InputError
from compiler.model.diagnostic import Diagnostic
from compiler.model.node import Origin

FILE_LIMIT: Final = 5 * 1024 * 1024
"""The largest file that Helm reads from a chart."""

WHOLE_LIMIT: Final = 100 * 1024 * 1024
"""The largest chart that Helm unpacks."""

ENTRY_LIMIT: Final = 20_000
_BLOCK: Final = 512
_BOM: Final = b"\xef\xbb\xbf"
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_FAULTS: Final = (OSError, EOFError, tarfile.TarError, zlib.error, ValueError)


class _TooMuch(ValueError):
    """More came out of the archive than a chart can hold."""


class _Bounded(io.RawIOBase):
    """What ``source`` unpacks to, and no more than ``limit`` bytes of it."""

    def __init__(self, source: gzip.GzipFile, limit: int) -> None:
        self._source = source
        self._left = limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes. Raises ``_TooMuch`` where the whole has grown beyond the limit."""
        wanted = self._left + 1 if size < 0 else size
        found = self._source.read(min(wanted, self._left + 1))
        self._left -= len(found)
        if self._left < 0:
            raise _TooMuch(f"it unpacks to more than {WHOLE_LIMIT:,} bytes, which is the most that Helm reads")
        return found


def members(archive: IO[bytes], name: str) -> Iterator[tuple[str, bytes]]:
    """Every file of the chart packed in ``archive``, by its path inside the chart, in the archive's order.

    ``name`` is what messages call the archive. Raises ``InputError``, with the name of the entry, for an archive that
    is broken, too large, or holds what no chart may hold; everything before that entry has been given by then.
    """
    seen: set[str] = set()
    try:
        with gzip.GzipFile(fileobj=archive) as unpacked, _opened(unpacked) as packed:
            for count, entry in enumerate(packed):
                _refuse_crowd(count)
                path = _path(entry)
                if path is None:
                    continue
                if path in seen:
                    raise ValueError(
                        f"the entry `{entry.name}` is there twice, and readers disagree on which one counts"
                    )
                seen.add(path)
                content = packed.extractfile(entry)
                yield path, content.read().removeprefix(_BOM) if content is not None else b""
    except _FAULTS as error:
        raise _refused(name, error) from error


def _opened(unpacked: gzip.GzipFile) -> tarfile.TarFile:
    limit = WHOLE_LIMIT + 2 * _BLOCK * ENTRY_LIMIT
    return tarfile.open(mode="r|", fileobj=_Bounded(unpacked, limit))


def _refuse_crowd(count: int) -> None:
    if count >= ENTRY_LIMIT:
        raise _TooMuch(f"it has more than {ENTRY_LIMIT:,} entries")


def _path(entry: tarfile.TarInfo) -> str | None:
    """The path of ``entry`` inside the chart; None for what is no file of it. Raises ``ValueError`` for what harms."""
    steps = entry.name.replace("\\", "/").split("/")
    if entry.name.startswith(("/", "\\")) or ".." in steps or _DRIVE.match(entry.name):
        raise ValueError(f"the entry `{entry.name}` leads out of the archive")
    if entry.issym() or entry.islnk():
        raise ValueError(f"the entry `{entry.name}` is a link to `{entry.linkname}`, and a packed chart has none")
    if entry.isdir():
        return None
    if not entry.isreg():
        raise ValueError(f"the entry `{entry.name}` is neither a file nor a directory")
    if entry.size > FILE_LIMIT:
        largest = f"the largest file that Helm reads has {FILE_LIMIT:,}"
        raise ValueError(f"the entry `{entry.name}` has {entry.size:,} bytes, and {largest}")
    path = "/".join(step for step in steps if step not in {"", "."}).partition("/")[2]
    if not path:
        raise ValueError(f"the entry `{entry.name}` lies beside the chart's directory, not in it")
    return path


def _refused(name: str, error: Exception) -> InputError:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    reason = said if isinstance(error, ValueError) else f"it is no gzipped tar: {said or 'it ends too early'}"
    hint = "an archive that `helm package` made, fetched anew from where the chart is published"
    return InputError([Diagnostic(f"the archive of the chart is refused: {reason}", Origin(name), hint)])
