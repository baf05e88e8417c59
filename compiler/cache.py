"""A directory of results, each under the digest of everything that decided it.

Nothing in it is trusted and nothing depends on it: an entry is used only if its bytes are those that were stored under
that very key, and a directory that cannot be read or written makes a compile slower, never different. There is no clock
here: what is kept is decided by which compiles used it last.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from compiler.model.data import digest
from compiler.model.diagnostic import Diagnostic, Severity
from compiler.model.names import Digest

KEPT: Final = 32
"""How many different compiles, back from the last one, keep the entries that they used."""

_FORMAT: Final = "oscompile-cache-1"
_TEMPORARY: Final = ".new-"


class Store:
    """The store in ``directory``, which is made when the first entry is put into it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._entries = directory / "entries"
        self._uses = directory / "uses"
        self._used: set[Digest] = set()
        self._refused: OSError | None = None

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """A warning where the directory did not take an entry."""
        if self._refused is None:
            return ()
        message = f"the cache `{self._directory}` cannot be written, so the next compile starts over: "
        hint = "look at its permissions and the space on its disk"
        return (Diagnostic(message + (self._refused.strerror or ""), None, hint, severity=Severity.WARNING),)

    def get(self, key: Digest) -> bytes | None:
        """What was put under ``key``; None where there is nothing, or anything else than was put."""
        try:
            whole = (self._entries / key).read_bytes()
        except OSError:
            return None
        header, _, payload = whole.partition(b"\n")
        if header != _header(key, payload):
            return None
        self._used.add(key)
        return payload

    def put(self, key: Digest, payload: bytes) -> None:
        """Keep ``payload`` under ``key``, whole or not at all. Never fails: see ``diagnostics``."""
        self._used.add(key)
        if self._refused is not None:
            return
        try:
            self._prepare()
            _replace(self._entries / key, _header(key, payload) + b"\n" + payload)
        except FileNotFoundError:
            return  # another compile cleaned up at this very moment: the entry is not kept, and nobody is at fault
        except OSError as error:
            self._refused = error

    def retire(self, keep: int = KEPT) -> None:
        """Note what was got and put so far, and remove every entry that none of the last ``keep`` compiles used.

        A compile that used exactly what the last one did is not a new one, so compiling one site again and again never
        costs another site its entries.
        """
        note = "\n".join(sorted(self._used)).encode()
        with contextlib.suppress(OSError):
            if not self._entries.is_dir():
                return
            notes = sorted(self._numbered_notes())
            if notes and notes[-1][1].read_bytes() == note:
                return
            self._uses.mkdir(exist_ok=True)
            _replace(self._uses / str(notes[-1][0] + 1 if notes else 1), note)
            self._remove_unused(keep)

    def _prepare(self) -> None:
        if not self._entries.is_dir():
            self._entries.mkdir(parents=True, exist_ok=True)
            (self._directory / ".gitignore").write_text("*\n", encoding="utf-8")

    def _numbered_notes(self) -> Iterator[tuple[int, Path]]:
        if self._uses.is_dir():
            yield from ((int(path.name), path) for path in self._uses.iterdir() if path.name.isdecimal())

    def _remove_unused(self, keep: int) -> None:
        notes = [path for _, path in sorted(self._numbered_notes(), reverse=True)]
        kept = {key for path in notes[:keep] for key in path.read_text(encoding="utf-8").splitlines()}
        for path in (*notes[keep:], *(path for path in self._entries.iterdir() if path.name not in kept)):
            path.unlink(missing_ok=True)


def _header(key: Digest, payload: bytes) -> bytes:
    """What must stand before ``payload``: it belongs to this key, and not a byte of it is another."""
    return f"{_FORMAT} {hashlib.sha256(key.encode() + payload).hexdigest()}".encode()


def _replace(path: Path, content: bytes) -> None:
    """Write a file that other processes see whole or not at all."""
    handle, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def digest_of_sources(package: Path) -> Digest:
    """A digest of every module, schema and table below ``package``: another compiler may give other results."""
    total = hashlib.sha256()
    for path in sorted(path for pattern in ("*.py", "*.json", "*.toml") for path in package.rglob(pattern)):
        total.update(f"{path.relative_to(package).as_posix()}\0{digest(path.read_bytes())}\n".encode())
    return Digest(total.hexdigest())
