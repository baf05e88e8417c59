"""Bring a directory to a tree: the one function of a compile that has consequences."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from compiler.model.tree import Changes, Tree
from compiler.write.compare import Comparison, examine, glance, stamp
from compiler.write.durable import flush_folder
from compiler.write.place import settle, shown
from compiler.write.stage import stage
from compiler.write.swap import replace, resume
from compiler.write.trouble import worded
from compiler.write.workshop import Workshop, beside, sign, workshop

PATIENCE: Final = 10.0
"""How many seconds a compile waits for another one that writes to the same place."""


def deliver(tree: Tree, directory: Path, *, patience: float = PATIENCE) -> Changes:
    """Make ``directory`` hold ``tree``, and say what that changed.

    Promises that ``directory`` holds either what it held before or the whole tree, whenever the process dies; that a
    file that does not change is not touched, and nothing is where nothing changed; that what the directory's index does
    not list stays; and that a file of ours that was edited by hand is written again (``Changes.edited`` names it).

    Raises ``OutputRefused`` where the directory is not ours, and ``OutputFailed`` where the disk does not take the tree
    or another compile is at work there for longer than ``patience`` seconds; both leave everything as it was.
    """
    with worded(directory, tree):
        place = settle(directory, tree)
        # What a compile left behind is put in order before anything is judged by its looks.
        seen, comparison = (None, None) if beside(place).exists() else glance(tree, place)
        if comparison is not None and not comparison.changes:
            return comparison.changes
        with workshop(place, shown(place, tree), patience) as shop:
            resume(place, new=shop.new, note=shop.note)
            shop.clear()
            if comparison is None or stamp(place) != seen:
                comparison = examine(tree, place)
            if comparison.changes:
                _replace(tree, comparison, place, shop)
            return comparison.changes


def _replace(tree: Tree, comparison: Comparison, place: Path, shop: Workshop) -> None:
    sign(shop)
    stage(tree, comparison, old=place, new=shop.new)
    replace(place, new=shop.new, old=shop.old, note=shop.note)
    flush_folder(place.parent)
