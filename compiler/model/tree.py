"""The output: what a directory must hold, and what it takes to get there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compiler.model.data import Data


@dataclass(frozen=True, slots=True)
class Document:
    """A file that is not an object of the site: a delivery object, a level's ``kustomization.yaml``."""

    path: str
    content: Data


@dataclass(frozen=True, slots=True)
class Tree:
    """Every output path, relative to the output directory, with its bytes."""

    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Changes:
    """What separates a directory from a tree: paths, each tuple in order."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.added or self.changed or self.removed)

    def __len__(self) -> int:
        """How many files differ."""
        return len(self.added) + len(self.changed) + len(self.removed)
