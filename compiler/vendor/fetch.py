"""Bring charts of elsewhere into the repository."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compiler import process
from compiler.documents import parse_node
from compiler.documents.archive import members
from compiler.errors import InputError, ProgramFailed, collecting
from compiler.model.diagnostic import Diagnostic
from compiler.model.names import Digest
from compiler.model.node import text
from compiler.model.remote import LOCK, OCI, Pinned, Remote
from compiler.vendor.lock import digest_of, fault, load, written

_METADATA: Final = "Chart.yaml"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one chart: ``kept`` as it was, ``added``, or ``changed`` by an update."""

    remote: Remote
    digest: Digest
    change: str


def fetch(
    repository: Path, remotes: tuple[Remote, ...], *, helm: str, update: bool = False, plain_http: bool = False
) -> tuple[Fetched, ...]:
    """Bring every chart of ``remotes`` that is not there yet, and pin it in the lock; with ``update``, every one.

    ``helm`` is the program that fetches, with the registries and repositories that it knows of. Nothing is written
    unless every chart came, is one that may be unpacked, and is the one that was asked for. Raises ``InputError`` with
    every chart that did not or is not, and for a chart whose publisher now serves other bytes than the lock names.
    """
    lock = load(repository)
    found: list[tuple[Fetched, bytes]] = []
    with collecting() as mistakes:
        for remote in remotes:
            with mistakes.attempt():
                found.append(_one(repository, remote, lock, _Helm(helm, plain_http), update=update))
    _write(repository, lock, found)
    return tuple(one for one, _ in found)


@dataclass(frozen=True, slots=True)
class _Helm:
    program: str
    plain_http: bool

    def pull(self, remote: Remote) -> bytes:
        """The archive that the publisher serves now."""
        with tempfile.TemporaryDirectory(prefix="oscompile-vendor-") as directory:
            try:
                process.run(self._command(remote, directory))
            except ProgramFailed as error:
                message = f"the chart {remote} could not be fetched: {error.said.removeprefix('Error: ')}"
                hint = "the address and the version; for a private one, `helm registry login` or `helm repo add` first"
                raise fault(message, remote.origin, hint) from error
            files = list(Path(directory).glob("*.tgz"))
            return files[0].read_bytes()

    def _command(self, remote: Remote, directory: str) -> process.Command:
        if remote.repository.startswith(OCI):
            which = [f"{remote.repository}/{remote.name}"]
            which += ["--plain-http"] if self.plain_http else []
        else:
            which = [str(remote.name), "--repo", remote.repository]
        argv = (self.program, "pull", *which, "--version", remote.version, "--destination", directory)
        return process.Command(argv, f"fetch the chart {remote}")


def _one(
    repository: Path, remote: Remote, lock: Mapping[Remote, Pinned], helm: _Helm, *, update: bool
) -> tuple[Fetched, bytes]:
    pinned, file = lock.get(remote), repository / remote.file
    there = file.read_bytes() if file.is_file() else None
    if pinned is not None and there is not None and digest_of(there) == pinned.digest and not update:
        return Fetched(remote, pinned.digest, "kept"), there
    content = helm.pull(remote)
    _refuse_another(remote, content)
    digest = digest_of(content)
    if pinned is not None and digest != pinned.digest and not update:
        message = f"the publisher of the chart {remote} serves {digest}, but the lock names {pinned.digest}"
        hint = "ask why a published version changed; `--update` takes what is served now"
        raise InputError([Diagnostic(message, remote.origin, hint)])
    change = "kept" if pinned is not None and digest == pinned.digest else "changed" if pinned is not None else "added"
    return Fetched(remote, digest, change), content


def _refuse_another(remote: Remote, content: bytes) -> None:
    """Raise ``InputError`` unless the archive may be unpacked and holds the chart that was asked for."""
    metadata = dict(members(io.BytesIO(content), str(remote))).get(_METADATA, b"")
    node = parse_node(metadata.decode(errors="replace"), f"{remote.file}/{_METADATA}")
    found = (text(node, "name"), text(node, "version"))
    if found != (remote.name, remote.version):
        message = f"the archive of the chart {remote} holds `{found[0]}` {found[1]}"
        raise fault(message, remote.origin, "the name and the version that its publisher's index has")


def _write(repository: Path, lock: Mapping[Remote, Pinned], found: list[tuple[Fetched, bytes]]) -> None:
    for one, content in found:
        _replace(repository / one.remote.file, content)
    pinned = {**lock, **{one.remote: Pinned(one.remote, one.digest) for one, _ in found}}
    if pinned:
        _replace(repository / LOCK, written(pinned.values()).encode())


def _replace(file: Path, content: bytes) -> None:
    """Whole or not at all, and untouched where it is the same."""
    if file.is_file() and file.read_bytes() == content:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".oscompile-", delete=False) as fresh:
        fresh.write(content)
    Path(fresh.name).replace(file)
