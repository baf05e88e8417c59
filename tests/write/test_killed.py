"""A compile that is killed leaves the old tree or the new one, and the next compile goes on as if nothing had been."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.write.conftest import Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own means are used")


def test_killed_at_any_step_it_leaves_one_whole_tree_and_the_next_compile_leaves_nothing_behind(
    child: Run, quick_path: Path
) -> None:
    told = child("kill_everywhere", quick_path)
    assert set(told["found"]) == {"old; then whole", "new; then whole"}
    assert sum(told["found"].values()) == told["steps"] - 1 > 300


def test_where_names_cannot_be_exchanged_the_next_compile_finishes_what_was_cut_short(
    child: Run, quick_path: Path
) -> None:
    told = child("kill_everywhere", quick_path, "renameat2")
    assert set(told["found"]) == {"old; then whole", "missing; then whole", "new; then whole"}
    assert told["found"]["missing; then whole"] <= 2


def test_where_a_lower_layer_holds_the_old_tree_it_is_replaced_all_the_same(on_disk: Run, tmp_path: Path) -> None:
    """As in a container whose image holds the repository: overlayfs renames no directory of the image."""
    mounting = """
    mount -t tmpfs tmpfs "$0"; mkdir "$0/image" "$0/upper" "$0/work" "$0/root"
    "$1" -m tests.write.child deliver "$0/image/rendered/site-a" old >/dev/null
    echo mine > "$0/image/rendered/site-a/notes"
    test -n "$UNPRIVILEGED" && own=userxattr, || own=
    mount -t overlay overlay -o "$own"lowerdir="$0/image",upperdir="$0/upper",workdir="$0/work" "$0/root"
    """
    told = on_disk(mounting, tmp_path, "replaced", tmp_path / "root/rendered/site-a")
    assert told == {"said": "", "state": "new", "notes": "mine\n", "beside": ["site-a"]}


def test_killed_over_a_lower_layer_it_leaves_what_the_next_compile_finishes(on_disk: Run, tmp_path: Path) -> None:
    mounting = 'mount -t tmpfs tmpfs "$0"'
    told = on_disk(mounting, tmp_path, "kill_over_a_layer", tmp_path, 3)
    assert {state.partition(";")[2] for state in told["found"]} == {" then whole"}
    assert {"old; then whole", "new; then whole"} <= set(told["found"])
