"""The cache gives back what was put into it, or nothing; whatever happens to it, a compile goes on."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from compiler.cache import Store, digest_of_sources
from compiler.model.data import digest
from compiler.model.names import Digest

KEY: Final = digest("a key")
OTHER: Final = digest("another key")
PAYLOAD: Final = b'{"some": "json"}\n' * 1000


def entry(directory: Path, key: Digest = KEY) -> Path:
    return directory / "entries" / key


def test_what_was_put_is_got(tmp_path: Path) -> None:
    """By this process, and by the next one."""
    Store(tmp_path / "cache").put(KEY, PAYLOAD)
    assert Store(tmp_path / "cache").get(KEY) == PAYLOAD
    assert Store(tmp_path / "cache").get(OTHER) is None


def test_an_empty_payload_is_a_payload(tmp_path: Path) -> None:
    """Nothing is not the same as no entry."""
    store = Store(tmp_path / "cache")
    store.put(KEY, b"")
    assert store.get(KEY) == b""


def test_git_never_sees_the_cache(tmp_path: Path) -> None:
    """The directory ignores itself."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    Store(tmp_path / ".oscompile" / "cache").put(KEY, PAYLOAD)
    status = subprocess.run(["git", "status", "--porcelain"], cwd=tmp_path, check=True, capture_output=True)
    assert status.stdout == b""


def test_reading_makes_nothing(tmp_path: Path) -> None:
    """A look into a cache that is not there leaves no directory."""
    store = Store(tmp_path / "cache")
    assert store.get(KEY) is None
    store.retire()
    assert not (tmp_path / "cache").exists()


