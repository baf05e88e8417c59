"""The same file under a second name."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Final

_CANNOT_LINK: Final = frozenset((errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS))


def keep(old: Path, new: Path) -> None:
    """Make ``new`` the very file (or link) that ``old`` is; a copy, times and all, where there are no hard links."""
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _CANNOT_LINK:
            raise
        shutil.copy2(old, new, follow_symlinks=False)
