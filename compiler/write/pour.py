"""Make one directory what another is, entry by entry: the last resort, where a directory cannot be renamed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from compiler.model.index import INDEX
from compiler.write.keep import keep


def pour(new: Path, place: Path) -> None:
    """Make ``place`` what ``new`` is, and leave ``new`` whole, so that it can be done again after it was cut short.

    The index goes first and comes last: while there is none, ``place`` is not finished.
    """
    (place / INDEX).unlink(missing_ok=True)
    _pour(new, place, but=INDEX)
    keep(new / INDEX, place / INDEX)


def _pour(new: Path, place: Path, but: str = "") -> None:
    wanted = {entry.name: entry.is_dir(follow_symlinks=False) for entry in os.scandir(new) if entry.name != but}
    for entry in list(os.scandir(place)):
        if wanted.get(entry.name) is not entry.is_dir(follow_symlinks=False):
            _remove(entry)
    for name in sorted(wanted):
        if wanted[name]:
            (place / name).mkdir(exist_ok=True)
            shutil.copymode(new / name, place / name)
            _pour(new / name, place / name)
        elif not os.path.lexists(place / name) or not os.path.samestat((new / name).lstat(), (place / name).lstat()):
            (place / name).unlink(missing_ok=True)
            keep(new / name, place / name)


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        Path(entry).unlink()
