"""What a disk says, in words."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from compiler.errors import OutputFailed
from compiler.model.tree import Tree
from compiler.write.place import shown

_WORDS: Final = {
    errno.ENOSPC: ("the disk is full", "free some space, then compile again"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, or ask for a larger quota"),
    errno.EFBIG: ("a file would be larger than this process may write", "a higher limit (`ulimit -f`)"),
    errno.EROFS: ("the file system is read-only", "mount it writable, or choose another `delivery.output`"),
    errno.EACCES: ("permission is denied", "write permission for the directory and the one above it"),
    errno.EPERM: ("permission is denied", "write permission for the directory and the one above it"),
    errno.ENAMETOOLONG: ("a name is too long for the file system", "shorter names, or a shorter `delivery.output`"),
    errno.EBUSY: ("it is in use, as a mount point is", "mount the directory above it instead"),
    errno.EMFILE: ("too many files are open", "a higher limit (`ulimit -n`)"),
    errno.EIO: ("the disk has failed", "look at the system's log before you write to this disk again"),
}


@contextmanager
def worded(directory: Path, tree: Tree) -> Iterator[None]:
    """Turn what the system says inside the block, of a tree and where it goes, into ``OutputFailed``."""
    try:
        yield
    except OSError as error:
        raise _failure(shown(directory, tree), error) from error


def _failure(place: str, error: OSError) -> OutputFailed:
    said = (error.strerror or str(error)).lower()
    reason, hint = _WORDS.get(error.errno or 0, (said, "put that right, then compile again"))
    name = error.filename2 or error.filename
    named = Path(name).name if isinstance(name, str) else ""
    about = f" (at `{named}`)" if named and error.errno != errno.ENOSPC else ""
    return OutputFailed(path=place, reason=f"{reason}{about}", hint=hint)