DAMAGE: Final[dict[str, Callable[[bytes], bytes]]] = {
    "one byte changed": lambda whole: whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:],
    "cut short": lambda whole: whole[: len(whole) // 2],
    "longer": lambda whole: whole + b"\n",
    "empty": lambda _: b"",
    "only the header": lambda whole: whole[: whole.index(b"\n")],
    "the header of another version": lambda whole: whole.replace(b"oscompile-cache-1", b"oscompile-cache-0", 1),
    "no header": lambda whole: whole[whole.index(b"\n") + 1 :],
    "something else": lambda _: os.urandom(4096),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_entry_is_no_entry(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """It is never trusted and never an error, and the next compile replaces it."""
    store = Store(tmp_path)
    store.put(KEY, PAYLOAD)
    entry(tmp_path).write_bytes(damage(entry(tmp_path).read_bytes()))
    assert store.get(KEY) is None
    store.put(KEY, PAYLOAD)
    assert store.get(KEY) == PAYLOAD
    assert store.diagnostics == ()


def test_an_entry_of_another_key_is_no_entry(tmp_path: Path) -> None:
    """A whole entry under the wrong name is foreign."""
    store = Store(tmp_path)
    store.put(KEY, PAYLOAD)
    entry(tmp_path).rename(entry(tmp_path, OTHER))
    assert store.get(OTHER) is None


def test_an_entry_that_is_a_directory_is_no_entry(tmp_path: Path) -> None:
    """Whatever stands there."""
    entry(tmp_path).mkdir(parents=True)
    assert Store(tmp_path).get(KEY) is None


def test_a_directory_that_cannot_be_written_is_one_warning(tmp_path: Path) -> None:
    """The compile goes on without a cache, and says so once."""
    (tmp_path / "cache").write_text("a file stands where the directory should be")
    store = Store(tmp_path / "cache")
    store.put(KEY, PAYLOAD)
    store.put(OTHER, PAYLOAD)
    store.retire()
    assert store.get(KEY) is None
    assert [str(diagnostic) for diagnostic in store.diagnostics] == [
        f"warning: the cache `{tmp_path}/cache` cannot be written, so the next compile starts over: Not a directory\n"
        "  try: look at its permissions and the space on its disk"
    ]


def test_a_read_only_cache_is_still_read(tmp_path: Path) -> None:
    """On a file system that takes no more writes, what is there is used."""
    store = Store(tmp_path)
    store.put(KEY, PAYLOAD)
    frozen = subprocess.run(["chattr", "+i", str(tmp_path / "entries")], capture_output=True, check=False)
    if frozen.returncode:
        (tmp_path / "entries").chmod(0o500)
    if frozen.returncode and os.geteuid() == 0:
        pytest.skip("root writes everywhere, and this file system has no immutable directories")
    try:
        store.put(OTHER, PAYLOAD)
        assert store.get(KEY) == PAYLOAD
        assert store.get(OTHER) is None
        assert len(store.diagnostics) == 1
    finally:
        subprocess.run(["chattr", "-i", str(tmp_path / "entries")], capture_output=True, check=False)
        (tmp_path / "entries").chmod(0o700)


WRITER: Final = """
import os, sys, signal
from pathlib import Path
from compiler.cache import Store
from compiler.model.data import digest

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

Path.replace = die  # the moment between the last byte and its name
Store(Path(sys.argv[1])).put(digest("a key"), b"x" * 100000)
"""


def test_a_writer_killed_in_the_middle_leaves_no_entry(tmp_path: Path, repository: Path) -> None:
    """What was written half is never read, and goes with the next compile."""
    killed = subprocess.run([sys.executable, "-c", WRITER, str(tmp_path)], cwd=repository, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list((tmp_path / "entries").iterdir())) == 1
    store = Store(tmp_path)
    assert store.get(KEY) is None
    store.put(OTHER, PAYLOAD)
    store.retire()
    assert [path.name for path in (tmp_path / "entries").iterdir()] == [OTHER]


def _write_again_and_again(directory: Path, number: int) -> int:
    store = Store(directory)
    wrong = 0
    for _ in range(100):
        store.put(KEY, PAYLOAD)
        wrong += store.get(KEY) not in {None, PAYLOAD}
        store.put(digest(f"{number}"), PAYLOAD)
        store.retire()
    return wrong + len(store.diagnostics)


def test_writers_do_not_disturb_one_another(tmp_path: Path) -> None:
    """Several compiles at once: nobody reads half an entry, nobody fails."""
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        wrong = pool.starmap(_write_again_and_again, [(tmp_path, number) for number in range(3)])
    assert wrong == [0, 0, 0]
    assert Store(tmp_path).get(KEY) in {None, PAYLOAD}


def kept(directory: Path, keys: list[Digest]) -> list[bool]:
    return [entry(directory, key).exists() for key in keys]


def compiled(directory: Path, *keys: Digest) -> None:
    """One compile: gets what is there, puts what is not."""
    store = Store(directory)
    for key in keys:
        if store.get(key) is None:
            store.put(key, PAYLOAD)
    store.retire(keep=2)


def test_what_the_last_compiles_did_not_use_is_removed(tmp_path: Path) -> None:
    """The size is bounded by what the last few different compiles used; no clock is asked."""
    always, *keys = [digest(f"key {number}") for number in range(4)]
    for key in keys:
        compiled(tmp_path, always, key)
    assert kept(tmp_path, [always, *keys]) == [True, False, True, True]


def test_the_same_compile_again_is_no_reason_to_forget(tmp_path: Path) -> None:
    """Compiling one site all day does not cost another site its entries."""
    compiled(tmp_path, KEY)
    for _ in range(10):
        compiled(tmp_path, OTHER)
    assert kept(tmp_path, [KEY, OTHER]) == [True, True]


def test_another_compiler_has_another_digest(tmp_path: Path) -> None:
    """A changed, renamed or new module, and a changed schema, each make a difference; other files make none."""
    seen = set()
    for name, text in (("a.py", "1"), ("a.py", "2"), ("b/c.py", ""), ("b/d.json", "{}"), ("b/d.json", "[]")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        seen.add(digest_of_sources(tmp_path))
    (tmp_path / "a.pyc").write_text("compiled")
    seen.add(digest_of_sources(tmp_path))
    assert len(seen) == 5
