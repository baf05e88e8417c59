"""Where a chart of elsewhere is kept, and whether it is still the one that was fetched."""

from __future__ import annotations

from pathlib import Path

from compiler.model.remote import LOCK, Remote
from compiler.vendor.lock import digest_of, fault, load


class Shelf:
    """The vendored charts of ``repository``; ``site`` is named in what people are told to type."""

    def __init__(self, repository: Path, site: str) -> None:
        self._repository, self._site = repository, site
        self._lock = load(repository)

    def path(self, remote: Remote) -> str:
        """The path of the archive of ``remote`` in the repository.

        Promises that it holds the bytes that the lock names. Raises ``InputError`` where the chart is not in the lock,
        its file is missing, or either does not match the other.
        """
        pinned = self._lock.get(remote)
        file = self._repository / remote.file
        if pinned is None:
            stray = f", though `{remote.file}` is there" if file.is_file() else ""
            message = f"the chart {remote} is not in the lock `{LOCK}`{stray}"
            raise fault(message, remote.origin, f"`oscompile vendor {self._site}`, and commit what it brings")
        if not file.is_file():
            message = f"the chart {remote} is in the lock, but its file `{remote.file}` is missing"
            raise fault(message, remote.origin, f"`oscompile vendor {self._site}`, which fetches it again")
        found = digest_of(file.read_bytes())
        if found != pinned.digest:
            message = f"`{remote.file}` must be the archive that the lock names ({pinned.digest}), but is {found}"
            hint = (
                f"`git checkout {remote.file}`, or `oscompile vendor {self._site} --update` to take what is published"
            )
            raise fault(message, pinned.remote.origin, hint)
        return remote.file
