"""Where a tree may go. It is replaced as a whole, so nothing else may depend on where it lies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from compiler.errors import OutputRefused
from compiler.model.tree import Tree

_INPUTS: Final = ("charts", "compiler", "environments", "overlays")


def settle(directory: Path, tree: Tree) -> Path:
    """``directory`` with every link above it followed.

    Raises ``OutputRefused`` for the repository and what is above it, for the folders of the inputs, for anything in a
    ``.git``, for another repository, and where a file or a link stands in the way.
    """
    absolute = Path(os.path.abspath(directory))  # noqa: PTH100 - `..` goes by the name, before links are followed
    place = absolute.parent.resolve() / absolute.name
    reason = _misplaced(place, tree) or _obstructed(place)
    if reason:
        example = f"rendered/{tree.site}" if tree.site else "rendered/<site>"
        raise OutputRefused(
            path=shown(place, tree), reason=reason, hint=f"another `delivery.output`, such as `{example}`"
        )
    return place


def shown(place: Path, tree: Tree) -> str:
    """``place`` as a message names it: relative to the repository where it lies inside."""
    inside = _inside(place, tree)
    return inside.as_posix() if inside is not None and inside.parts else str(place)


def _inside(place: Path, tree: Tree) -> Path | None:
    roots = (tree.repository, tree.repository.resolve()) if tree.repository is not None else ()
    return next((place.relative_to(root) for root in roots if place.is_relative_to(root)), None)


def _misplaced(place: Path, tree: Tree) -> str:
    if ".git" in place.parts:
        return "it lies inside `.git`"
    if tree.repository is not None and tree.repository.resolve().is_relative_to(place):
        return "it is the repository, or holds it"
    inside = _inside(place, tree)
    if inside is not None and inside.parts[0] in _INPUTS:
        return f"it lies in `{inside.parts[0]}/`, among the inputs of the compile"
    return ""


def _obstructed(place: Path) -> str:
    if place.is_symlink():
        return f"it is a symbolic link, to `{place.readlink()}`"
    if os.path.lexists(place / ".git"):
        return "it is a Git repository of its own"
    for path in (place, *place.parents):
        if path.exists() and not path.is_dir():
            return "it is a file" if path == place else f"`{path.name}`, above it, is a file"
    return ""
