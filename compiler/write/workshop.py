"""A folder beside the output, in which the new tree is made. Whoever has it locked is the only one at work.

It lies beside the output because only within one file system can a directory take the place of another. Git ignores
it; it is removed at the end, and emptied by the next compile if it was left behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compiler.errors import OutputFailed
from compiler.write.swap import is_cut_short

_PAUSE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Workshop:
    """The names inside: the tree that is being made, the one it replaces, and the note of a replacement under way."""

    folder: Path

    @property
    def new(self) -> Path:
        """Where the new tree is made."""
        return self.folder / "new"

    @property
    def old(self) -> Path:
        """Where the old tree goes when the two cannot be exchanged."""
        return self.folder / "old"

    @property
    def note(self) -> Path:
        """Says that a replacement is under way."""
        return self.folder / "note"

    @property
    def holder(self) -> Path:
        """Says who is at work."""
        return self.folder / "holder"

    def clear(self) -> None:
        """Remove what an earlier compile, or this one, left inside. What cannot be removed is the next one's to try.

        The note goes first: where it lies, the tree beside it is whole.
        """
        for file in (self.note, self.holder, self.folder / ".gitignore"):
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
        for tree in (self.new, self.old):
            shutil.rmtree(tree, ignore_errors=True)


def beside(place: Path) -> Path:
    """The workshop of an output directory."""
    return place.with_name(f".oscompile-{place.name}")


@contextmanager
def workshop(place: Path, shown: str, patience: float) -> Iterator[Workshop]:
    """The workshop of ``place``, locked, for the length of the block.

    Raises ``OutputFailed`` where another process has it for longer than ``patience`` seconds.
    """
    with _folders_above(place):
        descriptor = _enter(beside(place), shown, patience)
        shop = Workshop(beside(place))
        try:
            yield shop
        finally:
            _leave(shop, place)
            os.close(descriptor)


def sign(shop: Workshop) -> None:
    """Say who is at work, and keep Git away."""
    (shop.folder / ".gitignore").write_text("*\n", encoding="utf-8")
    shop.holder.write_text(f"process {os.getpid()} on {os.uname().nodename}", encoding="utf-8")


def _leave(shop: Workshop, place: Path) -> None:
    if is_cut_short(place, new=shop.new, note=shop.note):
        return
    shop.clear()
    with contextlib.suppress(OSError):
        shop.folder.rmdir()


@contextmanager
def _folders_above(place: Path) -> Iterator[None]:
    """Make the folders above ``place``; remove those that are empty again at the end."""
    missing = [folder for folder in place.parents if not folder.exists()]
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for folder in missing:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _enter(folder: Path, shown: str, patience: float) -> int:
    """A descriptor that holds the lock on ``folder``, and with it the folder that has this name now."""
    deadline = time.monotonic() + patience
    while True:
        descriptor = _try(folder)
        if descriptor is not None:
            return descriptor
        if time.monotonic() > deadline:
            raise _occupied(folder, shown, patience)
        time.sleep(_PAUSE)


def _try(folder: Path) -> int | None:
    """The descriptor, or None where somebody else holds the lock, or removed the folder just now on their way out."""
    with contextlib.suppress(FileNotFoundError, BlockingIOError), contextlib.ExitStack() as undo:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(parents=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        undo.callback(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), folder.lstat()):
            undo.pop_all()
            return descriptor
    return None


def _occupied(folder: Path, shown: str, patience: float) -> OutputFailed:
    try:
        holder = (folder / "holder").read_text(encoding="utf-8")
    except OSError:
        holder = "another process"
    return OutputFailed(
        path=shown,
        reason=f"another compile ({holder}) is writing there, and did not end within {patience:g} seconds",
        hint="wait until it has ended, then compile again",
    )
