"""The Git working tree that an output lies in, and the questions that are put to it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compiler.model.index import INDEX, Index, read_index
from compiler.model.tree import Changes, Tree
from compiler.process import Command, Output, run

_FILES: Final = frozenset(("100644", "100755"))
_SHA1_LENGTH: Final = 40
_PATIENCE: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Checkout:
    """A working tree, and where in it the output lies (``prefix`` ends in a slash)."""

    top: Path
    prefix: str

    def git(self, *words: str, to: str, stdin: bytes = b"", accept: tuple[int, ...] = (0,)) -> Output:
        """Run git at the top of the working tree; ``to`` completes "oscompile could not ..."."""
        return run(Command(("git", *words), to, stdin, self.top, timeout=_PATIENCE), accept=accept)

    def paths(self, paths: Iterable[str]) -> bytes:
        """``paths`` of the output as git reads them from standard input, each ended by a zero byte."""
        return b"".join(os.fsencode(f"{self.prefix}{path}") + b"\0" for path in paths)

    def pathspecs(self, paths: Iterable[str]) -> bytes:
        """The same for the commands that would take a star in a path for a pattern."""
        return b"".join(os.fsencode(f":(literal){self.prefix}{path}") + b"\0" for path in paths)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What HEAD holds of the output: the id of each file's bytes, and the index. Links and the like have no id."""

    ids: dict[str, str]
    index: Index | None = None


def locate(directory: Path) -> Checkout | None:
    """The working tree that ``directory`` (which need not exist) lies in; None where there is no Git."""
    place = Path(os.path.abspath(directory))  # noqa: PTH100 - `..` goes by the name, before links are followed
    start = next(folder for folder in (place, *place.parents) if folder.is_dir())
    if not any(os.path.lexists(folder / ".git") for folder in (start, *start.resolve().parents, *start.parents)):
        return None
    command = Command(
        ("git", "rev-parse", "--show-prefix", "--show-toplevel"), "ask Git about the output", directory=start
    )
    inside, top = os.fsdecode(run(command).stdout).split("\n")[:2]
    below = place.relative_to(start).as_posix()
    return Checkout(Path(top), inside + (f"{below}/" if below != "." else ""))


def recorded(checkout: Checkout) -> Recorded:
    """What HEAD holds of the output; nothing on a branch without a commit."""
    purpose = "read what Git holds"
    head = checkout.git("rev-parse", "--quiet", "--verify", "HEAD^{commit}", to=purpose, accept=(0, 1))
    if head.code:
        return Recorded({})
    listing = checkout.git("ls-tree", "-r", "-z", "--full-tree", "HEAD", "--", checkout.prefix, to=purpose).stdout
    ids: dict[str, str] = {}
    for entry in filter(None, listing.split(b"\0")):
        facts, _, path = entry.partition(b"\t")
        mode, _, object_id = facts.decode().split(" ")
        ids[os.fsdecode(path).removeprefix(checkout.prefix)] = object_id if mode in _FILES else ""
    return Recorded(ids, _index(checkout, ids.get(INDEX, "")))


def _index(checkout: Checkout, object_id: str) -> Index | None:
    if not object_id:
        return None
    try:
        return read_index(checkout.git("cat-file", "blob", object_id, to="read the index that Git holds").stdout)
    except ValueError:
        return None


def compare(tree: Tree, held: Recorded) -> Changes:
    """What separates HEAD from ``tree``. Files that HEAD's index does not list are not ours, and do not count."""
    ours = held.index.paths if held.index is not None and held.index.site == tree.site else frozenset()
    shared = [path for path in tree.files if path in held.ids]
    equal = {path for path in shared if held.ids[path] == blob_id(tree.files[path], like=held.ids[path])}
    return Changes(
        added=tuple(sorted(path for path in tree.files if path not in held.ids)),
        changed=tuple(sorted(path for path in shared if path not in equal)),
        removed=tuple(sorted(path for path in ours if path in held.ids and path not in tree.files)),
        unchanged=len(equal),
    )


def blob_id(content: bytes, *, like: str) -> str:
    """The name that Git gives to ``content``, in the object format of the id ``like`` (SHA-1 or SHA-256)."""
    algorithm = hashlib.sha1 if len(like) <= _SHA1_LENGTH else hashlib.sha256
    return algorithm(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
