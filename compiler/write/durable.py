"""Bytes that are on the disk when we say that they are."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_ONE_BY_ONE: Final = 32
"""Up to so many files are flushed singly; beyond, one flush of the whole file system is quicker."""


def write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write ``files``, none of which exists, below ``folder``; return once they are on the disk."""
    singly = len(files) <= _ONE_BY_ONE or not _can_flush_at_once()
    for path, content in files.items():
        _write(folder / path, content, flush=singly)
    if not singly:
        _flush_file_system(folder)
    flush_folder(folder)


def write_durably(path: Path, content: bytes) -> None:
    """Write a new file; return once it, and its name, are on the disk."""
    path.unlink(missing_ok=True)
    _write(path, content, flush=True)
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Return once the names in ``folder`` are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(path: Path, content: bytes, *, flush: bool) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb", buffering=0) as file:  # noqa: PTH123
        rest = memoryview(content)
        while rest:
            rest = rest[file.write(rest) :]
        if flush:
            os.fsync(file.fileno())


def _can_flush_at_once() -> bool:
    return sys.platform == "linux"


def _flush_file_system(folder: Path) -> None:
    """``syncfs(2)``: it flushes no other file system, and reports what could not be written."""
    import ctypes  # noqa: PLC0415 - only a compile that changes much needs it

    library: Any = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if library.syncfs(descriptor):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(folder))
    except AttributeError:  # a C library without the call
        os.sync()
    finally:
        os.close(descriptor)
