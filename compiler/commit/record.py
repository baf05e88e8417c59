"""One commit of exactly the output."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from compiler.commit.checkout import Checkout, Recorded, compare, locate, recorded
from compiler.commit.message import message
from compiler.commit.refuse import refuse_unclean
from compiler.errors import CommitRefused, OutOfDate
from compiler.model.index import INDEX, read_index
from compiler.model.names import CommitId
from compiler.model.tree import Changes, Tree

_FROM_INPUT: Final = ("--pathspec-from-file=-", "--pathspec-file-nul")


def record(repository: Path, directory: Path, tree: Tree) -> CommitId | None:
    """Commit ``tree``, which ``directory`` holds, and return the commit; None where HEAD holds it already.

    The commit goes to the repository that the directory lies in (a submodule, where it is one), onto the branch that is
    checked out, through Git's hooks and signatures, with a message that says what changes. It holds the files of the
    tree and those that the tree no longer has, and nothing else: what is staged or edited elsewhere stays staged or
    edited, and files in the directory that are not ours are left alone.

    Raises ``CommitRefused`` where that cannot be done cleanly, ``ProgramFailed`` with Git's own words (or a hook's)
    where Git does not do it, after either of which Git's index is as it was; and ``OutOfDate`` where a hook changed
    what was committed.
    """
    checkout = locate(directory)
    if checkout is None:
        raise CommitRefused(
            reason=f"`{_shown(repository, directory)}` does not lie in a Git repository", hint="git init"
        )
    held = recorded(checkout)
    changes = compare(tree, held)
    if not changes:
        return None
    paths = (*changes.added, *changes.changed, *changes.removed)
    refuse_unclean(checkout, tree, paths)
    with _known(checkout, [*changes.added, *changes.changed]):
        _commit(checkout, paths, _message(tree, changes, held))
    _verify(repository, directory, tree, checkout)
    return CommitId(checkout.git("rev-parse", "HEAD", to="ask Git for the commit").stdout.decode().strip())


def _shown(repository: Path, directory: Path) -> str:
    return directory.relative_to(repository).as_posix() if directory.is_relative_to(repository) else str(directory)


def _message(tree: Tree, changes: Changes, held: Recorded) -> str:
    return message(changes, read_index(tree.files[INDEX]), held.index)


def _commit(checkout: Checkout, paths: tuple[str, ...], text: str) -> None:
    """``--only`` takes these paths from the working tree and everything else from HEAD, whatever is staged."""
    words = ("commit", "--quiet", "--only", "--cleanup=whitespace", f"--message={text}", *_FROM_INPUT)
    checkout.git(*words, to="commit the compiled tree", stdin=checkout.pathspecs(paths))


@contextmanager
def _known(checkout: Checkout, paths: list[str]) -> Iterator[None]:
    """Have Git know of ``paths`` (``commit --only`` asks that) for the block; forget the new ones if it fails."""
    purpose = "make new files known to Git"
    listing = checkout.git("ls-files", "-z", "--", f":(literal){checkout.prefix}", to=purpose).stdout.split(b"\0")
    there = {os.fsdecode(path).removeprefix(checkout.prefix) for path in listing}
    new = [path for path in paths if path not in there]
    try:
        if new:
            checkout.git("add", "--intent-to-add", *_FROM_INPUT, to=purpose, stdin=checkout.pathspecs(new))
        yield
    except BaseException:
        if new:
            forget = ("update-index", "--force-remove", "-z", "--stdin")
            checkout.git(*forget, to="forget new files", stdin=checkout.paths(new))
        raise


def _verify(repository: Path, directory: Path, tree: Tree, checkout: Checkout) -> None:
    changes = compare(tree, recorded(checkout))
    if changes:
        raise OutOfDate(
            output=_shown(repository, directory),
            paths=tuple((path, "differs") for path in (*changes.added, *changes.changed, *changes.removed)),
            hint="keep Git's hooks from changing the output: they changed it while it was committed",
        )
