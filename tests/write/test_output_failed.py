"""A disk that does not take the tree: one clear message, the old tree whole, nothing left behind."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

import pytest

from compiler import write
from compiler.errors import OutputFailed
from tests.write.child import NEW, OLD
from tests.write.conftest import Run
from tests.write.trees import seen, texts, tree_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own means are used")

UNTOUCHED = "  The tree that was there before is untouched.\n"


def message(output: Path | str, reason: str, hint: str) -> str:
    return f"error: the compiled tree could not be written to `{output}`: {reason}\n{UNTOUCHED}  try: {hint}"


def test_a_full_disk(on_disk: Run, tmp_path: Path) -> None:
    told = on_disk('mount -t tmpfs -o size=1m tmpfs "$0"', tmp_path, "run_out", tmp_path)
    assert told == {
        "before": "",
        "said": "OutputFailed: "
        + message(tmp_path / "rendered/site-a", "the disk is full", "free some space, then compile again"),
        "whole": True,
        "left": ["site-a"],
    }


@pytest.mark.parametrize("names", range(4, 28, 2))
def test_a_disk_that_runs_out_of_names_at_whatever_step(on_disk: Run, tmp_path: Path, names: int) -> None:
    told = on_disk(f'mount -t tmpfs -o nr_inodes={names} tmpfs "$0"', tmp_path, "run_out_of_names", tmp_path)
    if told["first"]:
        assert told["left"] == []
    else:
        full = message(tmp_path / "rendered/site-a", "the disk is full", "").splitlines()[0]
        assert (told["said"], told["state"]) in (([f"OutputFailed: {full}"], "old"), ([], "new"))
        assert told["left"] == ["site-a"]


READ_ONLY = """
mount -t tmpfs tmpfs "$0"
"$1" -m tests.write.child deliver "$0/rendered/site-a" old >/dev/null
mount -o remount,bind,ro "$0"
"""


def test_a_disk_that_is_read_only(on_disk: Run, tmp_path: Path) -> None:
    output = tmp_path / "rendered/site-a"
    assert on_disk(READ_ONLY, tmp_path, "deliver", output, "new") == "OutputFailed: " + message(
        output,
        "the file system is read-only (at `.oscompile-site-a`)",
        "mount it writable, or choose another `delivery.output`",
    )


def test_a_disk_that_is_read_only_does_not_matter_where_nothing_changes(on_disk: Run, tmp_path: Path) -> None:
    assert on_disk(READ_ONLY, tmp_path, "deliver", tmp_path / "rendered/site-a", "old") == ""


def test_an_output_that_is_a_mount_point(on_disk: Run, tmp_path: Path) -> None:
    output = tmp_path / "rendered/site-a"
    mounting = 'mount -t tmpfs tmpfs "$0"; mkdir -p "$0/rendered/site-a"; mount -t tmpfs tmpfs "$0/rendered/site-a"'
    assert on_disk(mounting, tmp_path, "deliver", output, "new") == "OutputFailed: " + message(
        output, "it is in use, as a mount point is (at `site-a`)", "mount the directory above it instead"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_directory_that_somebody_else_owns(child: Run, quick_path: Path) -> None:
    output = quick_path / "rendered/site-a"
    write.deliver(OLD, output)
    quick_path.chmod(0o755)
    assert child("as_user", 65534, "deliver", output, "new") == "OutputFailed: " + message(
        output,
        "permission is denied (at `.oscompile-site-a`)",
        "write permission for the directory and the one above it",
    )
    assert seen(output) == texts(OLD)


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    output = tmp_path / "site-a"
    write.deliver(OLD, output)
    name = "x" * 300
    with pytest.raises(OutputFailed) as failed:
        write.deliver(tree_of({f"openstack/{name}": "a: 1\n"}), output)
    assert str(failed.value) == message(
        output,
        f"a name is too long for the file system (at `{name}`)",
        "shorter names, or a shorter `delivery.output`",
    )
    assert seen(tmp_path) == {f"site-a/{path}": text for path, text in texts(OLD).items()}


def test_a_file_larger_than_the_process_may_write(tmp_path: Path) -> None:
    output = tmp_path / "site-a"
    write.deliver(OLD, output)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(OutputFailed) as failed:
            write.deliver(tree_of({"large.yaml": "x" * 2_000_000}), output)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(failed.value) == message(
        output, "a file would be larger than this process may write", "a higher limit (`ulimit -f`)"
    )
    assert seen(tmp_path) == {f"site-a/{path}": text for path, text in texts(OLD).items()}


def test_a_first_delivery_that_fails_leaves_no_folder_behind(tmp_path: Path) -> None:
    with pytest.raises(OutputFailed):
        write.deliver(tree_of({"x" * 300: "a: 1\n"}), tmp_path / "a/b/site-a")
    assert seen(tmp_path) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("forbidden", ["linkat", "renameat2"])
def test_where_a_file_system_lacks_links_or_exchange_the_tree_arrives_all_the_same(
    child: Run, tmp_path: Path, forbidden: str
) -> None:
    told = child("without", tmp_path, forbidden)
    assert told["said"] == ""
    assert told["seen"] == {
        **{f"site-a/{path}": text for path, text in texts(NEW).items()},
        "site-a/link": "-> nowhere",
    }
    assert told["same time"]
    assert told["same file"] == (forbidden != "linkat")
