"""An archive that means harm is refused, with the entry that gives it away; one that Helm packs is read."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from compiler.documents.archive import ENTRY_LIMIT, FILE_LIMIT, members
from compiler.errors import InputError

NAME: Final = "vendor/web-1.0.0.tgz"


def entry(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """One entry of an archive."""
    made = tarfile.TarInfo(name)
    made.size, made.type, made.linkname = size, kind, link
    return made


def packed(*entries: tarfile.TarInfo, fill: bytes = b"x") -> bytes:
    """An archive of ``entries``, each filled to its size."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for made in entries:
            archive.addfile(made, io.BytesIO(fill * made.size))
    return out.getvalue()


def names(content: bytes) -> list[str]:
    """What is read of an archive before it ends."""
    return [name for name, _ in members(io.BytesIO(content), NAME)]


def nested_bomb() -> bytes:
    """Files of nothing, each as large as it may be: a hundred kilobytes that unpack to a hundred and fifty megabytes."""
    return packed(*(entry(f"web/files/{number}", FILE_LIMIT) for number in range(30)), fill=b"\0")


def cut() -> bytes:
    """A download that broke off."""
    whole = packed(entry("web/Chart.yaml", 100_000, b"0"), fill=bytes(range(7)))
    return whole[: len(whole) // 2]


HARMFUL: Final[dict[str, tuple[Callable[[], bytes], str]]] = {
    "a path up": (
        lambda: packed(entry("web/../../etc/passwd")),
        "the entry `web/../../etc/passwd` leads out of the archive",
    ),
    "an absolute path": (lambda: packed(entry("/etc/passwd")), "the entry `/etc/passwd` leads out of the archive"),
    "a path of Windows": (lambda: packed(entry("web\\..\\x")), "the entry `web\\..\\x` leads out of the archive"),
    "a drive": (lambda: packed(entry("C:/x")), "the entry `C:/x` leads out of the archive"),
    "a symbolic link": (
        lambda: packed(entry("web/templates/a.yaml", 0, tarfile.SYMTYPE, "/etc/shadow")),
        "the entry `web/templates/a.yaml` is a link to `/etc/shadow`, and a packed chart has none",
    ),
    "a hard link": (
        lambda: packed(entry("web/a", 0, tarfile.LNKTYPE, "web/b")),
        "the entry `web/a` is a link to `web/b`, and a packed chart has none",
    ),
    "a device": (
        lambda: packed(entry("web/null", 0, tarfile.CHRTYPE)),
        "the entry `web/null` is neither a file nor a directory",
    ),
    "an entry twice": (
        lambda: packed(entry("web/values.yaml"), entry("web/./values.yaml")),
        "the entry `web/./values.yaml` is there twice, and readers disagree on which one counts",
    ),
    "a file that is too large": (
        lambda: packed(entry("web/files/big", FILE_LIMIT + 1)),
        "the entry `web/files/big` has 5,242,881 bytes, and the largest file that Helm reads has 5,242,880",
    ),
    "a bomb": (nested_bomb, "it unpacks to more than 104,857,600 bytes, which is the most that Helm reads"),
    "too many entries": (
        lambda: packed(*(entry(f"web/{number}") for number in range(ENTRY_LIMIT + 1))),
        "it has more than 20,000 entries",
    ),
    "a file beside the chart": (
        lambda: packed(entry("Chart.yaml")),
        "the entry `Chart.yaml` lies beside the chart's directory, not in it",
    ),
    "what is no archive": (lambda: b"<html>404</html>", "it is no gzipped tar: Not a gzipped file (b'<h')"),
    "what is no tar": (lambda: gzip.compress(b"no tar at all"), "it is no gzipped tar"),
    "a download that broke off": (cut, "it is no gzipped tar"),
}


@pytest.mark.parametrize(("content", "reason"), HARMFUL.values(), ids=HARMFUL)
def test_what_no_chart_holds_is_refused_by_the_name_of_its_entry(content: Callable[[], bytes], reason: str) -> None:
    with pytest.raises(InputError) as refused:
        names(content())
    [diagnostic] = refused.value.diagnostics
    assert diagnostic.message.startswith(f"the archive of the chart is refused: {reason}")
    assert diagnostic.origin is not None
    assert diagnostic.origin.file == NAME


def test_a_chart_of_ten_megabytes_is_read() -> None:
    files = [entry(f"web/files/{number}", 4 * 1024 * 1024) for number in range(3)]
    assert names(packed(entry("web/Chart.yaml", 10), *files)) == ["Chart.yaml", "files/0", "files/1", "files/2"]


def test_nothing_of_an_archive_reaches_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert names(packed(entry("web/Chart.yaml", 3), entry("web/templates", 0, tarfile.DIRTYPE))) == ["Chart.yaml"]
    assert list(tmp_path.iterdir()) == []
