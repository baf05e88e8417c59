"""The states of a repository in which one clean commit of the output cannot be made."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

from compiler.commit.checkout import Checkout, blob_id
from compiler.errors import CommitRefused
from compiler.model.tree import Tree

_UNDER_WAY: Final = (
    ("rebase-merge", "a rebase is", "git rebase --continue, or git rebase --abort"),
    ("rebase-apply", "a rebase, or an application of patches, is", "git status, which says how to end it"),
    ("MERGE_HEAD", "a merge is", "git merge --continue, or git merge --abort"),
    ("CHERRY_PICK_HEAD", "a cherry-pick is", "git cherry-pick --continue, or git cherry-pick --abort"),
    ("REVERT_HEAD", "a revert is", "git revert --continue, or git revert --abort"),
    ("sequencer", "a cherry-pick or a revert is", "git status, which says how to end it"),
    ("BISECT_LOG", "a bisection is", "git bisect reset"),
)
_ELSEWHERE: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")
_SHOWN: Final = 3


def refuse_unclean(checkout: Checkout, tree: Tree, paths: Iterable[str]) -> None:
    """Raise ``CommitRefused`` unless Git would record ``paths`` of ``tree``, as they are, on a branch, in our name.

    A commit on no branch is refused too: the next switch of branches would lose it.
    """
    _refuse_redirection()
    _refuse_under_way(checkout)
    _refuse_detached(checkout)
    _refuse_conflicts(checkout)
    _refuse_nameless(checkout)
    wanted = sorted(paths)
    _refuse_ignored(checkout, wanted)
    _refuse_unwritten(checkout, tree, wanted)
    _refuse_conversion(checkout, tree, wanted)


def _refuse_redirection() -> None:
    found = [name for name in _ELSEWHERE if name in os.environ]
    if found:
        raise CommitRefused(
            reason=f"Git is told to work elsewhere by the variable `{found[0]}` (as it is inside a Git hook)",
            hint=f"env {' '.join(f'-u {name}' for name in found)} oscompile ...",
        )


def _refuse_under_way(checkout: Checkout) -> None:
    asked = [word for name, _, _ in _UNDER_WAY for word in ("--git-path", name)]
    answer = checkout.git("rev-parse", *asked, to="ask Git what is under way").stdout
    for path, (_, what, hint) in zip(os.fsdecode(answer).splitlines(), _UNDER_WAY, strict=True):
        if os.path.lexists(checkout.top / path):
            raise CommitRefused(reason=f"{what} under way", hint=hint)


def _refuse_detached(checkout: Checkout) -> None:
    if checkout.git("symbolic-ref", "--quiet", "HEAD", to="ask Git for the branch", accept=(0, 1)).code:
        raise CommitRefused(reason="no branch is checked out (HEAD is detached)", hint="git switch <branch>")


def _refuse_conflicts(checkout: Checkout) -> None:
    unmerged = checkout.git("ls-files", "--unmerged", "-z", to="ask Git for conflicts").stdout
    if unmerged:
        path = os.fsdecode(unmerged.split(b"\0")[0].partition(b"\t")[2])
        raise CommitRefused(reason=f"`{path}` has a conflict that is not resolved", hint=f"git add {path}, once it is")


def _refuse_nameless(checkout: Checkout) -> None:
    for who in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        words = ("-c", "user.useConfigOnly=true", "var", who)
        if checkout.git(*words, to="ask Git who commits", accept=(0, 1, 128)).code:
            raise CommitRefused(
                reason="Git does not know who commits: `user.name` or `user.email` is not set",
                hint='git config user.name "Your Name", and git config user.email you@example.org',
            )


def _refuse_ignored(checkout: Checkout, paths: list[str]) -> None:
    words = ("check-ignore", "--stdin", "-z", "--verbose")
    answer = checkout.git(*words, to="ask Git what it ignores", stdin=checkout.paths(paths), accept=(0, 1)).stdout
    fields = [os.fsdecode(field) for field in answer.split(b"\0")[:-1]]
    for file, line, pattern, path in zip(*(fields[start::4] for start in range(4)), strict=True):
        if not pattern.startswith("!"):
            raise CommitRefused(
                reason=f"Git ignores `{path}`: `{pattern}` in {file}:{line}",
                hint="remove that pattern, or choose another `delivery.output`",
            )


def _refuse_unwritten(checkout: Checkout, tree: Tree, paths: list[str]) -> None:
    """The commit takes the files as they lie there: they must hold what was compiled."""
    for path in paths:
        file = checkout.top / checkout.prefix / path
        held = file.read_bytes() if file.is_file() and not file.is_symlink() else None
        if path in tree.files and held != tree.files[path]:
            raise CommitRefused(
                reason=f"`{checkout.prefix}{path}` does not hold what was compiled", hint="compile once more"
            )
        if path not in tree.files and os.path.lexists(file):
            raise CommitRefused(
                reason=f"`{checkout.prefix}{path}` is still there, but is no longer part of the output",
                hint="remove it, or move it away",
            )


def _refuse_conversion(checkout: Checkout, tree: Tree, paths: list[str]) -> None:
    written = [path for path in paths if path in tree.files]
    names = "".join(f"{checkout.prefix}{path}\n" for path in written)
    answer = checkout.git("hash-object", "--stdin-paths", to="ask Git what it would store", stdin=os.fsencode(names))
    ids = answer.stdout.decode().split()
    converted = [
        path for path, found in zip(written, ids, strict=True) if blob_id(tree.files[path], like=found) != found
    ]
    if converted:
        shown = ", ".join(f"`{checkout.prefix}{path}`" for path in converted[:_SHOWN])
        more = f" and {len(converted) - _SHOWN} more" if len(converted) > _SHOWN else ""
        raise CommitRefused(
            reason=f"an attribute makes Git store other bytes than were compiled for {shown}{more}",
            hint=f"`{checkout.prefix}** -text -filter -ident -working-tree-encoding` at the end of `.gitattributes`",
        )
