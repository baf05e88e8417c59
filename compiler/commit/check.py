"""The proof that Git holds what the compile gives."""

from __future__ import annotations

from pathlib import Path

from compiler.commit.checkout import Recorded, compare, locate, recorded
from compiler.errors import OutOfDate
from compiler.model.tree import Changes, Tree


def check(repository: Path, directory: Path, tree: Tree) -> None:
    """Return if the commit at HEAD holds exactly ``tree`` below ``directory``, byte for byte.

    The index and the working tree of Git do not matter, nor do files there that are not ours. Git's own names of the
    bytes are compared, so what an attribute would convert on its way in or out cannot hide. Raises ``OutOfDate`` with
    every file that is missing, that differs, or that the tree no longer has.
    """
    checkout = locate(directory)
    changes = compare(tree, recorded(checkout) if checkout is not None else Recorded({}))
    if changes:
        hint = f"oscompile {tree.site} --commit"
        raise OutOfDate(
            output=directory.relative_to(repository).as_posix()
            if directory.is_relative_to(repository)
            else str(directory),
            paths=_told(changes),
            hint=hint if checkout is not None else f"git init, then {hint}: there is no Git repository here",
        )


def _told(changes: Changes) -> tuple[tuple[str, str], ...]:
    told = {
        **dict.fromkeys(changes.added, "missing"),
        **dict.fromkeys(changes.changed, "differs"),
        **dict.fromkeys(changes.removed, "extra"),
    }
    return tuple(sorted(told.items()))
