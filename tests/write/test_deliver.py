"""A directory is brought to a tree, and nothing else about it changes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from compiler import write
from compiler.model.tree import Changes
from tests.write.trees import seen, texts, tree_of

OLD = tree_of(
    {"openstack/keystone/a.yaml": "a: 1\n", "openstack/keystone/b.yaml": "b: 1\n", "openstack/nova/c.yaml": "c: 1\n"}
)
NEW = tree_of(
    {"openstack/keystone/a.yaml": "a: 1\n", "openstack/keystone/b.yaml": "b: 2\n", "_cluster/d.yaml": "d: 1\n"}
)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A directory that holds ``OLD``."""
    output = tmp_path / "rendered" / "site-a"
    write.deliver(OLD, output)
    return output


def touched(path: Path) -> tuple[int, int, int]:
    status = path.lstat()
    return (status.st_ino, status.st_mtime_ns, status.st_mode)


def test_the_first_delivery_makes_the_directory_and_those_above_it(tmp_path: Path) -> None:
    changes = write.deliver(OLD, tmp_path / "rendered" / "site-a")
    assert seen(tmp_path) == {f"rendered/site-a/{path}": text for path, text in texts(OLD).items()}
    assert changes == Changes(added=tuple(OLD.files))


def test_files_are_added_changed_and_removed_with_the_folders_that_become_empty(output: Path) -> None:
    changes = write.deliver(NEW, output)
    assert seen(output.parent) == {f"site-a/{path}": text for path, text in texts(NEW).items()}
    assert changes == Changes(
        added=("_cluster/d.yaml",),
        changed=("index.json", "openstack/keystone/b.yaml"),
        removed=("openstack/nova/c.yaml",),
        unchanged=1,
    )


def test_a_file_that_does_not_change_is_not_touched(output: Path) -> None:
    before = touched(output / "openstack/keystone/a.yaml")
    write.deliver(NEW, output)
    assert touched(output / "openstack/keystone/a.yaml") == before
    assert (output / "openstack/keystone/a.yaml").stat().st_nlink == 1


def test_nothing_at_all_is_touched_where_nothing_changes(output: Path) -> None:
    def everything() -> dict[str, tuple[int, int, int]]:
        return {str(path): touched(path) for path in (output.parent, output, *output.rglob("*"))}

    before = everything()
    assert write.deliver(OLD, output) == Changes(unchanged=4)
    assert everything() == before


def test_comparing_says_what_delivering_would_do_and_does_nothing(output: Path) -> None:
    expected = write.compare(NEW, output)
    assert seen(output) == texts(OLD)
    assert write.deliver(NEW, output) == expected


def test_comparing_with_a_directory_that_is_not_there_makes_none(tmp_path: Path) -> None:
    assert write.compare(OLD, tmp_path / "rendered" / "site-a") == Changes(added=tuple(OLD.files))
    assert seen(tmp_path) == {}


def test_a_file_that_was_deleted_by_hand_is_there_again(output: Path) -> None:
    (output / "openstack/nova/c.yaml").unlink()
    (output / "openstack/nova").rmdir()
    changes = write.deliver(OLD, output)
    assert seen(output) == texts(OLD)
    assert changes == Changes(added=("openstack/nova/c.yaml",), unchanged=3)


def test_a_file_that_was_edited_by_hand_is_written_again_and_named(output: Path) -> None:
    (output / "openstack/keystone/a.yaml").write_text("a: by hand\n", encoding="utf-8")
    (output / "openstack/nova/c.yaml").write_text("c: by hand\n", encoding="utf-8")
    changes = write.deliver(NEW, output)
    assert seen(output) == texts(NEW)
    assert changes.edited == ("openstack/keystone/a.yaml", "openstack/nova/c.yaml")


