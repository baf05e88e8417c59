"""What separates a directory from a tree. Nothing is written here."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from compiler.errors import OutputRefused
from compiler.model.index import INDEX
from compiler.model.tree import Changes, Tree
from compiler.write.place import settle, shown
from compiler.write.standing import Standing, survey
from compiler.write.trouble import worded

_SHOWN: Final = 3

Stamp: TypeAlias = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is to be done, and what is to be left: ``kept`` files stay the very files they are, ``folders`` stay too."""

    changes: Changes
    kept: tuple[str, ...]
    folders: tuple[str, ...]


def compare(tree: Tree, directory: Path) -> Changes:
    """What ``deliver`` would do to ``directory``. Reads only.

    Raises ``OutputRefused`` where ``deliver`` would, and ``OutputFailed`` where the directory cannot be read.
    """
    with worded(directory, tree):
        return glance(tree, settle(directory, tree))[1].changes


def glance(tree: Tree, place: Path) -> tuple[Stamp, Comparison]:
    """``examine`` without a lock: what is seen while another compile puts its tree there is looked at again."""
    while True:
        before = stamp(place)
        try:
            comparison = examine(tree, place)
        except (OSError, OutputRefused):
            if stamp(place) == before:
                raise
        else:
            if stamp(place) == before:
                return before, comparison


def stamp(place: Path) -> Stamp:
    """Tells one tree in ``place`` from the next: each delivery makes a new directory."""
    try:
        status = place.lstat()
    except FileNotFoundError:
        return None
    return (status.st_dev, status.st_ino, status.st_ctime_ns)


def examine(tree: Tree, place: Path) -> Comparison:
    """``place``, file by file. What the directory's index does not list is foreign: it is kept.

    Raises ``OutputRefused`` where the tree needs the very path of a foreign file that holds something else.
    """
    standing = survey(place, tree)
    there = standing.files | standing.links
    equal = frozenset(_equal(place, standing.files & tree.files.keys(), tree))
    foreign = there - standing.ours - equal
    _refuse_to_overwrite(foreign, tree, place)
    changed = (there & tree.files.keys()) - equal
    removed = (there & standing.ours) - tree.files.keys()
    changes = Changes(
        added=tuple(sorted(tree.files.keys() - there)),
        changed=tuple(sorted(changed)),
        removed=tuple(sorted(removed)),
        unchanged=len(equal),
        edited=tuple(sorted(_edited(place, standing, changed | removed))),
    )
    return Comparison(changes, tuple(sorted(equal | foreign)), _foreign_folders(standing, tree))


def _equal(place: Path, paths: Iterable[str], tree: Tree) -> Iterator[str]:
    """Those of ``paths`` that hold what the tree has there. A large site has 25,000: no path object for each."""
    return (path for path in paths if _holds(f"{place}/{path}", tree.files[path]))


def _holds(path: str, content: bytes) -> bool:
    """Whether the file holds exactly ``content``: one byte more than it has is enough to ask for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        return os.read(descriptor, len(content) + 1) == content
    finally:
        os.close(descriptor)


def _refuse_to_overwrite(foreign: Iterable[str], tree: Tree, place: Path) -> None:
    folders = {folder for path in tree.files for folder in above(path)}
    wanted = sorted(
        path
        for path in foreign
        if path in tree.files or path in folders or any(folder in tree.files for folder in above(path))
    )
    if wanted:
        names = ", ".join(f"`{path}`" for path in wanted[:_SHOWN])
        more = f" and {len(wanted) - _SHOWN} more" if len(wanted) > _SHOWN else ""
        raise OutputRefused(
            path=shown(place, tree),
            reason=f"the compile would overwrite what it did not write: {names}{more}",
            hint="move it away, or remove it if it is the output of another compile",
        )


def _edited(place: Path, standing: Standing, paths: Iterable[str]) -> Iterator[str]:
    """Those of our ``paths`` that do not hold what the index says we wrote."""
    known = standing.index.files if standing.index is not None else {}
    for path in paths:
        if path != INDEX and path in known:
            regular = path in standing.files
            if not regular or hashlib.sha256((place / path).read_bytes()).hexdigest() != known[path].sha256:
                yield path


def _foreign_folders(standing: Standing, tree: Tree) -> tuple[str, ...]:
    """The folders in which nothing of ours ever lay: they stay even when they are empty."""
    ours = {folder for path in standing.ours for folder in above(path)}
    foreign = standing.folders - ours
    return tuple(
        sorted(folder for folder in foreign if not any(path in tree.files for path in (folder, *above(folder))))
    )


def above(path: str) -> Iterator[str]:
    """Every folder above ``path``, nearest first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
