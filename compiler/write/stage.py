"""Build the complete new directory beside the old one. Nothing that exists is changed."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from compiler.model.tree import Tree
from compiler.write.compare import Comparison, above
from compiler.write.durable import write_all
from compiler.write.keep import keep


def stage(tree: Tree, comparison: Comparison, *, old: Path, new: Path) -> None:
    """Make ``new`` what ``old`` shall be.

    Files that stay are the same files under a second name (inode, times and all), or copies where the file system has
    no hard links; folders that stay keep their mode and owner.
    """
    kept = frozenset(comparison.kept)
    written = {path: content for path, content in tree.files.items() if path not in kept}
    _make_folders(comparison, [*kept, *written], old=old, new=new)
    for path in comparison.kept:
        keep(old / path, new / path)
    write_all(new, written)


def _make_folders(comparison: Comparison, files: list[str], *, old: Path, new: Path) -> None:
    needed = set(comparison.folders)
    for path in (*comparison.folders, *files):
        for folder in above(path):
            if folder in needed:
                break
            needed.add(folder)
    for folder in ("", *sorted(needed)):
        (new / folder).mkdir()
        _resemble(old / folder, new / folder)


def _resemble(old: Path, new: Path) -> None:
    """Give ``new`` the mode of ``old``, and its owner where we may."""
    try:
        status = old.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return
    made = new.lstat()
    if (status.st_uid, status.st_gid) != (made.st_uid, made.st_gid):
        with contextlib.suppress(PermissionError):
            os.chown(new, status.st_uid, status.st_gid)
    if old.is_dir() and status.st_mode != made.st_mode:
        new.chmod(status.st_mode & 0o7777)
