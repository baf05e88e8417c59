"""Put one directory in the place of another, so that there is always one, and always a whole one.

Where the system can exchange two names (``renameat2(2)`` with ``RENAME_EXCHANGE`` on Linux, ``renamex_np(2)`` with
``RENAME_SWAP`` on macOS) that is one step. Where it cannot, it takes two, and a note is left before the first: whoever
finds it finishes what was begun.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any, Final

from compiler.model.index import INDEX
from compiler.write.durable import write_durably
from compiler.write.pour import pour

_CANNOT: Final = frozenset((errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM))
_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
_RENAME_SWAP: Final = 2


def replace(place: Path, *, new: Path, old: Path, note: Path) -> None:
    """Put ``new`` where ``place`` is; what was there is then at ``new`` or ``old``, or gone.

    A process that dies on the way leaves ``place`` as it was, or as it shall be, or the ``note`` from which ``resume``
    goes on. Raises ``OSError`` with ``place`` as it was.
    """
    if not place.exists():
        new.rename(place)
    elif not exchange(new, place):
        _in_two_steps(place, new=new, old=old, note=note)


def resume(place: Path, *, new: Path, note: Path) -> None:
    """Finish a replacement that was cut short after its first step, if there was one."""
    if not is_cut_short(place, new=new, note=note):
        return
    if place.exists():
        pour(new, place)
    else:
        new.rename(place)


def is_cut_short(place: Path, *, new: Path, note: Path) -> bool:
    """Whether the old tree is gone, or going, and the new one, whole, waits to take its place."""
    return note.exists() and new.exists() and not (place / INDEX).exists()


def _in_two_steps(place: Path, *, new: Path, old: Path, note: Path) -> None:
    write_durably(note, b"The tree in `new` is whole, and takes the place of the one beside this folder.\n")
    try:
        place.rename(old)
        new.rename(place)
    except OSError as error:
        if error.errno != errno.EXDEV or not place.exists():
            _put_back(place, old)
            raise
        # overlayfs renames no directory that a lower layer holds (the repository of a container's image).
        pour(new, place)
    except BaseException:
        _put_back(place, old)
        raise


def _put_back(place: Path, old: Path) -> None:
    if old.exists() and not place.exists():
        old.rename(place)


def exchange(one: Path, two: Path) -> bool:
    """Exchange what two names mean, in one step; False where this system or file system cannot."""
    import ctypes  # noqa: PLC0415 - only a compile that changes something needs it

    library: Any = ctypes.CDLL(None, use_errno=True)
    first, second = os.fsencode(one), os.fsencode(two)
    try:
        if sys.platform == "darwin":
            failed = library.renamex_np(first, second, _RENAME_SWAP)
        else:
            failed = library.renameat2(_AT_FDCWD, first, _AT_FDCWD, second, _RENAME_EXCHANGE)
    except AttributeError:  # a C library without the call
        return False
    if not failed:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT:
        return False
    raise OSError(code, os.strerror(code), str(two))