def test_a_link_in_the_place_of_a_file_is_replaced_and_what_it_names_is_left_alone(
    output: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere.yaml"
    elsewhere.write_text("mine\n", encoding="utf-8")
    (output / "openstack/keystone/a.yaml").unlink()
    (output / "openstack/keystone/a.yaml").symlink_to(elsewhere)
    changes = write.deliver(OLD, output)
    assert seen(output) == texts(OLD)
    assert elsewhere.read_text(encoding="utf-8") == "mine\n"
    assert changes == Changes(
        changed=("openstack/keystone/a.yaml",), unchanged=3, edited=("openstack/keystone/a.yaml",)
    )


def test_what_the_index_does_not_list_stays_as_it_is(output: Path) -> None:
    (output / "README.md").write_text("mine\n", encoding="utf-8")
    (output / "openstack/nova/notes.txt").write_text("mine\n", encoding="utf-8")
    (output / "empty/folder").mkdir(parents=True)
    (output / "link").symlink_to("nowhere")
    os.mkfifo(output / "pipe")
    before = {name: touched(output / name) for name in ("README.md", "openstack/nova/notes.txt", "link", "pipe")}
    write.deliver(NEW, output)
    assert stat.S_ISFIFO((output / "pipe").lstat().st_mode)
    (output / "pipe").rename(output.parent / "pipe")
    assert seen(output) == {
        **texts(NEW),
        "README.md": "mine\n",
        "openstack/nova/notes.txt": "mine\n",
        "empty/folder/": "",
        "link": "-> nowhere",
    }
    (output.parent / "pipe").rename(output / "pipe")
    assert {name: touched(output / name) for name in before} == before


def test_a_folder_keeps_its_mode(output: Path) -> None:
    (output / "openstack").chmod(0o750)
    output.chmod(0o2755)
    write.deliver(NEW, output)
    assert stat.S_IMODE((output / "openstack").stat().st_mode) == 0o750
    assert stat.S_IMODE(output.stat().st_mode) == 0o2755


def test_a_file_may_become_a_folder_and_a_folder_a_file(tmp_path: Path) -> None:
    one = tree_of({"a": "file\n", "b/c/d": "file\n"})
    two = tree_of({"a/e": "file\n", "b": "file\n"})
    output = tmp_path / "site-a"
    write.deliver(one, output)
    changes = write.deliver(two, output)
    assert seen(output) == texts(two)
    assert changes == Changes(added=("a/e", "b"), changed=("index.json",), removed=("a", "b/c/d"))


def test_an_index_that_lies_about_paths_leads_nowhere_outside(output: Path) -> None:
    outside = output.parent / "precious"
    outside.write_text("mine\n", encoding="utf-8")
    index = output / "index.json"
    index.write_text(
        index.read_text(encoding="utf-8").replace("openstack/nova/c.yaml", "../precious"), encoding="utf-8"
    )
    write.deliver(NEW, output)
    assert outside.read_text(encoding="utf-8") == "mine\n"
    assert seen(output) == {**texts(NEW), "openstack/nova/c.yaml": "c: 1\n"}


def test_names_in_the_path_may_be_links_blanks_and_any_language(tmp_path: Path) -> None:
    (tmp_path / "real folder ünïcödé 設定").mkdir()
    (tmp_path / "link").symlink_to("real folder ünïcödé 設定")
    write.deliver(OLD, tmp_path / "link" / "site a")
    assert seen(tmp_path / "real folder ünïcödé 設定" / "site a") == texts(OLD)


def test_a_relative_directory_is_seen_from_where_the_process_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write.deliver(OLD, Path("rendered/../out"))
    assert seen(tmp_path / "out") == texts(OLD)


def test_a_directory_that_is_empty_may_be_taken(tmp_path: Path) -> None:
    (tmp_path / "site-a").mkdir()
    write.deliver(OLD, tmp_path / "site-a")
    assert seen(tmp_path) == {f"site-a/{path}": text for path, text in texts(OLD).items()}


def test_a_foreign_file_that_holds_what_the_tree_wants_becomes_ours(output: Path) -> None:
    (output / "_cluster").mkdir()
    (output / "_cluster/d.yaml").write_text("d: 1\n", encoding="utf-8")
    write.deliver(NEW, output)
    assert seen(output) == texts(NEW)
    write.deliver(OLD, output)
    assert seen(output) == texts(OLD)


def test_a_tree_of_many_files_arrives_whole(tmp_path: Path) -> None:
    tree = tree_of(
        {f"openstack/keystone-{number}/{name}.yaml": f"{number}\n" for number in range(40) for name in "abc"}
    )
    assert len(write.deliver(tree, tmp_path / "site-a")) == 121
    assert seen(tmp_path / "site-a") == texts(tree)
