"""What stands in the output directory now, and whose it is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compiler.errors import OutputRefused
from compiler.model.index import INDEX, Index, read_index
from compiler.model.tree import Tree
from compiler.write.place import shown

_EMPTY: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Standing:
    """A directory as it was found: paths relative to it. ``links`` are links and whatever else is no regular file.

    ``index`` is None where nothing of ours stands. ``ours`` are the paths that the index lists, there or not.
    """

    files: frozenset[str] = _EMPTY
    links: frozenset[str] = _EMPTY
    folders: frozenset[str] = _EMPTY
    index: Index | None = None

    @property
    def ours(self) -> frozenset[str]:
        """The files that a compile wrote."""
        return self.index.paths if self.index is not None else _EMPTY


def survey(place: Path, tree: Tree) -> Standing:
    """Everything in ``place``, which need not exist.

    Raises ``OutputRefused`` for a directory that holds something but no index of ours, or another site's.
    """
    files, links, folders = _scan(place)
    if INDEX in files:
        return Standing(files, links, folders, _index(place, tree))
    if files or links or folders:
        raise OutputRefused(
            path=shown(place, tree),
            reason=f"it is not empty, and holds no `{INDEX}` that says it is ours",
            hint="another `delivery.output`, or remove what the directory holds",
        )
    return Standing()


def _scan(place: Path) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    files: set[str] = set()
    links: set[str] = set()
    folders: set[str] = set()
    pending = [""] if place.exists() else []
    while pending:
        folder = pending.pop()
        with os.scandir(place / folder) as entries:
            for entry in entries:
                path = f"{folder}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    folders.add(path)
                    pending.append(f"{path}/")
                else:
                    (files if entry.is_file(follow_symlinks=False) else links).add(path)
    return frozenset(files), frozenset(links), frozenset(folders)


def _index(place: Path, tree: Tree) -> Index:
    try:
        index = read_index((place / INDEX).read_bytes())
    except ValueError as error:
        raise OutputRefused(
            path=shown(place, tree),
            reason=f"its `{INDEX}` does not say that it is ours: {error}",
            hint=f"restore `{INDEX}` from Git, or remove what the directory holds",
        ) from error
    if index.site != tree.site:
        raise OutputRefused(
            path=shown(place, tree),
            reason=f"it holds the site `{index.site}`, and this is `{tree.site}`",
            hint="a `delivery.output` of its own for each site",
        )
    return index
